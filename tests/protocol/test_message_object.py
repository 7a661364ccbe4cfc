"""The hot path writes message objects without a model. The model holds it to the shape that documents promise."""

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
"""Until the end of the year 9999, milliseconds."""
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
reactions = st.lists(
    st.fixed_dictionaries({"emoji": names, "users": st.lists(names, min_size=1, max_size=3)}), max_size=3
)


patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""


@st.composite
def rows(draw: st.DrawFn) -> MessageRow:
    """Rows as they can stand in the database: an untouched message has no later change."""
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


@patiently
@given(rows(), st.none() | reactions)
def test_every_row_becomes_the_message_that_the_model_would_make(
    row: MessageRow, given_reactions: list[ReactionObject] | None
) -> None:
    message = as_object(row, given_reactions)
    model = MessageOut.model_validate(message, strict=True)
    assert model.model_dump(exclude_unset=True) == message, "the model knows every key"
    frames.check_message(message)


@patiently
@given(rows())
def test_every_message_object_survives_the_wire(row: MessageRow) -> None:
    message = as_object(row)
    assert strict_json.decode(strict_json.encode(message)) == message


@patiently
@given(rows(), reactions)
def test_a_key_is_there_exactly_when_it_says_something(
    row: MessageRow, given_reactions: list[ReactionObject]
) -> None:
    message = as_object(row, given_reactions)
    touched = row.changed_seq != row.seq
    assert ("changed_seq" in message) is touched
    assert ("reply_to" in message) is (row.reply_to is not None)
    assert ("edited_at" in message) is (row.edited_at is not None)
    assert ("deleted_at" in message) is (row.deleted_at is not None)
    assert ("reactions" in message) is (touched and bool(given_reactions))


@patiently
@given(rows())
def test_both_times_of_a_message_are_the_same_moment(row: MessageRow) -> None:
    message = as_object(row)
    assert message["created_at"].startswith(message["timestamp"] + ".")
    assert message["timestamp"] == plain(row.created_at // 1000)


def test_a_stored_message_has_the_columns_of_a_row() -> None:
    selected = ["sender" if column.key == "username" else column.key for column in COLUMNS]
    assert selected == list(MessageRow._fields)
    assert set(selected) - {"sender"} == {column.key for column in Message.__table__.columns}
