//! The loop reactor: Node's own libuv loop watches mio's descriptor, so that no thread stands between them.
//!
//! napi-rs wraps neither libuv nor callback scopes. The symbols are looked up in the running program, so that no
//! headers are needed; Bun exports them and aborts when they are called, so JavaScript asks for the thread there.

use super::{note, number, report_exception};
use crate::state::State;
use carom::{Poller, Wait};
use libloading::os::unix::Library;
use napi::{Error, Result, check_status, sys};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::io;
use std::iter::once;
use std::os::fd::AsRawFd;
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;

/// `UV_POLL` in `uv_handle_type`, and `UV_READABLE`. Source: libuv, `include/uv.h`.
const UV_POLL: c_int = 8;
const UV_READABLE: c_int = 1;

/// Whether mio's descriptor stops being readable once what it tells of is over, unasked. An epoll looks again each time;
/// a kqueue keeps what it once queued until it is asked, and libuv would call again and again.
const FORGETS: bool = cfg!(any(target_os = "linux", target_os = "android"));

type RawHandle = *mut c_void;

/// The functions of libuv that are needed. Source: libuv, `docs/src/poll.rst`, `handle.rst`.
pub(crate) struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    poll_init: unsafe extern "C" fn(*mut c_void, RawHandle, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(RawHandle, c_int, unsafe extern "C" fn(RawHandle, c_int, c_int)) -> c_int,
    set_data: unsafe extern "C" fn(RawHandle, *mut c_void),
    get_data: unsafe extern "C" fn(RawHandle) -> *mut c_void,
    reference: unsafe extern "C" fn(RawHandle),
    unreference: unsafe extern "C" fn(RawHandle),
    close: unsafe extern "C" fn(RawHandle, unsafe extern "C" fn(RawHandle)),
}

impl Uv {
    /// The running program's; `None` where it has no libuv.
    pub(crate) fn find() -> Option<&'static Uv> {
        static UV: OnceLock<Option<Uv>> = OnceLock::new();
        UV.get_or_init(Uv::look_up).as_ref()
    }

    fn look_up() -> Option<Uv> {
        let program = Library::this();
        // SAFETY: the types are those of libuv's documentation, stable within its major version 1, which all versions
        // of Node have. The program stays loaded, and so do its functions.
        unsafe {
            Some(Uv {
                handle_size: *program.get(b"uv_handle_size\0").ok()?,
                poll_init: *program.get(b"uv_poll_init\0").ok()?,
                poll_start: *program.get(b"uv_poll_start\0").ok()?,
                set_data: *program.get(b"uv_handle_set_data\0").ok()?,
                get_data: *program.get(b"uv_handle_get_data\0").ok()?,
                reference: *program.get(b"uv_ref\0").ok()?,
                unreference: *program.get(b"uv_unref\0").ok()?,
                close: *program.get(b"uv_close\0").ok()?,
            })
        }
    }
}

/// A reference to the reactor, valid while its environment runs JavaScript.
#[derive(Clone)]
pub(crate) struct Handle {
    raw: RawHandle,
    uv: &'static Uv,
}

impl Handle {
    pub(crate) fn keep_alive(&self, yes: bool) {
        // SAFETY: the handle is closed only by the environment's cleanup hook, after which no JavaScript calls this.
        unsafe { if yes { (self.uv.reference)(self.raw) } else { (self.uv.unreference)(self.raw) } }
    }

    pub(crate) fn wait(&self, state: &RefCell<State>, wait: Wait) -> io::Result<u32> {
        // SAFETY: as above; the handle's data was set before JavaScript got this reference.
        let watcher = unsafe { &*(self.uv.get_data)(self.raw).cast::<Watcher>() };
        let mut poller = watcher.poller.borrow_mut();
        let news = poller.wait_awake(wait)?;
        Ok(state.borrow_mut().told(news))
    }
}

/// What belongs to the handle: found through it in callbacks, freed when it is closed.
struct Watcher {
    uv: &'static Uv,
    raw: RawHandle,
    layout: Layout,
    env: sys::napi_env,
    context: sys::napi_async_context,
    dispatch: sys::napi_ref,
    cleanup: sys::napi_async_cleanup_hook_handle,
    poller: RefCell<Poller>,
    state: Rc<RefCell<State>>,
}

