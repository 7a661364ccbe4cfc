"""Counting the messages in a chunk of received bytes for the price of the chunk, not of its frames."""

from collections.abc import Callable

from benchmarks.load.dialects import MARK

try:
    import numpy
except ImportError:  # the short form runs without the peers' environment
    numpy = None  # type: ignore[assignment]

WIDE = 3000
"""From this many bytes a vector comparison beats `count`, which reads one byte at a time."""


def counter(buffer: bytearray) -> Callable[[int], int]:
    """A function that counts the marks in the first so many bytes of `buffer`."""
    if numpy is None:
        return lambda size: buffer.count(MARK, 0, size)
    view, mark = numpy.frombuffer(buffer, numpy.uint8), MARK[0]

    def count(size: int) -> int:
        if size < WIDE:
            return buffer.count(MARK, 0, size)
        return int(numpy.count_nonzero(view[:size] == mark))

    return count
