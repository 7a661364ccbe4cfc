"""The section "Chat Room Endpoints" of the document: its requests, as written there."""

import re

from tests.support.people import Person

CREATE = b"""{
  "name": "My New Room"
}"""


async def test_create_room_get_all_rooms_and_get_room_details(alice: Person, bob: Person) -> None:
    created = await alice.http.post(
        "/api/rooms", content=CREATE, headers={"Content-Type": "application/json"}
    )
    assert created.status_code == 201
    room = created.json()
    assert room["name"] == "My New Room"
    assert type(room["id"]) is int
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", room["created_at"])

    rooms = await bob.get("/api/rooms")
    assert isinstance(rooms, list), "a bare array"
    for one in rooms:
        assert one.keys() >= {"id", "name", "created_at"}
    assert room["id"] in [one["id"] for one in rooms], "other users see it"

    details = await bob.get(f"/api/rooms/{room['id']}")
    assert {key: details[key] for key in ("id", "name", "created_at")} == {
        "id": room["id"],
        "name": "My New Room",
        "created_at": room["created_at"],
    }


async def test_two_rooms_may_have_the_same_name(alice: Person) -> None:
    first = await alice.http.post("/api/rooms", json={"name": "Twins"})
    second = await alice.http.post("/api/rooms", json={"name": "Twins"})
    assert second.status_code == 201
    assert first.json()["id"] != second.json()["id"]


async def test_a_room_that_does_not_exist_is_not_found(alice: Person) -> None:
    answer = await alice.http.get("/api/rooms/9007199254740991")
    assert answer.status_code == 404
    assert answer.json()["code"] == "room_not_found"
