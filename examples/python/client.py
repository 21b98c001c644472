"""A client of the server in clients.mjs: plain multiprocessing, as if a Python listened there."""
import sys
from multiprocessing.connection import Client

address, number = sys.argv[1], int(sys.argv[2])

with Client(address, authkey=b'secret') as conn:
    for i in range(3):
        conn.send({'from': f'client {number}', 'values': [number, i, 0.5]})
        print(f'Client {number} got {conn.recv()}', flush=True)
