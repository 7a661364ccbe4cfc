"""The hot path builds message objects without a model. These tests compare them with the documented model."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import strict_json
from app.core.clock import plain
from app.models import Message
from app.schemas.fields import MAX_ID
from app.schemas.messages import MessageOut
from app.schemas.reactions import ReactionObject
from app.services.ledger.message_rows import COLUMNS, MessageRow, as_object
from tests.support import frames

ids = st.integers(1, MAX_ID)
instants = st.integers(0, 253_402_300_799_999)
"""Milliseconds, until the end of the year 9999."""
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
reactions = st.lists(
    st.fixed_dictionaries(
        {"emoji": names, "users": st.lists(names, min_size=1, max_size=3), "count": st.integers(1, MAX_ID)}
    ),
    max_size=3,
)


without_deadline = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A slow machine is not a failure."""


@st.composite
def rows(draw: st.DrawFn) -> MessageRow:
    """Rows as the database can hold them: an untouched message has no later change."""
    seq = draw(st.integers(1, MAX_ID - 1))
    changed_seq = draw(st.just(seq) | st.integers(seq + 1, MAX_ID))
    maybe = st.none() | instants if changed_seq != seq else st.none()
    return MessageRow(
        id=draw(ids),
        room_id=draw(ids),
        seq=seq,
        changed_seq=changed_seq,
        sender=draw(names),
        sender_id=draw(ids),
        content=draw(texts),
        created_at=draw(instants),
        edited_at=draw(maybe),
        deleted_at=draw(maybe),
        client_id=draw(st.none() | names),
        reply_to=draw(st.none() | ids),
    )


@without_deadline
@given(rows(), st.none() | reactions)
def test_every_row_becomes_a_message_object_that_the_model_accepts(
    row: MessageRow, given_reactions: list[ReactionObject] | None
) -> None:
    message = as_object(row, given_reactions)
    model = MessageOut.model_validate(message, strict=True)
    assert model.model_dump(exclude_unset=True) == message, "the model knows every key"
    frames.check_message(message)


@without_deadline
@given(rows())
def test_every_message_object_survives_encoding_and_decoding(row: MessageRow) -> None:
    message = as_object(row)
    assert strict_json.decode(strict_json.encode(message)) == message


@without_deadline
@given(rows(), reactions)
def test_an_optional_key_is_present_exactly_when_it_has_a_value(
    row: MessageRow, given_reactions: list[ReactionObject]
) -> None:
    message = as_object(row, given_reactions)
    touched = row.changed_seq != row.seq
    assert ("changed_seq" in message) is touched
    assert ("reply_to" in message) is (row.reply_to is not None)
    assert ("edited_at" in message) is (row.edited_at is not None)
    assert ("deleted_at" in message) is (row.deleted_at is not None)
    assert ("reactions" in message) is (touched and bool(given_reactions))


@without_deadline
@given(rows())
def test_both_times_of_a_message_are_the_same_moment(row: MessageRow) -> None:
    message = as_object(row)
    assert message["created_at"].startswith(message["timestamp"] + ".")
    assert message["timestamp"] == plain(row.created_at // 1000)


def test_a_stored_message_has_the_columns_of_a_row() -> None:
    selected = ["sender" if column.key == "username" else column.key for column in COLUMNS]
    assert selected == list(MessageRow._fields)
    assert set(selected) - {"sender"} == {column.key for column in Message.__table__.columns}
