//! The two ends: the driver, which measures, and the responder, which connects to the driver's one-shot server.

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use ipc_channel::ipc::{IpcOneShotServer, IpcReceiver, IpcSender, channel};
use limit::rounds::{Round, serve};
use serde::{Deserialize, Serialize};

use crate::transport::Transport;

#[derive(Clone, Copy)]
pub(crate) enum Shape {
    RoundTrip,
    OneWay,
}

impl Shape {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "roundtrip" => Some(Self::RoundTrip),
            "oneway" => Some(Self::OneWay),
            _ => None,
        }
    }
}

/// The driver's ends of all channels, which the responder makes. An order is a round's count and whether it is whole;
/// a report says that the responder is ready for the round, or has received all of it.
#[derive(Deserialize, Serialize)]
struct DriverEnds<S, R> {
    orders: IpcSender<(u64, bool)>,
    reports: IpcReceiver<()>,
    there: S,
    back: R,
}

/// What the responder connects with.
type Meeting<T> = DriverEnds<<T as Transport>::Sender, <T as Transport>::Receiver>;

pub(crate) fn drive<T: Transport>(transport: &T, shape: Shape, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let (server, name) = IpcOneShotServer::<Meeting<T>>::new()?;
    let mut responder =
        Command::new(std::env::current_exe()?).args(["responder", name.as_str()]).args(arguments).spawn()?;
    let (_, ends) = server.accept()?;
    let drive_round = |round: Round| -> Result<_, Box<dyn Error>> {
        ends.orders.send((round.count, round.whole))?;
        ends.reports.recv()?;
        let start = Instant::now();
        for index in 0..round.count {
            transport.send(&ends.there, index)?;
            if let Shape::RoundTrip = shape {
                transport.check(index, &T::receive(&ends.back)?, round.whole)?;
            }
        }
        if let Shape::OneWay = shape {
            ends.reports.recv()?;
        }
        Ok(start.elapsed())
    };
    serve(|round| drive_round(round).map_err(|error| std::io::Error::other(error.to_string())))?;
    // No more orders: the responder ends.
    drop(ends);
    responder.wait()?;
    Ok(())
}

pub(crate) fn respond<T: Transport>(transport: &T, shape: Shape, server: &str) -> Result<(), Box<dyn Error>> {
    let (orders, ordered) = channel()?;
    let (reporter, reports) = channel()?;
    let (there, incoming) = T::channel()?;
    let (outgoing, back) = T::channel()?;
    IpcSender::<Meeting<T>>::connect(server.to_owned())?.send(DriverEnds { orders, reports, there, back })?;
    while let Ok((count, whole)) = ordered.recv() {
        reporter.send(())?;
        for index in 0..count {
            let message = T::receive(&incoming)?;
            match shape {
                Shape::RoundTrip => T::send_back(&outgoing, message)?,
                Shape::OneWay => transport.check(index, &message, whole)?,
            }
        }
        if let Shape::OneWay = shape {
            reporter.send(())?;
        }
    }
    Ok(())
}
