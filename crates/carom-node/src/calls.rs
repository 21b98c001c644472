//! The hot calls, as plain Node-API functions with a data pointer: they cost a tenth of a class method.
//!
//! Each takes a connection's slot first, and how long it may wait, in milliseconds, last (see
//! [`wait_from`](crate::environment::wait_from)). A negative result is the system's error.
#![expect(unsafe_code, reason = "raw Node-API: this module and the reactors are where the binding meets it")]

use crate::environment::{in_slices, wait_from};
use crate::errno::errno;
use crate::reactor::Reactor;
use crate::state::State;
use carom::Wait;
use carom::frame::Header;
use napi::bindgen_prelude::Object;
use napi::{Env, JsValue, Result, check_status, sys};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::rc::Rc;

/// `read`'s result is the number of messages times 8, and these.
const DRAINED: usize = 1;
const BODY: usize = 2;
const ENDED: usize = 4;

/// What a hot call works on.
struct Context {
    state: Rc<RefCell<State>>,
    reactor: Reactor,
    interruptible: bool,
}

/// The object of all hot calls.
pub(crate) fn object<'env>(
    env: &'env Env,
    state: &Rc<RefCell<State>>,
    reactor: Reactor,
    interruptible: bool,
) -> Result<Object<'env>> {
    let object = Object::new(env)?;
    let context = Box::into_raw(Box::new(Context { state: Rc::clone(state), reactor, interruptible }));
    // SAFETY: the pointer is the box's, and this is the only place that frees it; once an environment's cleanup hooks
    // run, no JavaScript and so none of the functions does any more.
    env.add_env_cleanup_hook((), move |()| drop(unsafe { Box::from_raw(context) }))?;
    for (name, call) in [
        (c"read", read as Call),
        (c"readBody", read_body),
        (c"flush", flush),
        (c"push", push),
        (c"watch", watch),
        (c"keepAlive", keep_alive),
    ] {
        let mut function = ptr::null_mut();
        // SAFETY: the environment is alive, the name's length is its own, and `context` lives as long as it can be used.
        check_status!(unsafe {
            let length = name.count_bytes() as isize;
            sys::napi_create_function(env.raw(), name.as_ptr(), length, Some(call), context.cast(), &mut function)
        })?;
        // SAFETY: both values were made in this environment, in the handle scope that is open.
        check_status!(unsafe { sys::napi_set_named_property(env.raw(), object.raw(), name.as_ptr(), function) })?;
    }
    Ok(object)
}

/// SAFETY: nobody calls these but Node, when JavaScript calls the function that [`object`] has made of one.
type Call = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// The arguments of one call.
struct Arguments<'context> {
    env: sys::napi_env,
    values: [sys::napi_value; 4],
    context: &'context Context,
}

impl Arguments<'_> {
    fn slot(&self) -> u32 {
        self.number(0) as u32
    }

    fn wait(&self, index: usize) -> Wait {
        wait_from(self.number(index))
    }

    fn number(&self, index: usize) -> f64 {
        let mut number = 0.0;
        // SAFETY: a live value of this environment; anything but a number leaves the 0.
        unsafe { sys::napi_get_value_double(self.env, self.values[index], &mut number) };
        number
    }

    /// The bytes of a `Uint8Array`; none if it is anything else, or was transferred away. For use within the call.
    fn bytes<'memory>(&self, index: usize) -> &'memory mut [u8] {
        let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
        // SAFETY: a live value of this environment. The slice is used before JavaScript runs again, so that nothing
        // can move or free the memory; only this thread writes to it, as the contract asks of the user.
        unsafe {
            let status = sys::napi_get_typedarray_info(
                self.env,
                self.values[index],
                &mut kind,
                &mut length,
                &mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            );
            if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array || data.is_null() {
                return &mut [];
            }
            std::slice::from_raw_parts_mut(data.cast(), length)
        }
    }

    /// Runs an operation on the connection that may wait; it says whether it is done.
    fn run(&self, wait: Wait, mut operation: impl FnMut(&mut State, Wait) -> io::Result<bool>) -> io::Result<()> {
        let mut state = self.context.state.borrow_mut();
        if self.context.interruptible {
            in_slices(wait, || is_terminated(self.env), |wait| operation(&mut state, wait))
        } else {
            operation(&mut state, wait).map(|_| ())
        }
    }

    fn result(&self, result: io::Result<f64>) -> sys::napi_value {
        let number = result.unwrap_or_else(|error| errno(&error).into());
        let mut value = ptr::null_mut();
        // SAFETY: the environment is alive, in a call of its own.
        unsafe { sys::napi_create_double(self.env, number, &mut value) };
        value
    }
}

/// Whether JavaScript can no longer run here, because the worker is being terminated.
pub(crate) fn is_terminated(env: sys::napi_env) -> bool {
    let mut value = ptr::null_mut();
    let mut same = false;
    // SAFETY: the environment is alive, in a call of its own. The comparison is one of the calls that Node refuses
    // when JavaScript cannot run; it has no effect of its own.
    unsafe {
        sys::napi_get_undefined(env, &mut value);
        sys::napi_strict_equals(env, value, value, &mut same) != sys::Status::napi_ok
    }
}

