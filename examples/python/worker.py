"""A worker that worker.mjs starts: its end of the pipe is its descriptor 3."""
import statistics
from multiprocessing.connection import Connection

conn = Connection(3)
while True:
    try:
        samples = conn.recv()
    except EOFError:  # Node has closed its end.
        break
    conn.send({'mean': statistics.mean(samples), 'median': statistics.median(samples)})
