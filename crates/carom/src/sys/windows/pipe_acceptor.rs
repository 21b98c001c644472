//! The server of a named pipe.
//!
//! Each client gets an instance of the pipe of its own. As many as the backlog allows wait for the next clients: one
//! that finds none of them is told that the pipe is busy, and tries again.

use super::RawDescriptor;
use super::alarm::Alarm;
use super::instance::{first_instance, further_instance};
use super::objects::{MAX_OBJECTS, wait_for_any};
use super::operation::Operation;
use super::pipe::{Pipe, check_name};
use super::poll::{Registry, Source};
use super::security::OwnerOnly;
use crate::address::Address;
use crate::readiness::Readiness;
use crate::wait::Wait;
use mio::{Interest, Token};
use std::collections::VecDeque;
use std::io;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{ERROR_NO_DATA, ERROR_PIPE_CONNECTED};

/// The most instances that wait for clients, whatever the backlog: each takes memory of the system.
const MAX_WAITING: usize = 16;
const _: () = assert!(MAX_WAITING <= MAX_OBJECTS);

/// The server of a named pipe.
#[derive(Debug)]
pub(crate) struct PipeAcceptor {
    address: Address,
    security: OwnerOnly,
    /// In the order in which clients find them.
    waiting: VecDeque<Instance>,
    /// What those that wait are to tell with.
    news: Option<(Registry, Readiness)>,
}

/// One that waits for its client.
#[derive(Debug)]
struct Instance {
    alarm: Option<Alarm>,
    connecting: Operation,
    /// The client came before it was waited for.
    connected: bool,
    handle: OwnedHandle,
}

impl Instance {
    fn new(handle: OwnedHandle) -> io::Result<Instance> {
        let mut instance = Instance { alarm: None, connecting: Operation::new()?, connected: false, handle };
        instance.begin()?;
        Ok(instance)
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.connecting.await_client(&self.handle) {
            // Also of one that has come and gone: what it has sent is there.
            Err(error) if is_there(&error) => self.connected = true,
            result => result?,
        }
        Ok(())
    }

    /// Has the poller told of a client that is there or comes.
    fn tell(&mut self, (registry, news): &(Registry, Readiness)) -> io::Result<()> {
        let alarm = Alarm::new(registry.teller(*news))?;
        if self.is_ready() {
            alarm.tell();
        } else {
            alarm.set(self.connecting.event());
        }
        self.alarm = Some(alarm);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.connected || !self.connecting.is_pending()
    }

    /// Another handle of it, as this one waits for its client.
    fn into_handle(self) -> io::Result<OwnedHandle> {
        self.handle.try_clone()
    }

    /// Of one that is ready: false when its thread has ended and it had to wait anew.
    fn has_client(&mut self) -> io::Result<bool> {
        if !self.connected {
            match self.connecting.result(&self.handle) {
                Err(error) if is_there(&error) => {}
                Err(_) => {
                    self.begin()?;
                    if let Some(alarm) = &self.alarm {
                        alarm.set(self.connecting.event());
                    }
                    return Ok(self.connected);
                }
                Ok(_) => {}
            }
            self.connected = true;
        }
        Ok(true)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.alarm = None;
        if self.connecting.is_pending() {
            _ = self.connecting.cancel(&self.handle);
        }
    }
}

fn is_there(error: &io::Error) -> bool {
    [ERROR_PIPE_CONNECTED, ERROR_NO_DATA].iter().any(|&code| error.raw_os_error() == Some(code as i32))
}

impl PipeAcceptor {
    pub(super) fn bind(name: &str, backlog: u32) -> io::Result<PipeAcceptor> {
        check_name(name)?;
        let address = Address::Local(name.to_owned());
        let security = OwnerOnly::new()?;
        let mut waiting = VecDeque::from([Instance::new(first_instance(name, &security)?)?]);
        while waiting.len() < MAX_WAITING.min(backlog as usize) {
            waiting.push_back(Instance::new(further_instance(name, &security)?)?);
        }
        Ok(PipeAcceptor { address, security, waiting, news: None })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// That of the instance for the next client.
    pub(super) fn raw_descriptor(&self) -> RawDescriptor {
        self.waiting.front().map_or(-1, |instance| instance.handle.as_raw_handle() as RawDescriptor)
    }

    /// The pipe exists as long as one of its instances does, so that another is made before one is given away.
    pub(super) fn accept(&mut self) -> io::Result<Pipe> {
        let mut found = None;
        for (place, instance) in self.waiting.iter_mut().enumerate() {
            if instance.is_ready() && instance.has_client()? {
                found = Some(place);
                break;
            }
        }
        let place = found.ok_or(io::ErrorKind::WouldBlock)?;
        let mut further = Instance::new(further_instance(&self.address.to_string(), &self.security)?)?;
        if let Some(news) = &self.news {
            further.tell(news)?;
        }
        self.waiting.push_back(further);
        let Some(instance) = self.waiting.remove(place) else { return Err(io::ErrorKind::WouldBlock.into()) };
        Pipe::of_server(instance.into_handle()?, &self.address)
    }

    pub(super) fn wait(&self, wait: Wait) -> io::Result<bool> {
        if self.waiting.iter().any(Instance::is_ready) {
            return Ok(true);
        }
        let events: Vec<_> = self.waiting.iter().map(|instance| instance.connecting.event()).collect();
        wait_for_any(&events, wait)
    }
}

impl Source for PipeAcceptor {
    fn register(&mut self, registry: &Registry, token: Token, _interests: Interest) -> io::Result<()> {
        let readable = Readiness { token: token.0, readable: true, hangup: false, writable: false };
        let news = (registry.try_clone()?, readable);
        self.waiting.iter_mut().try_for_each(|instance| instance.tell(&news))?;
        self.news = Some(news);
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.register(registry, token, interests)
    }

    fn deregister(&mut self, _registry: &Registry) -> io::Result<()> {
        self.news = None;
        self.waiting.iter_mut().filter_map(|instance| instance.alarm.take()).for_each(Alarm::end);
        Ok(())
    }
}
