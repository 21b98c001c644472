//! The Node-API binding of carom: turns calls from JavaScript into calls of the core, without a policy of its own.
//!
//! - `state`: what one JavaScript environment has open.
//! - `environment`: that environment, and the calls for its connections that are not hot; `listening` and `waiting` have
//!   those for listeners and clients, and for blocking until something is ready.
//! - `calls`: the hot calls, as plain Node-API functions (a tenth of the cost of a class method).
//! - `challenges`: what all environments of a process know of each other.
//! - `memory`: the memory that both languages see.
//! - `reactor`: how news of readiness reaches JavaScript: on Node's own loop, or from a thread.

mod calls;
mod challenges;
mod environment;
mod errno;
mod listening;
mod memory;
mod reactor;
mod state;
mod waiting;

use napi_derive::napi;

/// The version of the package that this addon is for: the face loads no other.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
