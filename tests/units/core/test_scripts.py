"""Scripts: which may be mixed in one name, and which marks they use."""

import pytest

from app.core.scripts import TABLE, has_stray_marks, mixes_scripts, scripts_of

TOGETHER = [
    "alice",
    "42",
    "Zo\u00eb",
    "李小龍",
    "山田たろう",
    "Tom トム",
    "Kim 김",
    "Li ㄅㄆ 李",
    "Дмитрий",
    "Γιώργος 7",
    "नरेन्द्र",
    "محمد",
]
MIXED = ["\u0430dmin", "Γιώργος Papas", "Дмитрий Smith", "김たろう", "ㄅた", "नa", "Tom トム Дима"]


@pytest.mark.parametrize("name", TOGETHER)
def test_a_script_alone_or_with_those_it_is_written_with_is_accepted(name: str) -> None:
    assert not mixes_scripts(name)


@pytest.mark.parametrize("name", MIXED)
def test_other_mixtures_are_noticed(name: str) -> None:
    assert mixes_scripts(name)


@pytest.mark.parametrize(
    "name", ["alice", "o\u0323\u0301la", "กำลัง", "မြန်မာ", "မြွှေ့", "עִבְרִית", "हिन्दी", "ភាសាខ្មែរ", "مُحَمَّد", "かɡ"]
)
def test_marks_that_a_script_uses_are_accepted(name: str) -> None:
    assert not has_stray_marks(name)


@pytest.mark.parametrize(
    "name",
    [
        "a\u0336lice",
        "a\u0489",
        "a\u05b8",
        "א\u0327",
        "7\u0301",
        "\u0301a",
        "x\u0301\u0301",
        "x\u0301\u0302\u0303\u0304\u0306",
        "alice\u20dd",
    ],
)
def test_marks_that_it_does_not_use_or_too_many_are_noticed(name: str) -> None:
    assert has_stray_marks(name)


def test_the_table_is_that_of_unicode() -> None:
    assert TABLE.read_text(encoding="utf-8").startswith("18.0.0\n")
    assert scripts_of("a") == {"Latn"}
    assert scripts_of("7") == scripts_of(".") == set()
    assert scripts_of("\u30fc") == {"Hira", "Kana"}
    assert {"Latn", "Cyrl"} <= scripts_of("\u0301")
