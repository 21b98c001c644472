//! The thread reactor: a thread waits, and wakes Node's loop by a threadsafe function.

use super::{note, number, report_exception, to_napi};
use crate::state::State;
use carom::{MAX_NEWS, Poller, Readiness, Wait, Waker};
use napi::{Result, check_status, sys};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The token of the waker, which no connection's slot reaches.
const WAKER: usize = usize::MAX;

/// A reference to the reactor, valid while its environment runs JavaScript.
#[derive(Clone)]
pub(crate) struct Handle {
    function: sys::napi_threadsafe_function,
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn keep_alive(&self, env: sys::napi_env, yes: bool) {
        // SAFETY: the function is released only by the environment's cleanup hook, after which no JavaScript calls
        // this; this is the environment's thread.
        unsafe {
            if yes {
                sys::napi_ref_threadsafe_function(env, self.function);
            } else {
                sys::napi_unref_threadsafe_function(env, self.function);
            }
        }
    }

    pub(crate) fn wait(&self, state: &RefCell<State>, wait: Wait) -> u32 {
        let mut exchange = self.shared.lock();
        if wait.left().is_none() {
            exchange = self.shared.look(exchange);
        }
        while let Some(left) = wait.left().filter(|_| exchange.news.is_empty() && !exchange.ended) {
            exchange = self.shared.sleep(exchange, left);
        }
        // What does not fit into the table stays for the call that is on its way.
        let tokens: Vec<_> = exchange.news.keys().copied().take(MAX_NEWS).collect();
        let news: Vec<_> = tokens.iter().filter_map(|token| exchange.news.remove(token)).collect();
        drop(exchange);
        state.borrow_mut().told(news.into_iter())
    }
}

/// What both threads see.
struct Shared {
    exchange: Mutex<Exchange>,
    /// Told when the exchange has changed, for an environment's thread that blocks until it does.
    changed: Condvar,
    waker: Waker,
    stop: AtomicBool,
    function: Function,
}

#[derive(Default)]
struct Exchange {
    /// What JavaScript has not taken yet, by token: however long it is busy, no more than there are connections.
    news: HashMap<usize, Readiness>,
    /// How often the thread was asked to look at once, and how many of these it has answered.
    asked: u64,
    answered: u64,
    /// The thread has ended.
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep<'lock>(
        &self,
        exchange: MutexGuard<'lock, Exchange>,
        limit: Option<Duration>,
    ) -> MutexGuard<'lock, Exchange> {
        match limit {
            Some(limit) => self.changed.wait_timeout(exchange, limit).unwrap_or_else(PoisonError::into_inner).0,
            None => self.changed.wait(exchange).unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Waits until the thread has told of all that is ready now.
    fn look<'lock>(&'lock self, mut exchange: MutexGuard<'lock, Exchange>) -> MutexGuard<'lock, Exchange> {
        exchange.asked += 1;
        let question = exchange.asked;
        if self.waker.wake().is_ok() {
            while exchange.answered < question && !exchange.ended {
                exchange = self.sleep(exchange, None);
            }
        }
        exchange
    }
}

/// A threadsafe function, as its name says.
struct Function(sys::napi_threadsafe_function);

// SAFETY: Node-API allows it to be called from any thread until it is released, which happens after the thread that
// calls it was joined.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

/// What the environment's thread needs in the function's callback.
struct Receiver {
    shared: RefCell<Option<Arc<Shared>>>,
    state: Rc<RefCell<State>>,
}

/// What ends the thread, and what is open then.
struct Cleanup {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    state: Rc<RefCell<State>>,
}

