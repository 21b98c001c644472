"""`python3 exchange.py MODULE roundtrip|oneway|oneway-into bytes|objects [SIZE]`: the round trips and one way, over a Pipe.

MODULE is multiprocessing or billiard. Objects are pickled, by `send` and `recv`.
"""

import importlib
import os
import sys

from messages import Bytes, Objects
from rounds import serve

MODULE, SHAPE, KIND = sys.argv[1:4]
messages = Bytes(int(sys.argv[4])) if KIND == 'bytes' else Objects()
ring, length, check = messages.ring, messages.length, messages.check


def methods(conn):
    return (conn.send_bytes, conn.recv_bytes) if KIND == 'bytes' else (conn.send, conn.recv)


def echo(conn, count, _whole):
    send, recv = methods(conn)
    for _ in range(count):
        send(recv())


def receive_all(conn, count, whole):
    _, recv = methods(conn)
    for index in range(count):
        check(index, recv(), whole)
    conn.send(count)


def receive_all_into(conn, count, whole):
    buffer = bytearray(len(ring[0]))
    view = memoryview(buffer)
    for index in range(count):
        check(index, view[: conn.recv_bytes_into(buffer)], whole)
    conn.send(count)


def ping_pong(conn, count, whole):
    send, recv = methods(conn)
    for index in range(count):
        send(ring[index % length])
        check(index, recv(), whole)


def send_all(conn, count, _whole):
    send, _ = methods(conn)
    for index in range(count):
        send(ring[index % length])
    through = conn.recv()
    if through != count:
        raise ValueError(f'{through} of {count} messages have arrived')


DRIVE, RESPOND = {
    'roundtrip': (ping_pong, echo),
    'oneway': (send_all, receive_all),
    'oneway-into': (send_all, receive_all_into),
}[SHAPE]


def respond(conn):
    while True:
        try:
            count, whole = conn.recv()
        except EOFError:
            return
        conn.send(count)
        RESPOND(conn, count, whole)


def main():
    conn, theirs = importlib.import_module(f'{MODULE}.connection').Pipe()
    if os.fork() == 0:
        conn.close()
        respond(theirs)
        os._exit(0)
    theirs.close()

    def begin(count, whole):
        conn.send((count, whole))
        conn.recv()

    serve(begin, lambda count, whole: DRIVE(conn, count, whole))


main()
