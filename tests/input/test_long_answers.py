"""However much there is to tell, no answer is larger than a server can afford."""

import asyncio

from tests.support.people import Person

LONGEST = "😀" * 8_000
COUNT = 50
MEBIBYTE = 1 << 20


async def test_catching_up_with_long_messages_comes_in_answers_of_a_megabyte(
    alice: Person, room: int
) -> None:
    """A thousand of them in one answer were 32 MB."""
    say = [alice.http.post(f"/api/messages/{room}", json={"content": LONGEST}) for _ in range(COUNT)]
    assert {answer.status_code for answer in await asyncio.gather(*say)} == {201}
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
