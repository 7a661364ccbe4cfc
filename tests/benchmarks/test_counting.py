"""The load counts exactly, in whatever chunks the bytes arrive, and reports it when it cannot."""

import pytest

from benchmarks.load.dialects import Seat
from benchmarks.load.run import Void
from benchmarks.load.sockets import Sender, Tally
from benchmarks.load.sweeping import Sweep
from benchmarks.load.wire import PING, TEXT, Frames, client_frame


def server_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    size = len(payload)
    head = (
        bytes([0x80 | opcode, size]) if size < 126 else bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big")
    )
    return head + payload


SENT = [(TEXT, b"{}"), (PING, b"abcd"), (TEXT, b"|" + b"x" * 300), (TEXT, b""), (TEXT, b"y" * 126)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_frames_are_the_same_for_any_size_of_chunks(size: int) -> None:
    stream = b"".join(server_frame(payload, opcode) for opcode, payload in SENT)
    frames = Frames()

    found = [frame for at in range(0, len(stream), size) for frame in frames.feed(stream[at : at + size])]

    assert found == SENT


@pytest.mark.parametrize("size", [0, 1, 3, 4, 125, 126, 300])
def test_a_masked_frame_unmasks_to_its_payload(size: int) -> None:
    payload = bytes(i % 251 for i in range(size))

    frame = client_frame(payload)

    body = frame[-size:] if size else b""
    mask = frame[len(frame) - size - 4 : len(frame) - size]
    assert bytes(byte ^ mask[i % 4] for i, byte in enumerate(body)) == payload


def a_sender_that_received(*messages: bytes) -> Sender:
    sender = Sender(Tally(), Seat("1"))
    sender.data_received(b"".join(server_frame(message) for message in messages))
    return sender


def test_a_sender_recognises_its_own_messages() -> None:
    sender = a_sender_that_received(b'{"message":"|a mine"}', b'{"message":"|b theirs"}', b'{"type":"ack"}')

    assert (sender.own, sender.seen) == (1, 2)


MESSAGES = [b'{"message":"|a %s"}' % (b"x" * 200), b'{"message":"|a %s"}' % (b"y" * 203)]


def a_sweep(*got: int) -> Sweep:
    sweep = Sweep(a_sender_that_received(*MESSAGES), [], piece=1)
    sweep.received = list(got)
    return sweep


def test_a_listener_that_received_the_bytes_of_all_messages_received_all_messages() -> None:
    whole = sum(len(server_frame(message)) for message in MESSAGES)
    sweep = a_sweep(whole, whole + 6)  # a ping is not a message

    sweep.check(sent=2)

    assert sweep.deliveries() == 6


@pytest.mark.parametrize("missing", [1, 220, 442])
def test_a_run_in_which_a_listener_missed_bytes_is_void(missing: int) -> None:
    whole = sum(len(server_frame(message)) for message in MESSAGES)
    sweep = a_sweep(whole, whole - missing)

    assert not sweep.drained(sent=2)
    with pytest.raises(Void):
        sweep.check(sent=2)


def test_a_run_in_which_a_message_arrived_twice_is_void() -> None:
    whole = sum(len(server_frame(message)) for message in MESSAGES)

    with pytest.raises(Void):
        a_sweep(whole, whole + len(server_frame(MESSAGES[1]))).check(sent=2)
