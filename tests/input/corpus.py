"""Input that no client should send, collected from bugs of similar servers."""

from typing import Any

DEEP = 10_000
"""Levels of nesting that overflow the stack of a recursive decoder."""

NOT_JSON: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "an open brace": b"{",
    "a word": b"hello",
    "single quotes": b"{'type': 'ping'}",
    "a trailing comma": b'{"type": "ping",}',
    "two documents": b'{"type": "ping"}{"type": "ping"}',
    "a comment": b'{"type": "ping"} // hello',
    "arrays in arrays": b"[" * DEEP,
    "closed arrays in arrays": b"[" * DEEP + b"]" * DEEP,
    "objects in objects": b'{"a":' * DEEP,
    "content ten thousand deep": b'{"type": "message", "content": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "NaN": b'{"type": "message", "content": NaN}',
    "Infinity": b'{"type": "message", "content": -Infinity}',
    "1e999": b'{"type": "read", "id": 1e999}',
    "half a surrogate pair": rb'{"type": "message", "content": "\ud83d"}',
    "the other half": rb'{"type": "message", "content": "\ude00"}',
    "both halves in the wrong order": rb'{"type": "message", "content": "\ude00\ud83d"}',
    "a surrogate as a key": rb'{"type": "message", "\ud800": 1, "content": "x"}',
    "a line break in a string": b'{"type": "message", "content": "a\nb"}',
    "a byte order mark": b'\xef\xbb\xbf{"type": "ping"}',
    "UTF-16": '{"type": "ping"}'.encode("utf-16"),
}
"""All of it is UTF-8 (or has a byte order mark), none of it is JSON (RFC 8259)."""

NOT_UTF8: dict[str, bytes] = {
    "0xff": b"\xff",
    "a truncated character": b'{"type": "message", "content": "\xc3"}',
    "an overlong slash": b'{"type": "message", "content": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"type": "message", "content": "\xed\xa0\x80"}',
}

NOT_OBJECTS: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "a number": b"5",
    "a large number": b"1" + b"0" * 30,
    "a string": b'"ping"',
    "an empty array": b"[]",
    "an array of commands": b'[{"type": "ping"}, {"type": "ping"}]',
}

NOT_COMMANDS: dict[str, bytes] = {
    "an empty object": b"{}",
    "no type": b'{"content": "hello"}',
    "an unknown type": b'{"type": "dance"}',
    "a very long type": b'{"type": "' + b"x" * 100_000 + b'"}',
    "an event": b'{"type": "message.updated", "id": 1, "content": "x"}',
    "a type in another case": b'{"type": "Message", "content": "x"}',
    "type null": b'{"type": null}',
    "type 1": b'{"type": 1}',
    "type true": b'{"type": true}',
    "a list as type": b'{"type": ["message"], "content": "x"}',
    "an object as type": b'{"type": {"message": 1}, "content": "x"}',
    "the last of two types": b'{"type": "ping", "type": "dance"}',
}

NOT_TEXT: tuple[Any, ...] = (None, True, 7, 1.5, 10**30, [], ["a"], {}, {"a": "b"})
NOT_INTEGERS: tuple[Any, ...] = (None, True, "7", "", 1.5, [], [7], {}, {"id": 7}, "1e3", "\u0667")
OUT_OF_RANGE = (-1, 2**53, 2**63, -(2**63), 2**64, 10**30, -(10**30), 1e30)
UNSTORABLE = ("\0", "in the m\0ddle", "at the end\0")
HIDDEN = {
    "a bell": "be\a",
    "a line break": "two\nlines",
    "a tab": "a\tb",
    "delete": "a\x7f",
    "next line": "a\x85b",
    "right-to-left override": "user\u202etxt.exe",
    "isolate": "\u2067user",
    "left-to-right mark": "user\u200e",
    "a zero-width space": "us\u200ber",
    "a soft hyphen": "us\u00ader",
    "a byte order mark": "\ufeffuser",
    "a line separator": "us\u2028er",
    "a private-use character": "us\ue000er",
    "a tag character": "us\U000e0061er",
}
"""Names with control, invisible or reordering characters."""
