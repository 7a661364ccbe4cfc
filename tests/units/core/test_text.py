"""Text from users: which can be stored, which is refused, and which names count as the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import (
    has_hidden_characters,
    has_too_many_marks,
    is_storable,
    name_key,
    normalize,
    shows_something,
)

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=64)


@pytest.mark.parametrize("name", ["Admin", "ADMIN", "ＡＤＭＩＮ", "аdmin", "аdmіn", "𝐚𝐝𝐦𝐢𝐧"])  # noqa: RUF001
def test_case_width_and_look_alikes_do_not_make_another_name(name: str) -> None:
    assert name_key(name) == name_key("admin")


@pytest.mark.parametrize("name", ["alicé", "alice1", "al ice", "älice", "alise"])
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


@given(ANY_TEXT)
def test_normalized_text_is_unchanged(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


def test_composed_and_decomposed_letters_become_the_same_bytes() -> None:
    assert normalize("e\u0301") == normalize("é") == "é"


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800", "x\udfff"])
def test_nul_and_half_pairs_cannot_be_stored(text: str) -> None:
    assert not is_storable(text)


@pytest.mark.parametrize("text", ["", "hi", "👩‍👩‍👧", "\U0010ffff", "\t\n"])
def test_all_other_text_can_be_stored(text: str) -> None:
    assert is_storable(text)


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


MARK = "\u0301"
NAMES = {
    "Thai": "\u0e17\u0e35\u0e48",
    "Hindi": "नरेन्द्र",
    "Vietnamese": unicodedata.normalize("NFD", "Việt"),
    "the longest run": "a" + MARK * 30,
    "two runs": ("a" + MARK * 30) * 300,
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_text_with_up_to_thirty_marks_in_a_row_is_accepted(text: str) -> None:
    assert not has_too_many_marks(text)


@pytest.mark.parametrize("before", range(70))
@pytest.mark.parametrize("mark", [MARK, "\u0344", "\u0f73", "\u0f75", "\u0f81", "\u20dd", "\U0001e94a"])
def test_thirty_one_marks_in_a_row_are_noticed_wherever_they_are(before: int, mark: str) -> None:
    """U+0344, U+0F73, U+0F75 and U+0F81 become two marks each when they are decomposed."""
    assert has_too_many_marks("x" * before + mark * 31)
    assert has_too_many_marks("x" * before + mark * 31 + "x" * 40)
    assert not has_too_many_marks("x" * before + (mark * 30 + "x") * 3)


def test_every_character_that_normalization_sorts_is_a_mark() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x110000)):
        first = unicodedata.normalize("NFD", chr(code))[0]
        if unicodedata.combining(first):
            assert unicodedata.category(chr(code))[0] == "M", hex(code)


VISIBLE_FORMAT = {0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x600, 0x606)}
"""Format characters that enclose or precede digits, and are drawn."""


def test_spaces_controls_and_format_characters_show_nothing() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x110000)):
        char = chr(code)
        if unicodedata.category(char) in {"Zs", "Zl", "Zp", "Cc", "Cf"} and code not in VISIBLE_FORMAT:
            assert not shows_something(char), hex(code)


@pytest.mark.parametrize(
    "char", "\u2800\u3164\uffa0\u115f\u1160\u034f\ufe0f\ufe00\U000e0100\ufffc\U0001d159\u180b"
)
def test_characters_that_only_look_blank_show_nothing(char: str) -> None:
    assert not shows_something(char)
    assert not shows_something(f" {char}\u200b{char}\n")
    assert shows_something(f"{char}.")


@pytest.mark.parametrize(
    "text", ["a", " .", "\u200bå", "👍", "❤️", "\uf8ff", "\u0600", MARK, "\U0001fae9", "漢", "\u2801"]
)
def test_everything_else_shows_something(text: str) -> None:
    assert shows_something(text)


def test_only_surrogates_and_what_shows_nothing_is_left_out() -> None:
    """Unassigned characters count as visible: one of them may be an emoji of next year."""
    assert shows_something("\U0001faff")


@given(ANY_TEXT)
def test_text_that_shows_something_does_so_in_its_normal_form(text: str) -> None:
    assert shows_something(normalize(text)) == shows_something(text)
