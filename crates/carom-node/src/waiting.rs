//! The calls for waiting, blocking, until anything is ready.

use crate::environment::Environment;
use crate::errno::errno;
use crate::state::Kind;
use carom::Descriptor;
use napi::Env;
use napi_derive::napi;
use std::io;

#[napi]
impl Environment {
    /// Blocks until the reactor has news: the number of entries in the table of news, 0 when the time ran out, or the
    /// system's error, negative.
    #[napi(catch_unwind)]
    pub fn wait(&self, env: &Env, milliseconds: f64) -> i32 {
        let mut count = 0;
        let waited = self.in_slices(env, milliseconds, |wait| {
            count = self.reactor.wait(&self.state, wait)?;
            Ok(count > 0)
        });
        waited.map_or_else(|error| errno(&error), |()| count as i32)
    }

    /// Watches a descriptor, which stays the caller's: the slot, or the system's error, negative.
    #[napi(catch_unwind)]
    pub fn watch_descriptor(&self, fd: i64) -> i32 {
        let watched = fd.try_into().map_err(|_| io::ErrorKind::InvalidInput.into()).and_then(Descriptor::of);
        watched.map_or_else(|error| errno(&error), |descriptor| self.insert_descriptor(descriptor))
    }

    /// Watches a child process: the slot, or -1 where the system cannot do that.
    #[napi(catch_unwind)]
    pub fn watch_process(&self, pid: u32) -> i32 {
        Descriptor::of_process(pid).map_or(-1, |descriptor| self.insert_descriptor(descriptor))
    }

    /// Whether a watched descriptor is readable, 1 or 0, or the system's error, negative. If it is not, the reactor tells
    /// of it from now on.
    #[napi(catch_unwind)]
    pub fn is_ready(&self, slot: u32) -> i32 {
        let mut state = self.state.borrow_mut();
        let look = state.descriptor(slot).and_then(|descriptor| descriptor.is_readable());
        let ready = look.and_then(|ready| {
            if !ready {
                state.watch(slot, None)?;
            }
            Ok(ready)
        });
        ready.map_or_else(|error| errno(&error), i32::from)
    }

    fn insert_descriptor(&self, descriptor: Descriptor) -> i32 {
        self.state.borrow_mut().insert(Kind::Descriptor(descriptor)) as i32
    }
}
