"""Frames that are not valid commands, as text and as binary: each gets an `error`, and the connection stays open."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.schemas.asyncapi import examples
from tests.input import corpus
from tests.support.people import Person, Seat

Frame = dict[str, Any]

as_text_and_binary = pytest.mark.parametrize("as_frame", [bytes.decode, bytes], ids=["text", "binary"])
COMMANDS: dict[str, Frame] = {}
for example in examples.COMMAND_EXAMPLES:  # each command with all its keys
    COMMANDS[example["type"]] = COMMANDS.get(example["type"], {}) | example
MEGABYTE = 1 << 20


async def assert_each_is_refused(seat: Seat, bystander: Seat, bad: list[str | bytes], code: str) -> None:
    """Send each bad frame and a good message after it. Each bad frame is refused, and all listeners receive all good
    messages in order.
    """
    known = len(seat.heard)
    for number, frame in enumerate(bad):
        await seat.socket.send(frame)
        await seat.says(f"good {number}")
        heard = await seat.hears("message")
        assert heard["message"] == f"good {number}"
    errors = [frame for frame in seat.heard[known:] if frame["type"] == "error"]
    assert [error["code"] for error in errors] == [code] * len(bad)
    for error in errors:
        assert 0 < len(error["detail"]) < 200, "the input is not repeated"
    assert [(await bystander.hears("message"))["message"] for _ in bad] == [
        f"good {n}" for n in range(len(bad))
    ]
    assert "error" not in {frame["type"] for frame in bystander.heard}


@as_text_and_binary
async def test_a_frame_that_is_not_json_is_refused(
    alice: Person, bob: Person, room: int, as_frame: Callable[[bytes], str | bytes]
) -> None:
    documents = [
        one for one in corpus.NOT_JSON.values() if as_frame is bytes or not one.startswith(b"\xff\xfe")
    ]
    async with alice.enters(room) as here, bob.enters(room) as there:
        await assert_each_is_refused(here, there, [as_frame(one) for one in documents], "invalid_json")


async def test_a_binary_frame_that_is_not_utf8_is_refused(alice: Person, bob: Person, room: int) -> None:
    """In a text frame it closes the connection (RFC 6455 section 8.1); see test_hostile_frames.py."""
    async with alice.enters(room) as here, bob.enters(room) as there:
        await assert_each_is_refused(here, there, list(corpus.NOT_UTF8.values()), "invalid_json")


@as_text_and_binary
async def test_a_frame_that_is_not_a_command_is_refused(
    alice: Person, bob: Person, room: int, as_frame: Callable[[bytes], str | bytes]
) -> None:
    documents = corpus.NOT_OBJECTS | corpus.NOT_COMMANDS
    async with alice.enters(room) as here, bob.enters(room) as there:
        await assert_each_is_refused(
            here, there, [as_frame(one) for one in documents.values()], "invalid_command"
        )


@as_text_and_binary
async def test_a_frame_of_a_megabyte_is_refused(
    alice: Person, bob: Person, room: int, as_frame: Callable[[bytes], str | bytes]
) -> None:
    message = json.dumps({"type": "message", "content": "x" * MEGABYTE}).encode()
    async with alice.enters(room) as here, bob.enters(room) as there:
        await assert_each_is_refused(here, there, [as_frame(message)] * 3, "frame_too_large")


def wrong_values(key: str, command: Frame) -> Iterator[Any]:
    """Values that are invalid for this key of the command."""
    optional = key in {"client_id", "reply_to", "room_id", "since", "epoch", "ref"}
    if key == "ref":
        yield from (True, 1.5, 10**30, [], {}, "x" * 65)
    elif isinstance(command[key], int):
        yield from (value for value in corpus.NOT_INTEGERS if not (optional and value is None))
        yield from corpus.OUT_OF_RANGE
        yield from (() if key == "since" else (0,))
    else:
        yield from (value for value in corpus.NOT_TEXT if not (optional and value is None))
        yield from (() if key == "token" else corpus.UNSTORABLE)
        yield from ("x" * 10_000, *(() if key == "token" else ("",)))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
async def test_an_invalid_value_of_any_key_is_refused(
    alice: Person, bob: Person, room: int, command: Frame
) -> None:
    """The answer names the key, and repeats the `ref` unless the `ref` is invalid."""
    whole = command | {"ref": "mine"} | ({} if command["type"] in {"auth", "ping"} else {"room_id": room})
    async with alice.enters(room) as here, bob.enters(room) as there:
        for key in whole.keys() - {"type"}:
            for value in wrong_values(key, whole):
                await here.does(**(whole | {key: value}))
                error = await here.hears("error")
                assert error["code"] == "invalid_command", (key, value)
                assert error["detail"].startswith(f"{key}: "), error
                assert error.get("ref") == (None if key == "ref" else "mine")
        await here.says("good")
        await here.hears("message", message="good")
        await there.hears("message", message="good")


async def test_the_error_for_a_refused_message_has_its_client_id(alice: Person, room: int) -> None:
    async with alice.enters(room) as here:
        await here.says("", client_id="abc")
        assert (await here.hears("error"))["client_id"] == "abc"


async def test_a_command_for_an_unknown_room_is_refused(alice: Person, room: int) -> None:
    async with alice.enters(room) as here:
        needed: dict[str, dict[str, object]] = {
            "message": {"content": "x"},
            "subscribe": {},
            "read": {"id": 1},
        }
        for command, more in needed.items():
            await here.does(command, room_id=2**53 - 1, ref=command, **more)
            assert (await here.hears("error"))["code"] == "room_not_found"
        for command in ("typing", "unsubscribe"):
            await here.does(command, room_id=2**53 - 1, ref=command)
            assert (await here.hears("error"))["code"] == "not_subscribed"
        await here.does("ping")
        await here.hears("pong")


NEAREST = {
    "clientId": "client_id",
    "replyTo": "reply_to",
    "contents": "content",
    "room-id": "room_id",
    "Ref": "ref",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
async def test_an_unknown_key_of_any_command_is_refused_by_name(
    alice: Person, bob: Person, room: int, command: Frame
) -> None:
    """A key that changes what is meant must not be lost without a word. The command has no effect."""
    async with alice.enters(room) as here, bob.enters(room) as there:
        for key in ("sender", "seq", "", "x" * 100_000, "a\nb", *NEAREST):
            await here.does(**(command | {"ref": "mine", key: 1}))
            error = await here.hears("error")
            assert (error["code"], error["ref"]) == ("invalid_command", "mine")
            named, _, sentence = error["detail"].partition(": ")
            assert named == {"x" * 100_000: "x" * 32 + "…", "a\nb": "a\ufffdb"}.get(key, key)
            assert sentence.startswith("There is no such key"), error
            if (nearest := NEAREST.get(key)) in {*command, "ref"}:
                assert sentence == f"There is no such key; the nearest is {nearest}."
        await here.says("good")
        assert (await here.hears("message"))["message"] == "good"
        await there.hears("message", message="good")
    others = {frame["type"] for frame in here.heard + there.heard} - {"error", "presence", "member.joined"}
    assert others == {"ready", "message"}


async def test_thousands_of_unknown_keys_are_refused_by_the_first(alice: Person, room: int) -> None:
    async with alice.enters(room) as here:
        await here.does("ping", **{f"key{number}": 1 for number in range(8_000)})
        assert (await here.hears("error"))["detail"] == "key0: There is no such key."


async def test_an_unknown_command_is_refused_with_the_nearest_one(alice: Person, room: int) -> None:
    async with alice.enters(room) as here:
        for given, sentence in (
            ("mesage", "type: There is no such command; the nearest is message."),
            ("message_edit", "type: There is no such command; the nearest is message.edit."),
            ("dance", "type: There is no such command."),
        ):
            await here.does(given, id=1, content="hi")
            assert (await here.hears("error"))["detail"] == sentence
