"""What the programs in Python share: the lines that they serve (see driver.mjs), and the messages (see messages.mjs)."""

import sys
import time

SIZE = 64
RING = 1024


def _message(number):
    body = bytearray((at * 31 + number) & 0xFF for at in range(SIZE))
    body[:4] = body[-4:] = number.to_bytes(4, 'little')
    return bytes(body)


ring = [_message(number) for number in range(RING)]


def check(index, received):
    if received != ring[index % RING]:
        raise ValueError(f'Message {index} is not the one that was sent')


def serve(begin, drive):
    """For each line `COUNT WHOLE`, what `drive` takes after `begin`, in nanoseconds."""
    for line in sys.stdin:
        count, whole = (int(word) for word in line.split())
        begin(count, whole == 1)
        start = time.perf_counter_ns()
        drive(count, whole == 1)
        print(time.perf_counter_ns() - start, flush=True)
