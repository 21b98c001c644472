//! How news of readiness reaches JavaScript.
//!
//! Both reactors only tell *that* a connection is ready; reading happens when JavaScript asks for it, which is also
//! the backpressure. The loop reactor needs no thread: Node's own loop watches mio's descriptor. Where that is not to
//! be had (Windows; runtimes without libuv), a thread waits.
#![expect(unsafe_code, reason = "the reactors meet libuv and Node-API where napi-rs has no wrapper")]

mod thread;
#[cfg(unix)]
mod uv;

use crate::memory::Memory;
use crate::state::State;
use carom::{Poller, Wait};
use napi::bindgen_prelude::Function;
use napi::{Env, Error, JsValue, Result, sys};
use std::cell::RefCell;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::rc::Rc;

/// The reactor of one environment.
#[derive(Clone)]
pub(crate) enum Reactor {
    #[cfg(unix)]
    Loop(uv::Handle),
    Thread(thread::Handle),
}

impl Reactor {
    /// Starts one, on the loop if it can be and `threaded` does not forbid it.
    pub(crate) fn start(
        env: &Env,
        memory: Memory,
        dispatch: &Function<u32, ()>,
        threaded: bool,
    ) -> Result<(Rc<RefCell<State>>, Reactor)> {
        let poller = Poller::new().map_err(to_napi)?;
        let state = Rc::new(RefCell::new(State::new(memory, poller.registry().map_err(to_napi)?)));
        #[cfg(unix)]
        if !threaded && let Some(uv) = uv::Uv::find() {
            let handle = uv::start(env.raw(), uv, poller, Rc::clone(&state), dispatch.raw())?;
            return Ok((state, Reactor::Loop(handle)));
        }
        let _ = threaded;
        let handle = thread::start(env.raw(), poller, Rc::clone(&state), dispatch.raw())?;
        Ok((state, Reactor::Thread(handle)))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            #[cfg(unix)]
            Reactor::Loop(_) => "loop",
            Reactor::Thread(_) => "thread",
        }
    }

    /// Blocks until there is news, and notes it: how many entries of the table JavaScript has to look at, none when the
    /// time ran out or a signal arrived.
    pub(crate) fn wait(&self, state: &RefCell<State>, wait: Wait) -> io::Result<u32> {
        match self {
            #[cfg(unix)]
            Reactor::Loop(handle) => handle.wait(state, wait),
            Reactor::Thread(handle) => Ok(handle.wait(state, wait)),
        }
    }

    /// Whether news that may come keeps the event loop running; it does not, at first.
    pub(crate) fn keep_alive(&self, env: sys::napi_env, yes: bool) {
        match self {
            #[cfg(unix)]
            Reactor::Loop(handle) => handle.keep_alive(yes),
            Reactor::Thread(handle) => handle.keep_alive(env, yes),
        }
    }
}

fn to_napi(error: std::io::Error) -> Error {
    Error::from_reason(error.to_string())
}

/// Notes what was told: how much of it JavaScript has to look at. A panic must not unwind into Node, which calls this.
fn note(noting: impl FnOnce() -> u32) -> u32 {
    panic::catch_unwind(AssertUnwindSafe(noting)).unwrap_or(0)
}

/// The number `count` as a JavaScript value.
fn number(env: sys::napi_env, count: u32) -> sys::napi_value {
    let mut value = ptr::null_mut();
    // SAFETY: called with a live environment and an open handle scope.
    unsafe { sys::napi_create_uint32(env, count, &mut value) };
    value
}

/// What JavaScript has thrown out of a callback becomes an uncaught exception.
fn report_exception(env: sys::napi_env) {
    let mut exception = ptr::null_mut();
    // SAFETY: called with a live environment and an open handle scope.
    unsafe {
        if sys::napi_get_and_clear_last_exception(env, &mut exception) == sys::Status::napi_ok {
            sys::napi_fatal_exception(env, exception);
        }
    }
}