/// Starts watching; the handle does not keep the loop alive.
pub(crate) fn start(
    env: sys::napi_env,
    uv: &'static Uv,
    poller: Poller,
    state: Rc<RefCell<State>>,
    dispatch: sys::napi_value,
) -> Result<Handle> {
    let fd = poller.as_raw_fd();
    // SAFETY: all values belong to this environment. The handle's memory is as large and as aligned as libuv wants it,
    // and is freed in the callback of its close.
    unsafe {
        let mut uv_loop = ptr::null_mut();
        check_status!(sys::napi_get_uv_event_loop(env, &mut uv_loop))?;
        let mut name = ptr::null_mut();
        check_status!(sys::napi_create_string_utf8(env, c"carom".as_ptr(), 5, &mut name))?;
        let mut context = ptr::null_mut();
        check_status!(sys::napi_async_init(env, ptr::null_mut(), name, &mut context))?;
        let mut reference = ptr::null_mut();
        check_status!(sys::napi_create_reference(env, dispatch, 1, &mut reference))?;

        let layout = Layout::from_size_align((uv.handle_size)(UV_POLL), align_of::<u128>())
            .map_err(|_| Error::from_reason("carom: libuv states no size for its handles"))?;
        let raw: RawHandle = alloc_zeroed(layout).cast();
        if raw.is_null() || (uv.poll_init)(uv_loop.cast(), raw, fd) != 0 {
            return Err(Error::from_reason("carom: libuv cannot watch the poller's descriptor"));
        }
        let cleanup = ptr::null_mut();
        let (poller, dispatch) = (RefCell::new(poller), reference);
        let watcher = Watcher { uv, raw, layout, env, context, dispatch, cleanup, poller, state };
        let watcher = Box::into_raw(Box::new(watcher));
        (uv.set_data)(raw, watcher.cast());
        (uv.poll_start)(raw, UV_READABLE, on_news);
        (uv.unreference)(raw);
        check_status!(sys::napi_add_async_cleanup_hook(
            env,
            Some(on_cleanup),
            watcher.cast(),
            &mut (*watcher).cleanup
        ))?;
        Ok(Handle { raw, uv })
    }
}

/// mio has news: notes it and calls JavaScript once for all of it.
unsafe extern "C" fn on_news(raw: RawHandle, _status: c_int, _events: c_int) {
    let Some(uv) = Uv::find() else { return };
    // SAFETY: libuv calls this for a handle of ours between its start and its close, on the loop's thread; the handle's
    // data was set before that.
    let watcher = unsafe { &*(uv.get_data)(raw).cast::<Watcher>() };
    let count = note(|| {
        let (mut state, mut poller) = (watcher.state.borrow_mut(), watcher.poller.borrow_mut());
        match state.only_waiter().filter(|_| FORGETS) {
            // Whose news it is needs no system call when it can be nobody else's. mio keeps the news, and libuv calls
            // again, until the connection was read empty or mio was asked.
            Some(only) => state.told(once(only)),
            None => poller.wait(Wait::No).map_or(0, |news| state.told(news)),
        }
    });
    if count == 0 {
        return;
    }
    let env = watcher.env;
    // SAFETY: the environment is alive until the handle is closed. Nothing of ours is borrowed while JavaScript runs.
    unsafe {
        let mut scope = ptr::null_mut();
        sys::napi_open_handle_scope(env, &mut scope);
        let (mut dispatch, mut global, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        sys::napi_get_reference_value(env, watcher.dispatch, &mut dispatch);
        sys::napi_get_global(env, &mut global);
        let argument = number(env, count);
        watcher.state.borrow_mut().memory.set_telling(true);
        let status = sys::napi_make_callback(env, watcher.context, global, dispatch, 1, &argument, &mut result);
        // Most receives end and begin again meanwhile, which JavaScript need not call for.
        watcher.state.borrow_mut().memory.set_telling(false);
        let keeps_alive = watcher.state.borrow().memory.keeps_alive();
        Handle { raw, uv }.keep_alive(keeps_alive);
        if status == sys::Status::napi_pending_exception {
            report_exception(env);
        }
        sys::napi_close_handle_scope(env, scope);
    }
}

/// The environment ends: it waits until the handle is closed.
unsafe extern "C" fn on_cleanup(_hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    let watcher: *mut Watcher = data.cast();
    // SAFETY: Node calls this once, with what was registered.
    unsafe { ((*watcher).uv.close)((*watcher).raw, on_closed) }
}

unsafe extern "C" fn on_closed(raw: RawHandle) {
    let Some(uv) = Uv::find() else { return };
    // SAFETY: libuv calls this once and does not touch the handle afterwards; the watcher was boxed in `start`.
    unsafe {
        let watcher = Box::from_raw((uv.get_data)(raw).cast::<Watcher>());
        sys::napi_delete_reference(watcher.env, watcher.dispatch);
        sys::napi_async_destroy(watcher.env, watcher.context);
        dealloc(raw.cast(), watcher.layout);
        sys::napi_remove_async_cleanup_hook(watcher.cleanup);
    }
}
