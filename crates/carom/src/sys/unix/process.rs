//! Waiting for a child process: `waitid` with `WNOWAIT` leaves it to whoever started it.

use crate::process::ExitStatus;
use crate::wait::Wait;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};
use std::io;
use std::time::Duration;

pub(crate) fn wait_for_exit(pid: u32, wait: Wait) -> io::Result<Option<ExitStatus>> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::CHILD)?;
    let status = if wait == Wait::Forever {
        look(pid, WaitIdOptions::empty())?
    } else {
        // The first look also finds out that there is no such child, for which nobody should wait.
        match look(pid, WaitIdOptions::NOHANG)? {
            None if wait.left().is_some() => {
                sleep_until_exit(pid, wait)?;
                look(pid, WaitIdOptions::NOHANG)?
            }
            status => status,
        }
    };
    Ok(status.and_then(|status| match status.exit_status() {
        Some(code) => Some(ExitStatus::Code(code)),
        None => status.terminating_signal().map(ExitStatus::Signal),
    }))
}

fn look(pid: Pid, block: WaitIdOptions) -> rustix::io::Result<Option<WaitIdStatus>> {
    retry_on_intr(|| waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | block))
}

/// Sleeps until the process has ended or the time ran out.
#[cfg(target_os = "linux")]
fn sleep_until_exit(pid: Pid, wait: Wait) -> rustix::io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{PidfdFlags, pidfd_open};

    // Kernels before 5.3 and some sandboxes know no such call.
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return look_again_until_exit(pid, wait) };
    while let Some(left) = wait.left() {
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref()) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
use look_again_until_exit as sleep_until_exit;

/// Without a descriptor for the process there is nothing to sleep on: looks again, at growing intervals.
fn look_again_until_exit(pid: Pid, wait: Wait) -> rustix::io::Result<()> {
    let mut pause = Duration::from_micros(200);
    while let Some(left) = wait.left() {
        if look(pid, WaitIdOptions::NOHANG)?.is_some() {
            break;
        }
        std::thread::sleep(left.map_or(pause, |left| left.min(pause)));
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    Ok(())
}