/// What all hot calls have in common: the arguments, and a result. A panic becomes an error like any other, since it must
/// not unwind into Node.
///
/// # Safety
/// `env` and `info` must be those of a call to a function that [`object`] has made.
unsafe fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    call: impl FnOnce(&Arguments) -> io::Result<f64>,
) -> sys::napi_value {
    let (mut count, mut values, mut data) = (4, [ptr::null_mut(); 4], ptr::null_mut());
    // SAFETY: the caller vouches for `env` and `info`; the array has the length that `count` says. Missing arguments
    // become `undefined`. The data is the context, which lives as long as the functions can be called.
    let arguments = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), ptr::null_mut(), &mut data);
        Arguments { env, values, context: &*data.cast() }
    };
    let result = panic::catch_unwind(AssertUnwindSafe(|| call(&arguments)));
    arguments.result(result.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())))
}

/// `read(slot, wait)`: receives messages into the inbox.
unsafe extern "C" fn read(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let call = |arguments: &Arguments| {
        let wait = arguments.wait(1);
        let mut status = 0;
        arguments.run(wait, |state, wait| {
            if wait == Wait::UntilTold {
                state.watch(arguments.slot(), None)?;
            }
            let (connection, memory) = state.connection(arguments.slot())?;
            let (arena, spans) = memory.inbox();
            let batch = connection.read_batch(arena, spans, wait)?;
            if let Some(length) = batch.body {
                memory.set_body_length(length);
            }
            status = batch.frames * 8
                + if batch.drained { DRAINED } else { 0 }
                + if batch.body.is_some() { BODY } else { 0 }
                + if batch.ended { ENDED } else { 0 };
            state.park(batch.drained.then_some(arguments.slot()));
            Ok(status > DRAINED)
        })?;
        Ok(status as f64)
    };
    // SAFETY: only Node calls this, with its own.
    unsafe { answer(env, info, call) }
}

/// `readBody(slot, target, wait)`: reads on in a large message; the number of bytes times 2, plus 1 when the stream has
/// ended.
unsafe extern "C" fn read_body(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let call = |arguments: &Arguments| {
        let target = arguments.bytes(1);
        let (mut filled, mut ended) = (0, false);
        arguments.run(arguments.wait(2), |state, wait| {
            if wait == Wait::UntilTold {
                state.watch(arguments.slot(), None)?;
            }
            let (connection, _) = state.connection(arguments.slot())?;
            filled += connection.read_body(&mut target[filled..], wait)?;
            ended = connection.end().is_some();
            Ok(filled == target.len() || ended)
        })?;
        Ok((filled * 2 + usize::from(ended)) as f64)
    };
    // SAFETY: only Node calls this, with its own.
    unsafe { answer(env, info, call) }
}

/// `flush(slot, count, wait)`: sends what is unsent and then the frames of the first `count` extents of the outbox,
/// each of which holds messages that lie behind their headers; the number of bytes that stay unsent.
unsafe extern "C" fn flush(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let call = |arguments: &Arguments| {
        let mut count = arguments.number(1) as usize;
        let mut unsent = 0;
        arguments.run(arguments.wait(2), |state, wait| {
            let (connection, memory) = state.connection(arguments.slot())?;
            let (outbox, extents) = memory.outbox();
            let mut slices = extents.chunks_exact(2).take(count).map(|extent| {
                let range = extent[0] as usize..extent[1] as usize;
                outbox.get(range).map(IoSlice::new).ok_or_else(|| io::ErrorKind::InvalidInput.into())
            });
            unsent = match (count, slices.next()) {
                (1, Some(slice)) => connection.write(&[slice?], wait)?,
                (_, first) => {
                    let slices: io::Result<Vec<_>> = first.into_iter().chain(slices).collect();
                    connection.write(&slices?, wait)?
                }
            };
            count = 0;
            Ok(unsent == 0)
        })?;
        Ok(unsent as f64)
    };
    // SAFETY: only Node calls this, with its own.
    unsafe { answer(env, info, call) }
}

/// `push(slot, message, progress, wait)`: sends what is unsent and then one message, without copying it; how many
/// bytes of its frame are on their way. When that is all of them, there is nothing unsent.
unsafe extern "C" fn push(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let call = |arguments: &Arguments| {
        let message = &*arguments.bytes(1);
        let total = Header::new(message.len() as u64).as_bytes().len() + message.len();
        let mut progress = arguments.number(2) as usize;
        arguments.run(arguments.wait(3), |state, wait| {
            let (connection, _) = state.connection(arguments.slot())?;
            progress = connection.push(message, progress, wait)?;
            Ok(progress == total)
        })?;
        Ok(progress as f64)
    };
    // SAFETY: only Node calls this, with its own.
    unsafe { answer(env, info, call) }
}

/// `watch(slot, forRoom)`: lets the reactor tell of bytes to receive, and with 1 of room to send, too.
unsafe extern "C" fn watch(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let call = |arguments: &Arguments| {
        let for_room = arguments.number(1) != 0.0;
        arguments.context.state.borrow_mut().watch(arguments.slot(), Some(for_room))?;
        Ok(0.0)
    };
    // SAFETY: only Node calls this, with its own.
    unsafe { answer(env, info, call) }
}

/// `keepAlive(yes)`: whether news that may come keeps the process alive.
unsafe extern "C" fn keep_alive(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let call = |arguments: &Arguments| {
        arguments.context.reactor.keep_alive(arguments.env, arguments.number(0) != 0.0);
        Ok(0.0)
    };
    // SAFETY: only Node calls this, with its own.
    unsafe { answer(env, info, call) }
}
