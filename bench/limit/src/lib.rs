//! What the programs in Rust of `bench/` share: the messages, and the lines that they serve.

pub mod messages;
pub mod rounds;
