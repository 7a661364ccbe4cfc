"""Emoji: what one is, and which of its forms is stored."""

import unicodedata

import pytest

from app.core import emoji
from app.core.emoji import fully_qualified
from tools.emoji_sequences import packed

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
KINDS = ["👍", "❤️", "👍🏽", "👩‍👩‍👧‍👦", "👩🏻‍🤝‍👩🏿", "🏳️‍🌈", "🇨🇭", "🏴", SCOTLAND, "1️⃣", "©️"]


@pytest.mark.parametrize("one", KINDS)
def test_an_emoji_of_any_kind_is_its_own_fully_qualified_form(one: str) -> None:
    assert fully_qualified(one) == one


@pytest.mark.parametrize(
    "given, complete",
    [("❤", "❤️"), ("1\u20e3", "1️⃣"), ("🏳‍🌈", "🏳️‍🌈"), ("👁‍🗨️", "👁️‍🗨️"), ("👁️‍🗨", "👁️‍🗨️"), ("👍\ufe0f", "👍")],
    ids=ascii,
)
def test_a_form_that_lacks_selectors_or_has_too_many_is_completed(given: str, complete: str) -> None:
    assert fully_qualified(given) == complete


@pytest.mark.parametrize(
    "other",
    [
        "",
        "a",
        "1",
        "#",
        ":thumbsup:",
        "👍👍",
        "👍 ",
        "👍a",
        "🇨",
        "🇽🇽",
        "❤\ufe0e",
        "\ufe0f",
        "\u200d",
        "🏽",
        "👍\U000e0067",
    ],
    ids=ascii,
)
def test_anything_else_is_not_one_emoji(other: str) -> None:
    assert fully_qualified(other) is None


def test_the_table_has_every_sequence_once_in_nfc() -> None:
    """3,963 sequences are fully qualified in emoji-test.txt of version 18.0."""
    version, keycaps, *lines = emoji.SEQUENCES.read_text(encoding="utf-8").splitlines()
    words = " ".join(lines).split()
    found = [*keycaps.split(), *(one for word in words for one in emoji.unpacked(word))]
    assert (version, len(found), len(set(found))) == ("18.0", 3963, 3963)
    assert len({one.replace("\ufe0f", "") for one in found}) == len(found), (
        "forms without selectors differ too"
    )
    assert all(unicodedata.is_normalized("NFC", one) for one in found), "stored text is NFC"
    assert sorted(packed({*found} - {*keycaps.split()})) == sorted(words)


def test_sequences_with_unknown_combinations_of_skin_tones_are_noticed() -> None:
    with pytest.raises(ValueError, match="other combinations"):
        packed({"👍🏻", "👍🏼"})
