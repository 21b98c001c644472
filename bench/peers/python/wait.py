"""`python3 wait.py CONNECTIONS RUN`: what peers/wait does, with multiprocessing.connection."""

import os
import sys
from multiprocessing.connection import Client, Listener, Pipe, wait

from rounds import RING, check, ring, serve

CONNECTIONS = int(sys.argv[1])
RUN = int(sys.argv[2])
# As in peers/wait/connections.mjs.
STRIDE = 7919


def active_at(index):
    return index // RUN * STRIDE % CONNECTIONS


def respond(control, address):
    conns = [Client(address) for _ in range(CONNECTIONS)]
    while True:
        try:
            count = control.recv()
        except EOFError:
            return
        control.send(count)
        for index in range(count):
            conn = conns[active_at(index)]
            conn.send_bytes(ring[index % RING])
            check(index, conn.recv_bytes())


def main():
    listener = Listener(family='AF_UNIX', backlog=128)
    control, theirs = Pipe()
    if os.fork() == 0:
        control.close()
        respond(theirs, listener.address)
        os._exit(0)
    theirs.close()
    conns = [listener.accept() for _ in range(CONNECTIONS)]
    listener.close()

    def begin(count, _whole):
        control.send(count)
        control.recv()

    def drive(count, _whole):
        for index in range(count):
            ready = wait(conns)
            if len(ready) != 1 or ready[0] is not conns[active_at(index)]:
                raise ValueError(f'Wake-up {index}: another one is ready than has its turn')
            message = ready[0].recv_bytes()
            check(index, message)
            ready[0].send_bytes(message)

    serve(begin, drive)


main()
