//! A parent that asks and a child process that answers, over a pipe that the child has as its standard input.
//!
//! `cargo run --example parent_and_child`

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("child") => child(),
        _ => parent(),
    }
}

#[cfg(unix)]
fn parent() -> Result<(), Box<dyn std::error::Error>> {
    use carom::{Connection, Wait};
    use std::os::fd::{IntoRawFd, OwnedFd};
    use std::os::unix::net::UnixStream;
    use std::process::Command;
    use std::time::Duration;

    let (ours, theirs) = UnixStream::pair()?;
    let program = std::env::current_exe()?;
    let mut child = Command::new(program).arg("child").stdin(OwnedFd::from(theirs)).spawn()?;

    let mut connection = Connection::from_raw(ours.into_raw_fd(), Vec::new(), true, true)?;
    for question in ["pipes", "connections"] {
        connection.send(question.as_bytes(), Wait::Forever)?;
        let answer = connection.recv(Wait::at_most(Duration::from_secs(5)))?;
        println!("{question}: {}", String::from_utf8_lossy(&answer));
    }

    // The end of the stream tells the child that there are no more questions.
    drop(connection);
    println!("the child ended: {}", child.wait()?);
    Ok(())
}

#[cfg(unix)]
fn child() -> Result<(), Box<dyn std::error::Error>> {
    use carom::{Connection, End, Error, Wait};
    use std::os::fd::{AsFd, IntoRawFd};

    let descriptor = std::io::stdin().as_fd().try_clone_to_owned()?.into_raw_fd();
    let mut connection = Connection::from_raw(descriptor, Vec::new(), true, true)?;
    loop {
        match connection.recv(Wait::Forever) {
            Ok(question) => connection.send(&question.to_ascii_uppercase(), Wait::Forever)?,
            Err(Error::Ended) if matches!(connection.end(), Some(End::Eof(_))) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(not(unix))]
fn main() {
    println!("This example hands a Unix socket to its child.");
}
