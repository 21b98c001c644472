//! Small objects, the same as those of `bench/works/messages.mjs`.

use std::error::Error;
use std::io;

use ipc_channel::ipc::{IpcReceiver, IpcSender, channel};
use serde::{Deserialize, Serialize};

use crate::transport::Transport;

const RING: u32 = 1024;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Object {
    id: u32,
    name: String,
    tags: Vec<String>,
    nested: Nested,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Nested {
    value: f64,
    ok: bool,
}

/// Objects over a typed channel, which serializes them.
pub(crate) struct Objects {
    ring: Vec<Object>,
}

impl Objects {
    /// A ring of unchanging ones.
    pub(crate) fn new() -> Self {
        Self { ring: (0..RING).map(object).collect() }
    }

    fn get(&self, index: u64) -> &Object {
        &self.ring[(index % u64::from(RING)) as usize]
    }
}

impl Transport for Objects {
    type Sender = IpcSender<Object>;
    type Receiver = IpcReceiver<Object>;
    type Message = Object;

    fn channel() -> io::Result<(IpcSender<Object>, IpcReceiver<Object>)> {
        channel()
    }

    /// A sender takes what it sends.
    fn send(&self, sender: &IpcSender<Object>, index: u64) -> Result<(), Box<dyn Error>> {
        Ok(sender.send(self.get(index).clone())?)
    }

    fn receive(receiver: &IpcReceiver<Object>) -> Result<Object, Box<dyn Error>> {
        Ok(receiver.recv()?)
    }

    fn send_back(sender: &IpcSender<Object>, message: Object) -> Result<(), Box<dyn Error>> {
        Ok(sender.send(message)?)
    }

    fn check(&self, index: u64, message: &Object, whole: bool) -> io::Result<()> {
        let sent = self.get(index);
        let same = if whole {
            message == sent
        } else {
            message.id == sent.id && message.tags.len() == sent.tags.len() && message.nested.value == sent.nested.value
        };
        if same { Ok(()) } else { Err(io::Error::other(format!("message {index} is not the one that was sent"))) }
    }
}

fn object(number: u32) -> Object {
    Object {
        id: number,
        name: format!("sensor-{}", number % 64),
        tags: vec!["indoor".to_owned(), if number % 2 == 1 { "odd" } else { "even" }.to_owned()],
        nested: Nested { value: f64::from(number) + 0.5, ok: true },
    }
}
