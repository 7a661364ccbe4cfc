"""Answers have a maximum size, even about a room full of long messages."""

import asyncio

from tests.support.people import Person

LONGEST_MESSAGE = "😀" * 8_000
COUNT = 50
MEBIBYTE = 1 << 20


async def test_catching_up_with_long_messages_is_split_into_answers_of_a_megabyte(
    alice: Person, room: int
) -> None:
    """A thousand such messages in one answer would be 32 MB."""
    requests = [
        alice.http.post(f"/api/messages/{room}", json={"content": LONGEST_MESSAGE}) for _ in range(COUNT)
    ]
    assert {answer.status_code for answer in await asyncio.gather(*requests)} == {201}
    since, ids, sizes = 0, [], []
    while True:
        answer = await alice.http.get(f"/api/messages/{room}/changes", params={"since": since})
        found = answer.json()
        since = found["seq"]
        ids += [change["id"] for change in found["changes"] if change["type"] == "message"]
        sizes.append(len(answer.content))
        if not found["truncated"]:
            break
    assert ids == list(range(1, COUNT + 1))
    assert len(sizes) == 2
    assert max(sizes) < MEBIBYTE + 10_000
