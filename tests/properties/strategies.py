"""What users send: mostly valid commands, sometimes malformed ones."""

import json

from hypothesis import strategies as st

users = st.sampled_from(["alice", "bob"])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
client_ids = st.none() | st.sampled_from("abc")
numbers = st.integers(1, 9)
emojis = st.sampled_from(["👍", "🎉", "❤️"])
transports = st.sampled_from(["text", "binary", "rest"])

_keys = st.text(max_size=5)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_keys, inner, max_size=2),
    max_leaves=4,
)
_kinds = st.sampled_from(
    ["message", "message.edit", "reaction.add", "read", "subscribe", "auth", "dance", ""]
)
_almost = st.builds(
    lambda kind, more: json.dumps({**more, "type": kind, "room_id": "none", "content": 7}),
    _kinds,
    st.dictionaries(_keys, _values, max_size=2),
)
malformed = st.binary(max_size=30) | _almost | _values.map(json.dumps)
