"""What the programs in Python share: the lines that they serve (see driver.mjs), and the messages of 64 bytes."""

import sys
import time

from messages import Bytes

_messages = Bytes(64)
ring = _messages.ring
RING = len(ring)


def check(index, received):
    _messages.check(index, received, True)


def serve(begin, drive):
    """For each line `COUNT WHOLE`, what `drive` takes after `begin`, in nanoseconds."""
    for line in sys.stdin:
        count, whole = (int(word) for word in line.split())
        begin(count, whole == 1)
        start = time.perf_counter_ns()
        drive(count, whole == 1)
        print(time.perf_counter_ns() - start, flush=True)
