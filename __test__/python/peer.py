"""The other end of a test: a listener or clients of multiprocessing or billiard, with any Python from 3.6 on.

`python3 peer.py multiprocessing|billiard ROLE SETTING`, with JSON that says what it is to do. It reports by lines of JSON.
"""
import importlib
import json
import os
import subprocess
import sys
import threading
import zlib

connection = importlib.import_module(sys.argv[1] + ".connection")


def report(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def address_of(given):
    if isinstance(given, dict):
        return given["host"], given["port"]
    # Python has abstract names as bytes, since 3.7.
    return given.encode() if given.startswith("\0") and sys.version_info >= (3, 7) else given


def pattern(size):
    return bytes(i * 7 % 251 for i in range(min(size, 251))) * (size // 251 + 1)


def failure(error):
    return {"error": type(error).__name__, "text": str(error)}


def listen(setting):
    """Accepts so many times; sends back what each one sends, until it hangs up."""
    given = setting["address"]
    listener = connection.Listener(
        given if given is None else address_of(given), setting["family"], 16, setting.get("authkey", "").encode() or None
    )
    at = listener.address
    report({"host": at[0], "port": at[1]} if isinstance(at, tuple) else at.decode() if isinstance(at, bytes) else at)
    for _ in range(setting["times"]):
        try:
            conn = listener.accept()
        except Exception as error:
            report(failure(error))
            continue
        count = 0
        try:
            while True:
                conn.send_bytes(conn.recv_bytes())
                count += 1
        except EOFError:
            report({"echoed": count})
        conn.close()
    listener.close()


def connect(setting):
    """Connects; sends messages of those sizes, and expects them back."""
    try:
        conn = connection.Client(
            address_of(setting["address"]), setting["family"], setting.get("authkey", "").encode() or None
        )
    except Exception as error:
        report(failure(error))
        return
    for size in setting["sizes"]:
        message = pattern(size)[:size]
        conn.send_bytes(message)
        if conn.recv_bytes() != message:
            report({"error": "changed", "text": str(size)})
            return
    conn.close()
    report({"sent": len(setting["sizes"])})


def wait(setting):
    """Connects several times, says which it is on each, and tells which of them is ready when."""
    authkey = setting["authkey"].encode()
    conns = [connection.Client(address_of(setting["address"]), setting["family"], authkey) for _ in range(setting["times"])]
    for number, conn in enumerate(conns):
        conn.send_bytes(b"%d" % number)
    report([conns.index(conn) for conn in connection.wait(conns, 0)])
    left = list(conns)
    while left:
        for conn in connection.wait(left):
            try:
                report([conns.index(conn), conn.recv_bytes().decode()])
                conn.send_bytes(b"thanks")
            except EOFError:
                left.remove(conn)
                conn.close()
    report("done")


def echo(setting):
    """Sends back what comes over descriptor 3, as what it is in Python, and reports it where that is asked for."""
    conn = connection.Connection(3)
    receive, send = methods(conn, setting["format"])
    try:
        while True:
            message = receive()
            send(message)
            if setting.get("report"):
                report(repr(message))
    except EOFError:
        report("done")


def methods(conn, name):
    """How messages of a format are received and sent."""
    if name == "bytes":
        return conn.recv_bytes, conn.send_bytes
    if name == "pickle":
        return conn.recv, conn.send
    module = importlib.import_module(name)

    def send(message):
        text = module.dumps(message)
        conn.send_bytes(text.encode() if name == "json" else text)

    return lambda: module.loads(conn.recv_bytes()), send


def stream(setting):
    """Sends random messages over descriptor 3 while it receives as many; reports the checksums of both."""
    conn = connection.Connection(3)
    count = setting["count"]
    sums = {"sent": 0, "received": 0}

    def add(way, message):
        sums[way] = zlib.crc32(message, zlib.crc32(b"%d:" % len(message), sums[way]))

    def receive():
        for _ in range(count):
            add("received", conn.recv_bytes())

    receiving = threading.Thread(target=receive)
    receiving.start()
    noise = os.urandom(4096)
    for number in range(count):
        message = noise[number % 4000 : number % 4000 + number % 61]
        add("sent", message)
        conn.send_bytes(message)
    receiving.join()
    report(sums)
    conn.close()


def start(setting):
    """Starts a program with ends of its own, and sends it what is to come back."""
    if setting["duplex"]:
        conn, end = connection.Pipe(**setting["options"])
        reader, writer, ends = conn, conn, [end]
    else:
        (theirs, writer), (reader, ours) = connection.Pipe(False), connection.Pipe(False)
        ends = [theirs, ours]
    descriptors = [end.fileno() for end in ends]
    child = subprocess.Popen(setting["command"] + [str(fd) for fd in descriptors], pass_fds=descriptors)
    for end in ends:
        end.close()
    for size in setting["sizes"]:
        message = os.urandom(size)
        writer.send_bytes(message)
        if reader.recv_bytes() != message:
            raise ValueError("not the same: %d" % size)
    writer.close()
    if child.wait() != 0:
        raise ValueError("exit code %d" % child.returncode)


def leave(setting):
    """Sends a message, and a part of another one before it ends where that is asked for."""
    conn = connection.Connection(3)
    conn.send_bytes(b"so far")
    if conn.recv_bytes() == b"cut":
        os.write(3, b"\0\0\0\7part")


def relay(_setting):
    """Sends what comes over descriptor 3 on over descriptor 4; they have one direction each."""
    reader, writer = connection.Connection(3, writable=False), connection.Connection(4, readable=False)
    try:
        while True:
            writer.send_bytes(reader.recv_bytes())
    except EOFError:
        report("done")


roles = {
    "listen": listen,
    "connect": connect,
    "wait": wait,
    "echo": echo,
    "stream": stream,
    "start": start,
    "leave": leave,
    "relay": relay,
}
roles[sys.argv[2]](json.loads(sys.argv[3]))
