//! One thread that serves many connections as they become ready.
//!
//! `cargo run --example event_loop`

use carom::frame::Span;
use carom::{Connection, Interest, LARGE, Poller, Wait, pipe};
use std::io;
use std::thread;

fn main() -> io::Result<()> {
    let mut poller = Poller::new()?;
    let registry = poller.registry()?;
    let mut connections = Vec::new();
    for number in 0..3 {
        let (mut ours, mut theirs) = pipe(true)?;
        registry.register(&mut ours, number, Interest::Read)?;
        connections.push(ours);
        thread::spawn(move || {
            for count in 1..=2 {
                let message = format!("message {count} of sender {number}");
                theirs.send(message.as_bytes(), Wait::Forever).expect("the other end is open");
            }
        });
    }

    // What is received lies here until the next batch, whichever connection it is of.
    let mut arena = vec![0; 2 * LARGE as usize];
    let mut spans = [Span::default(); 64];
    let mut open = connections.len();
    while open > 0 {
        for news in poller.wait(Wait::Forever)? {
            let connection = &mut connections[news.token];
            connection.told(news);
            open -= usize::from(serve(connection, &mut arena, &mut spans)?);
        }
    }
    println!("all have ended");
    Ok(())
}

/// Prints what has arrived: whether the connection has ended. It is asked until it says that it has no more, as it is
/// told of only once.
fn serve(connection: &mut Connection, arena: &mut [u8], spans: &mut [Span]) -> io::Result<bool> {
    loop {
        let batch = connection.read_batch(arena, spans, Wait::UntilTold)?;
        for span in &spans[..batch.frames] {
            let message = &arena[span.offset as usize..][..span.length as usize];
            println!("{}", String::from_utf8_lossy(message));
        }
        if let Some(length) = batch.body {
            let mut body = Vec::new();
            // A header is not to be trusted with memory: a part at a time.
            while (body.len() as u64) < length && connection.end().is_none() {
                let start = body.len();
                body.resize(start + (length - start as u64).min(LARGE) as usize, 0);
                let count = connection.read_body(&mut body[start..], Wait::Forever)?;
                body.truncate(start + count);
            }
            println!("a large one, of {} bytes", body.len());
        }
        if batch.ended || batch.drained {
            return Ok(batch.ended);
        }
    }
}
