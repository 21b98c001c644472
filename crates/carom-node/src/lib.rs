//! The Node-API binding of carom: turns calls from JavaScript into calls of the core, without a policy of its own.
//!
//! - `environment`: the connections of one JavaScript environment, and all calls that are not hot.
//! - `calls`: the hot calls, as plain Node-API functions (a tenth of the cost of a class method).
//! - `memory`: the memory that both languages see.
//! - `reactor`: how news of readiness reaches JavaScript: on Node's own loop, or from a thread.

mod calls;
mod environment;
mod memory;
mod reactor;