/// Starts the thread; the function does not keep the loop alive.
pub(crate) fn start(
    env: sys::napi_env,
    poller: Poller,
    state: Rc<RefCell<State>>,
    dispatch: sys::napi_value,
) -> Result<Handle> {
    let waker = poller.registry().and_then(|registry| registry.waker(WAKER)).map_err(to_napi)?;
    let receiver = Box::into_raw(Box::new(Receiver { shared: RefCell::new(None), state: Rc::clone(&state) }));
    let mut function = ptr::null_mut();
    // SAFETY: all values belong to this environment; the receiver is freed by the function's finalizer, the last thing
    // that is called with it.
    unsafe {
        let mut name = ptr::null_mut();
        check_status!(sys::napi_create_string_utf8(env, c"carom".as_ptr(), 5, &mut name))?;
        check_status!(sys::napi_create_threadsafe_function(
            env,
            dispatch,
            ptr::null_mut(),
            name,
            0,
            1,
            receiver.cast(),
            Some(on_released),
            receiver.cast(),
            Some(on_news),
            &mut function,
        ))?;
        check_status!(sys::napi_unref_threadsafe_function(env, function))?;
    }
    let shared = Arc::new(Shared {
        exchange: Mutex::default(),
        changed: Condvar::new(),
        waker,
        stop: AtomicBool::new(false),
        function: Function(function),
    });
    // SAFETY: the receiver lives until the function is released.
    unsafe { (*receiver).shared.replace(Some(Arc::clone(&shared))) };
    let for_thread = Arc::clone(&shared);
    let thread =
        thread::Builder::new().name("carom".into()).spawn(move || run(poller, &for_thread)).map_err(to_napi)?;
    let handle = Handle { function, shared: Arc::clone(&shared) };
    let cleanup = Box::new(Cleanup { shared, thread: Some(thread), state });
    // SAFETY: Node calls the hook once, with the box.
    check_status!(unsafe { sys::napi_add_env_cleanup_hook(env, Some(on_cleanup), Box::into_raw(cleanup).cast()) })?;
    Ok(handle)
}

/// The thread: hands over what it learns, with one call for all that JavaScript has not taken yet.
fn run(mut poller: Poller, shared: &Shared) {
    let (mut asked, mut answered) = (0, 0);
    while !shared.stop.load(Ordering::Acquire) {
        let wait = if asked > answered { Wait::No } else { Wait::Forever };
        let Ok(news) = poller.wait(wait) else { break };
        let mut exchange = shared.lock();
        let called = !exchange.news.is_empty();
        for readiness in news.filter(|readiness| readiness.token != WAKER) {
            exchange.news.entry(readiness.token).and_modify(|earlier| *earlier |= readiness).or_insert(readiness);
        }
        let call = !called && !exchange.news.is_empty();
        // What was asked after this look had begun is for the next one.
        answered = asked;
        asked = exchange.asked;
        exchange.answered = answered;
        drop(exchange);
        shared.changed.notify_one();
        if call {
            // SAFETY: the function is released only after this thread was joined.
            unsafe {
                sys::napi_call_threadsafe_function(
                    shared.function.0,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
            }
        }
    }
    shared.lock().ended = true;
    shared.changed.notify_one();
}

/// On the environment's thread: JavaScript takes the news, as much at once as its table holds.
unsafe extern "C" fn on_news(env: sys::napi_env, dispatch: sys::napi_value, receiver: *mut c_void, _data: *mut c_void) {
    if env.is_null() {
        return;
    }
    // SAFETY: the receiver lives until the function is released.
    let receiver = unsafe { &*receiver.cast::<Receiver>() };
    let Some(shared) = receiver.shared.borrow().clone() else { return };
    let news = std::mem::take(&mut shared.lock().news);
    let news: Vec<_> = news.into_values().collect();
    for part in news.chunks(MAX_NEWS) {
        let count = note(|| receiver.state.borrow_mut().told(part.iter().copied()));
        let (mut undefined, mut result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: Node calls this with a live environment and a callback scope open. Nothing of ours is borrowed while
        // JavaScript runs.
        unsafe {
            sys::napi_get_undefined(env, &mut undefined);
            let argument = number(env, count);
            let status = sys::napi_call_function(env, undefined, dispatch, 1, &argument, &mut result);
            if status == sys::Status::napi_pending_exception {
                report_exception(env);
            }
        }
    }
}

/// The environment ends: first the thread, then the function that it calls.
unsafe extern "C" fn on_cleanup(cleanup: *mut c_void) {
    // SAFETY: Node calls this once, with the box that was registered.
    let mut cleanup = unsafe { Box::from_raw(cleanup.cast::<Cleanup>()) };
    cleanup.shared.stop.store(true, Ordering::Release);
    _ = cleanup.shared.waker.wake();
    if let Some(thread) = cleanup.thread.take() {
        _ = thread.join();
    }
    // Deno does not call the finalizers that the state would go with when it terminates a worker.
    cleanup.state.borrow_mut().close_all();
    // SAFETY: nobody calls the function any more.
    unsafe {
        sys::napi_release_threadsafe_function(cleanup.shared.function.0, sys::ThreadsafeFunctionReleaseMode::abort);
    }
}

unsafe extern "C" fn on_released(_env: sys::napi_env, receiver: *mut c_void, _hint: *mut c_void) {
    // SAFETY: Node calls this once, after the last call of the function.
    drop(unsafe { Box::from_raw(receiver.cast::<Receiver>()) });
}
