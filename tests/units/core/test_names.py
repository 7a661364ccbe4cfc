"""Names: under which key they are found, and what they may be made of."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.names import has_hidden_characters, has_stray_punctuation, name_key
from app.core.text import normalize

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=64)


@pytest.mark.parametrize("name", ["Admin", "ADMIN", "ＡＤＭＩＮ", "𝐚𝐝𝐦𝐢𝐧"])  # noqa: RUF001
def test_case_and_width_do_not_make_another_name(name: str) -> None:
    assert name_key(name) == name_key("admin")


@pytest.mark.parametrize("name", ["alicé", "alice1", "al ice", "älice", "alise", "al\u0456ce"])
def test_accents_and_other_letters_make_another_name(name: str) -> None:
    assert name_key(name) != name_key("alice")


def test_letters_without_a_simple_case_are_folded() -> None:
    assert name_key("STRASSE") == name_key("straße")
    assert name_key("ΣΊΣΥΦΟΣ") == name_key("σίσυφος")


@given(ANY_TEXT)
def test_a_key_is_the_same_for_upper_lower_and_every_normal_form(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, name)) == name_key(name)


@given(ANY_TEXT)
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@pytest.mark.parametrize("name", ["a", "alice", "j.o_h-n+1@example.com", "Mary Ann", "नरेन्द्र मोदी", "7"])
def test_punctuation_between_letters_or_digits_is_in_place(name: str) -> None:
    assert not has_stray_punctuation(name)


@pytest.mark.parametrize("name", ["admin.", ".admin", "ad..min", "a -b", "a@", "+", "", "a.\u0301b"])
def test_punctuation_elsewhere_is_noticed(name: str) -> None:
    assert has_stray_punctuation(name)


@pytest.mark.parametrize(
    "hidden", ["\n", "\x1b", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\ue000", "\u00ad"]
)
def test_invisible_characters_are_found(hidden: str) -> None:
    assert has_hidden_characters(f"ad{hidden}min")


BLACK_FLAG, END = "\U0001f3f4", "\U000e007f"


def tags(plain: str) -> str:
    """ASCII as invisible tag characters."""
    return "".join(chr(0xE0000 + ord(char)) for char in plain)


@pytest.mark.parametrize("subdivision", ["gbeng", "gbsct", "gbwls", "usca", "fr75c", "001x"])
def test_the_tags_of_a_flag_are_visible(subdivision: str) -> None:
    flag = BLACK_FLAG + tags(subdivision) + END
    assert not has_hidden_characters(flag)
    assert not has_hidden_characters(f"Up {flag}{flag} and away")
    assert normalize(flag) == flag


NOT_FLAGS = {
    "tags alone": tags("gbsct") + END,
    "under another emoji": "👍" + tags("gbsct") + END,
    "under a letter": "a" + tags("gbsct") + END,
    "without an end": BLACK_FLAG + tags("gbsct"),
    "without a subdivision": BLACK_FLAG + END,
    "with less than one": BLACK_FLAG + tags("gb") + END,
    "with more than one": BLACK_FLAG + tags("gbengland") + END,
    "with other characters": BLACK_FLAG + tags("gb ct") + END,
    "in capitals": BLACK_FLAG + tags("GBSCT") + END,
    "with something between": BLACK_FLAG + "\ufe0f" + tags("gbsct") + END,
    "and more of it": BLACK_FLAG + tags("gbsct") + END + tags("gbsct") + END,
    "the old language tag": BLACK_FLAG + "\U000e0001" + tags("gbsct") + END,
}


@pytest.mark.parametrize("what", NOT_FLAGS)
def test_tags_outside_of_a_flag_are_hidden(what: str) -> None:
    assert has_hidden_characters(NOT_FLAGS[what])


@pytest.mark.parametrize("name", ["Grüße", "می\u200cخواهم", "👩\u200d👧", "田中 太郎", "O'Brien-Smith"])  # noqa: RUF001
def test_joiners_that_languages_need_are_not_hidden(name: str) -> None:
    assert not has_hidden_characters(name)


@pytest.mark.parametrize(
    "name",
    [
        "#general",
        "Q&A",
        "❤️ us",
        "❤\ufe0e",
        "1️⃣ first",
        "🏳️\u200d🌈",
        "👩🏽\u200d💻",
        "क्\u200dष",
        "Пётр 🎉",
        "日本　東京",
    ],
)
def test_symbols_and_emoji_are_not_hidden(name: str) -> None:
    assert not has_hidden_characters(name)


@pytest.mark.parametrize(
    "name",
    [
        "Gen\u200deral",
        "Gen\u200ceral",
        "\u200dGeneral",
        "General\u200d",
        "👩\u200d",
        "a\ufe0fb",
        "\ufe0fa",
        "\u3164x",
        "a\u034fb",
        "a\u115fb",
        "a\u2800b",
        "x\u200d👧",
        "م\u200ca",
    ],
)
def test_characters_that_change_nothing_where_they_are_are_hidden(name: str) -> None:
    assert has_hidden_characters(name)
