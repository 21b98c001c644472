//! The memory that JavaScript and Rust both see. JavaScript made it and marked it untransferable, so that it stays
//! where it is; it lives as long as the environment.

use carom::frame::Span;
use carom::{LARGE, MAX_NEWS};
use napi::bindgen_prelude::{Float64Array, Uint8Array, Uint32Array};
use napi::{Error, Result};
use napi_derive::napi;

/// Where received bytes, their spans, bytes to send and news of readiness are exchanged.
#[napi(object, object_to_js = false)]
pub struct Memory {
    /// Received messages.
    pub inbox: Uint8Array,
    /// Offset and length of each received message in the inbox.
    pub spans: Uint32Array,
    /// Messages to send, each behind its header.
    pub outbox: Uint8Array,
    /// From and to of each part of the outbox that is to be sent.
    pub extents: Uint32Array,
    /// Who is ready: a connection's slot times 4, plus 1 for readable, plus 2 for writable.
    pub news: Uint32Array,
    /// One number: the length of the large message that follows.
    pub body: Float64Array,
    /// Whether news that may come keeps the process alive, and whether the reactor looks at that when JavaScript is done.
    pub liveness: Uint32Array,
}

impl Memory {
    /// What the core relies on: room for the longest small messages, for one span, and for all news of one wait.
    pub(crate) fn check(&self) -> Result<()> {
        let enough = self.inbox.len() as u64 >= 2 * LARGE && self.spans.len() >= 2 && self.news.len() >= MAX_NEWS;
        if enough && !self.body.is_empty() && self.liveness.len() >= 2 {
            return Ok(());
        }
        Err(Error::from_reason("carom: the shared memory is too small"))
    }

    /// The arena that small messages are received into, and the table of where they lie in it.
    pub(crate) fn inbox(&mut self) -> (&mut [u8], &mut [Span]) {
        // SAFETY: only this thread touches the memory, and JavaScript does not run while the slices are in use. A span
        // is two u32, so half as many of them fit into the table, and its alignment is theirs.
        unsafe {
            let spans = self.spans.as_mut();
            let (spans, count) = (spans.as_mut_ptr().cast::<Span>(), spans.len() / 2);
            (self.inbox.as_mut(), std::slice::from_raw_parts_mut(spans, count))
        }
    }

    /// The arena that messages are packed into, and the ranges in it, from and to, that a flush is to send.
    pub(crate) fn outbox(&self) -> (&[u8], &[u32]) {
        (&self.outbox, &self.extents)
    }

    /// The table of news.
    pub(crate) fn news(&mut self) -> &mut [u32] {
        // SAFETY: as above.
        unsafe { self.news.as_mut() }
    }

    /// Tells JavaScript whether the reactor will ask for [`keeps_alive`](Memory::keeps_alive) when it is done.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only the loop reactor looks"))]
    pub(crate) fn set_telling(&mut self, telling: bool) {
        // SAFETY: as above.
        unsafe { self.liveness.as_mut()[1] = telling.into() }
    }

    /// Whether JavaScript wants the process to be kept alive.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only the loop reactor looks"))]
    pub(crate) fn keeps_alive(&self) -> bool {
        self.liveness[0] != 0
    }

    /// Tells JavaScript the length of the large message that follows.
    pub(crate) fn set_body_length(&mut self, length: u64) {
        // SAFETY: as above.
        unsafe { self.body.as_mut()[0] = length as f64 }
    }
}
