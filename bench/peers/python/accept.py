"""`python3 accept.py IN_FLIGHT [threads|processes] [ACCEPTING]`: what peers/accept does, with multiprocessing.connection.

So many clients as threads of one process or as processes, and so many threads that accept.
"""

import os
import sys
import threading
from multiprocessing.connection import Client, Listener, Pipe

from rounds import RING, check, ring, serve

IN_FLIGHT = int(sys.argv[1])
FORM = sys.argv[2] if len(sys.argv) > 2 else 'processes'
ACCEPTING = int(sys.argv[3]) if len(sys.argv) > 3 else 1
AUTHKEY = b'the key of the benchmark, which is no secret'


def connect_all(address, indexes, whole):
    for index in indexes:
        conn = Client(address, authkey=AUTHKEY)
        if whole:
            conn.send_bytes(ring[index % RING])
            check(index, conn.recv_bytes())
        conn.close()


def respond(control, address, threads):
    while True:
        try:
            indexes, whole = control.recv()
        except EOFError:
            return
        control.send('ready')
        if threads == 1:
            connect_all(address, indexes, whole)
        else:
            workers = [
                threading.Thread(target=connect_all, args=(address, indexes[first::threads], whole))
                for first in range(threads)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        control.send(len(indexes))


def start_client(address, threads, others):
    control, theirs = Pipe()
    if os.fork() == 0:
        for each in (control, *others):
            each.close()
        respond(theirs, address, threads)
        os._exit(0)
    theirs.close()
    return control


def main():
    listener = Listener(family='AF_UNIX', backlog=511, authkey=AUTHKEY)
    processes, threads = (IN_FLIGHT, 1) if FORM == 'processes' else (1, IN_FLIGHT)
    controls = []
    for _ in range(processes):
        controls.append(start_client(listener.address, threads, controls))

    def begin(count, whole):
        for first, control in enumerate(controls):
            control.send((range(first, count, processes), whole))
        for control in controls:
            control.recv()

    def accept_some(count, whole):
        for _ in range(count):
            conn = listener.accept()
            if whole:
                message = conn.recv_bytes()
                check(int.from_bytes(message[:4], 'little'), message)
                conn.send_bytes(message)
            conn.close()

    def drive(count, whole):
        if ACCEPTING == 1:
            accept_some(count, whole)
        else:
            shares = [len(range(first, count, ACCEPTING)) for first in range(ACCEPTING)]
            workers = [threading.Thread(target=accept_some, args=(share, whole)) for share in shares]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        through = sum(control.recv() for control in controls)
        if through != count:
            raise ValueError(f'{through} of {count} clients are through')

    serve(begin, drive)


main()
