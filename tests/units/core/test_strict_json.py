"""The one JSON decoder accepts RFC 8259 and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.strict_json import InvalidJson, decode, encode

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)

BROKEN = {
    "nothing": b"",
    "NaN": b"NaN",
    "infinity": b"[Infinity]",
    "a number beyond every float": b"1e999",
    "half a pair, escaped": rb'"\ud800"',
    "half a pair, the second": rb'["\udc00"]',
    "half a pair as bytes": b'"\xed\xa0\x80"',
    "invalid UTF-8": b'"\xff"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "two documents": b"{} {}",
    "a trailing comma": b"[1,]",
    "single quotes": b"{'a': 1}",
    "a raw line break in a string": b'"a\nb"',
    "a comment": b"{} // no",
    "a leading zero": b"01",
    "a hundred thousand levels": b"[" * 100_000 + b"]" * 100_000,
    "unclosed levels": b'{"a":' * 10_000,
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_invalid_document_is_refused(what: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        decode(BROKEN[what])
    assert len(refused.value.detail) < 200, "the error says where, and does not repeat the document"


@given(JSON)
def test_an_encoded_value_reads_back(value: object) -> None:
    assert decode(encode(value)) == value


@given(JSON)
def test_documents_of_other_encoders_are_read(value: object) -> None:
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30, -(10**30)])
def test_an_integer_too_large_for_an_id_is_not_read_as_one(number: int) -> None:
    read = decode(str(number).encode())
    assert isinstance(read, float) or (isinstance(read, int) and read > 2**53)


@given(st.binary(max_size=40))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except InvalidJson:
        return
    encode(value)
