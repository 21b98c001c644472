"""What the programs in Python send: rings of unchanging messages, the same as those of works/messages.mjs, and orders."""

import struct

RING_BYTES = 16 << 20
RING_MIN = 2
RING_MAX = 1024
STAMP = 4


def refuse(index):
    raise ValueError(f'Message {index} is not the one that was sent')


class _Ring:
    """Messages that come again and again; what is received is compared with what was sent."""

    def check(self, index, received, whole):
        sent = self.ring[index % self.length]
        if not (received == sent if whole else self._is_alike(received, sent)):
            refuse(index)


class Bytes(_Ring):
    """Messages of `size` bytes, with their number in their first and last four bytes."""

    def __init__(self, size):
        self.length = min(RING_MAX, max(RING_MIN, RING_BYTES // size))
        self.ring = [self._message(number, size) for number in range(self.length)]

    @staticmethod
    def _message(number, size):
        # They repeat themselves after 256 bytes.
        body = bytearray(bytes((at * 31 + number) & 0xFF for at in range(256)) * (size // 256 + 1))[:size]
        body[:STAMP] = body[-STAMP:] = number.to_bytes(STAMP, 'little')
        return bytes(body)

    @staticmethod
    def order(count, whole):
        return struct.pack('<II', count, whole)

    @staticmethod
    def read_order(message):
        count, whole = struct.unpack('<II', message)
        return count, whole == 1

    @staticmethod
    def _is_alike(received, sent):
        return len(received) == len(sent) and received[:STAMP] == sent[:STAMP] and received[-STAMP:] == sent[-STAMP:]


class Objects(_Ring):
    """Small objects, of one shape."""

    def __init__(self):
        self.length = RING_MAX
        self.ring = [
            {
                'id': number,
                'name': f'sensor-{number % 64}',
                'tags': ['indoor', 'odd' if number % 2 else 'even'],
                'nested': {'value': number + 0.5, 'ok': True},
            }
            for number in range(RING_MAX)
        ]

    @staticmethod
    def order(count, whole):
        return {'count': count, 'whole': whole}

    @staticmethod
    def read_order(message):
        return message['count'], message['whole']

    @staticmethod
    def _is_alike(received, sent):
        return (
            received['id'] == sent['id']
            and len(received['tags']) == 2
            and received['nested']['value'] == sent['nested']['value']
        )
