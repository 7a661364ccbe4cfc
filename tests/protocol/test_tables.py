"""The tables of docs/protocol.md agree with the code."""

from app.core.config import Settings
from app.schemas.asyncapi import document as asyncapi
from app.schemas.close_codes import CLOSES
from app.schemas.connections import Ack
from tests.protocol.document import names_in, tables
from tests.support import frames


def keys_of(cell: str) -> tuple[set[str], set[str]]:
    """The required keys and the optional ones."""
    names = names_in(cell)
    return {name for name in names if name[-1] != "?"}, {name[:-1] for name in names if name[-1] == "?"}


def test_every_command_is_listed_with_its_keys_and_its_answer() -> None:
    rows = {
        names_in(name)[0]: (keys_of(keys), names_in(answer)) for name, keys, answer, _ in tables("command")
    }
    assert list(rows) == [asyncapi.type_of(model) for model in asyncapi.COMMAND_MODELS]
    for model in asyncapi.COMMAND_MODELS:
        (required, optional), answer = rows[asyncapi.type_of(model)]
        fields = {name: field for name, field in model.model_fields.items() if name not in {"type", "ref"}}
        assert required == {name for name, field in fields.items() if field.is_required()}
        assert optional == {name for name, field in fields.items() if not field.is_required()}
        answers = asyncapi.ANSWERS.get(model, (Ack,))
        assert answer == [asyncapi.type_of(one) for one in answers]


def test_every_event_is_listed_with_its_keys() -> None:
    rows = {names_in(name)[0]: keys_of(keys) for name, keys, _ in tables("event")}
    assert set(rows) == set(frames.event_names())
    for type_, name in frames.event_names().items():
        schema = frames.validator(name).schema
        assert isinstance(schema, dict)
        required, optional = rows[type_]
        assert required == set(schema["required"]) - {"type"}
        assert required | optional == set(schema["properties"]) - {"type"}


def test_the_events_are_listed_as_durable_ephemeral_and_others() -> None:
    listed = [names_in(name)[0] for name, _, _ in tables("event")]
    durable, ephemeral = len(asyncapi.DURABLE), len(asyncapi.EPHEMERAL)
    assert listed[:durable] == [asyncapi.type_of(model) for model in asyncapi.DURABLE]
    assert listed[durable : durable + ephemeral] == [asyncapi.type_of(model) for model in asyncapi.EPHEMERAL]


def test_every_close_code_is_listed() -> None:
    assert [int(row[0]) for row in tables("code") if row[0].isdigit()] == [close.code for close in CLOSES]


def test_the_limits_match_the_settings() -> None:
    for name, default, _ in tables("setting"):
        field = Settings.model_fields[names_in(name)[0].lower()]
        assert field.default == float(default), name


def test_the_addresses_match_the_channels() -> None:
    listed = {names_in(address)[0] for address, _ in tables("address")}
    assert listed == {channel["address"] for channel in asyncapi.document("", "ws")["channels"].values()}
