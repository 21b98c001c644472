"""`python3 exchange.py MODULE roundtrip|oneway|oneway-into bytes|objects SIZE [FD]`: round trips and one way, over a Pipe.

MODULE is multiprocessing or billiard. Objects are pickled, by `send` and `recv`. With a descriptor the driver is another
program, at the other end of that.
"""

import importlib
import os
import sys

from messages import Bytes, Objects
from rounds import serve

MODULE, SHAPE, KIND, SIZE = sys.argv[1:5]
messages = Bytes(int(SIZE)) if KIND == 'bytes' else Objects()
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
    acknowledge(conn, count)


def receive_all_into(conn, count, whole):
    buffer = bytearray(len(ring[0]))
    view = memoryview(buffer)
    for index in range(count):
        check(index, view[: conn.recv_bytes_into(buffer)], whole)
    acknowledge(conn, count)


def acknowledge(conn, count):
    send, _ = methods(conn)
    send(messages.order(count, False))


def ping_pong(conn, count, whole):
    send, recv = methods(conn)
    for index in range(count):
        send(ring[index % length])
        check(index, recv(), whole)


def send_all(conn, count, _whole):
    send, recv = methods(conn)
    for index in range(count):
        send(ring[index % length])
    through, _ = messages.read_order(recv())
    if through != count:
        raise ValueError(f'{through} of {count} messages have arrived')


DRIVE, RESPOND = {
    'roundtrip': (ping_pong, echo),
    'oneway': (send_all, receive_all),
    'oneway-into': (send_all, receive_all_into),
}[SHAPE]


def respond(conn):
    send, recv = methods(conn)
    while True:
        order = recv()
        count, whole = messages.read_order(order)
        if count == 0:
            return
        send(order)
        RESPOND(conn, count, whole)


def main(connection):
    conn, theirs = connection.Pipe()
    if os.fork() == 0:
        conn.close()
        respond(theirs)
        os._exit(0)
    theirs.close()
    send, recv = methods(conn)

    def begin(count, whole):
        send(messages.order(count, whole))
        recv()

    serve(begin, lambda count, whole: DRIVE(conn, count, whole))
    send(messages.order(0, False))
    os.wait()


module = importlib.import_module(f'{MODULE}.connection')
if len(sys.argv) > 5:
    respond(module.Connection(int(sys.argv[5])))
else:
    main(module)
