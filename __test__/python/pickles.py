"""The other end of the tests of pickle: a loop that does what it is asked to, with any Python from 3.6 on.

Each request is JSON, and what it is about comes before or after it as Python's own `send` and `recv` carry it.
"""
import collections
import datetime
import decimal
import json
import math
import pathlib
import pickle
import sys
import uuid
from multiprocessing.connection import Connection

try:
    import numpy
except ImportError:
    numpy = None


def recursive(kind):
    """Something that contains itself."""
    if kind == "list":
        made = [1]
        made.append(made)
    elif kind == "dict":
        made = {"a": 1}
        made["self"] = made
    elif kind == "map":
        made = {"a": []}
        made["a"].append(made)
        made[1] = made
    elif kind == "tuple":
        made = ([],)
        made[0].append(made)
    elif kind == "deque":
        made = collections.deque()
        made.append(made)
    return made


def naive(*args):
    return datetime.datetime(*args)


def zone(*args):
    return datetime.timezone(datetime.timedelta(*args))


def same(a, b):
    """The same value, of the same type."""
    if numpy is not None and isinstance(a, numpy.ndarray):
        return isinstance(b, numpy.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, (list, tuple, collections.deque)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, collections.defaultdict) and a.default_factory is not b.default_factory:
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (datetime.datetime, datetime.time)):
        return a == b and a.utcoffset() == b.utcoffset()
    return a == b


def serve(conn):
    while True:
        try:
            request = json.loads(conn.recv_bytes().decode())
        except EOFError:
            return
        if "make" in request:
            conn.send_bytes(pickle.dumps(eval(request["make"]), request["protocol"]))
        elif "compare" in request:
            came = conn.recv()
            wanted = eval(request["compare"])
            answer = same(came, wanted) or "%s, not %s" % (ascii(came)[:200], ascii(wanted)[:200])
            conn.send_bytes(json.dumps(answer).encode())
        elif "ask" in request:
            value = conn.recv()
            conn.send_bytes(json.dumps(eval(request["ask"], {"value": value, "numpy": numpy})).encode())
        else:
            conn.send_bytes(pickle.dumps(conn.recv(), request["echo"]))


with Connection(3) as end:
    serve(end)
