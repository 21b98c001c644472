//! What the system is told of memory.

/// Large pages need a privilege here, so there is nothing to say.
pub(crate) fn expect_writes(_memory: &[u8]) {}
