//! What the two kinds of messages differ in: their channels, and how one is sent, received and checked.

use std::error::Error;
use std::io;

use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, bytes_channel};
use limit::messages::Messages;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Channels of one kind of messages.
pub(crate) trait Transport {
    /// An end that can itself be sent.
    type Sender: Serialize + DeserializeOwned;
    /// An end that can itself be sent.
    type Receiver: Serialize + DeserializeOwned;
    /// What is received.
    type Message;

    /// A new channel.
    fn channel() -> io::Result<(Self::Sender, Self::Receiver)>;
    /// Sends message `index` of a round.
    fn send(&self, sender: &Self::Sender, index: u64) -> Result<(), Box<dyn Error>>;
    /// The next message.
    fn receive(receiver: &Self::Receiver) -> Result<Self::Message, Box<dyn Error>>;
    /// Sends what was received.
    fn send_back(sender: &Self::Sender, message: Self::Message) -> Result<(), Box<dyn Error>>;
    /// Refuses anything but message `index`; `whole` compares all of it.
    fn check(&self, index: u64, message: &Self::Message, whole: bool) -> io::Result<()>;
}

/// Bytes, which ipc-channel carries without serializing them.
pub(crate) struct Bytes {
    messages: Messages,
}

impl Bytes {
    /// Messages of `size` bytes.
    pub(crate) fn new(size: usize) -> io::Result<Self> {
        Ok(Self { messages: Messages::new(size)? })
    }
}

impl Transport for Bytes {
    type Sender = IpcBytesSender;
    type Receiver = IpcBytesReceiver;
    type Message = Vec<u8>;

    fn channel() -> io::Result<(IpcBytesSender, IpcBytesReceiver)> {
        bytes_channel()
    }

    fn send(&self, sender: &IpcBytesSender, index: u64) -> Result<(), Box<dyn Error>> {
        Ok(sender.send(self.messages.get(index))?)
    }

    fn receive(receiver: &IpcBytesReceiver) -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(receiver.recv()?)
    }

    fn send_back(sender: &IpcBytesSender, message: Vec<u8>) -> Result<(), Box<dyn Error>> {
        Ok(sender.send(&message)?)
    }

    fn check(&self, index: u64, message: &Vec<u8>, whole: bool) -> io::Result<()> {
        self.messages.check(index, message, whole)
    }
}
