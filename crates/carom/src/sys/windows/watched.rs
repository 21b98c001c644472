//! What is only watched: the end of processes. There is no readiness of other handles here.

use super::alarm::Alarm;
use super::objects::wait_for_any;
use super::poll::{Registry, Source};
use super::process::open_process;
use super::{RawDescriptor, unsupported};
use crate::readiness::Readiness;
use crate::wait::Wait;
use mio::{Interest, Token};
use std::io;
use std::os::windows::io::{AsHandle, OwnedHandle};
use windows_sys::Win32::System::Threading::PROCESS_SYNCHRONIZE;

/// A process.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Before the process, which stays open as long as the alarm is set.
    alarm: Option<Alarm>,
    process: OwnedHandle,
}

impl Watched {
    pub(crate) fn of(_descriptor: RawDescriptor) -> io::Result<Watched> {
        Err(unsupported("a handle cannot be watched"))
    }

    pub(crate) fn of_process(pid: u32) -> io::Result<Watched> {
        Ok(Watched { alarm: None, process: open_process(pid, PROCESS_SYNCHRONIZE)? })
    }

    pub(crate) fn is_readable(&self) -> io::Result<bool> {
        wait_for_any(&[self.process.as_handle()], Wait::No)
    }
}

impl Source for Watched {
    fn register(&mut self, registry: &Registry, token: Token, _interests: Interest) -> io::Result<()> {
        let news = Readiness { token: token.0, readable: true, hangup: true, writable: false };
        let alarm = Alarm::new(registry.teller(news))?;
        alarm.set(self.process.as_handle());
        self.alarm = Some(alarm);
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.register(registry, token, interests)
    }

    fn deregister(&mut self, _registry: &Registry) -> io::Result<()> {
        if let Some(alarm) = self.alarm.take() {
            alarm.end();
        }
        Ok(())
    }
}
