//! Memory for large messages.

use crate::sys;

/// Says that all of this fresh memory is about to be written: the system may hand it out in larger pages then, since a
/// fault for each small one takes longer than the bytes that go there. It has no effect besides.
pub fn expect_writes(memory: &[u8]) {
    sys::expect_writes(memory);
}
