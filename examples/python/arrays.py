"""A worker that arrays.mjs starts: it gets numpy arrays, and sends numpy arrays."""
from multiprocessing.connection import Connection

import numpy

conn = Connection(3)
while True:
    try:
        matrix = conn.recv()
    except EOFError:
        break
    print(f'Python has a matrix of {matrix.shape} and {matrix.dtype}', flush=True)
    assert isinstance(matrix, numpy.ndarray)
    conn.send(matrix @ matrix.T)
