"""Names that can be mistaken for each other share a key, and others do not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.look_alikes import TABLE, look_alike_keys, skeleton
from app.core.unicode_tables import rows
from tools import look_alikes as tool

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=64)

MISTAKEN = [
    ("alice", "aIice"),
    ("alice", "a1ice"),
    ("alice", "ALICE"),
    ("ALICE", "aIice"),
    ("Ian", "lan"),
    ("bob", "B0b"),
    ("admin", "adrnin"),
    ("ADMIN", "adrnin"),
    ("AdMin", "Adrnin"),
    ("admin", "admi\u0307n"),
    ("ibrahim", "\u0130brahim"),
    ("admin", "\u0430dmin"),
    ("admin", "\uff41\uff44\uff4d\uff49\uff4e"),
    ("scope", "\u0455\u0441\u043e\u0440\u0435"),
    ("admin", "ad\u200bmin"),
]
DIFFERENT = [
    ("ian", "lan"),
    ("alla", "alia"),
    ("alia", "aila"),
    ("zoe", "zo\u00eb"),
    ("anna", "hanna"),
    ("alice", "alice2"),
    ("paul", "saul"),
    ("\u30cb", "\u4e8c\u4e8c"),
]


@pytest.mark.parametrize("one, other", MISTAKEN)
def test_names_that_look_alike_share_a_key(one: str, other: str) -> None:
    assert look_alike_keys(one) & look_alike_keys(other)


@pytest.mark.parametrize("one, other", DIFFERENT)
def test_names_that_differ_visibly_share_none(one: str, other: str) -> None:
    assert not look_alike_keys(one) & look_alike_keys(other)


@given(ANY_TEXT)
def test_a_name_shares_a_key_with_itself_in_every_case_and_normal_form(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC"):
        assert look_alike_keys(unicodedata.normalize(form, name)) & look_alike_keys(name)
    assert look_alike_keys(name.casefold()) & look_alike_keys(name)


def test_the_table_is_that_of_unicode() -> None:
    """Samples of the lines of confusables.txt, and its size as far as names go."""
    assert TABLE.read_text(encoding="utf-8").startswith("18.0.0\n")
    assert [skeleton(char) for char in "0O1Ilm"] == ["O", "O", "l", "l", "l", "rn"]
    assert skeleton("\u0440\u0430\u0443\u0440\u0430\u04cf") == "paypal"
    table = {code: key for key, codes in rows(TABLE) for code in codes}
    assert len(table) > 5_000
    assert all(f"{code:x}" not in key.split() for code, key in table.items())


SECURITY = r"""
pub const UNICODE_VERSION: (u64, u64, u64) = (18, 0, 0);
pub mod confusable_detection {
    const CONFUSABLES: &'static [(char, &'static [char])] = &[
        ('\\u{22}',  &['\\u{27}',  '\\u{27}']), ('\\u{30}',  &['\\u{4f}']), ('\\u{6d}',
         &['\\u{72}',  '\\u{6e}']), ('\\u{6e}', &['\\u{72}', '\\u{6e}'])];
}
pub mod other { ('\\u{61}', &['\\u{62}']) }
""".replace("\\\\", "\\")
SCRIPT = r"""
const UNICODE_VERSION: (u64, u64, u64) = (18, 0, 0);
fn inner_short_name(self) { Script::Latin => "Latn", Script::Common => "Zyyy" }
const SCRIPTS = &[('\\u{20}', '\\u{20}',  Script::Common), ('\\u{61}', '\\u{7a}',  Script::Latin)];
const SCRIPT_EXTENSIONS = &[('\\u{301}', '\\u{302}', script_extensions::CYRL_LATN),
    ('\\u{363}', '\\u{363}', script_extensions::LATIN)];
""".replace("\\\\", "\\")


def test_the_tool_reads_the_tables_of_the_crates() -> None:
    assert tool.version_of(SECURITY) == "18.0.0"
    assert tool.prototypes(SECURITY) == {"4f": [0x30], "72 6e": [0x6D, 0x6E]}, "quotes are in no username"
    found = tool.extensions(SCRIPT)
    assert {key: list(tool.packed(codes)) for key, codes in found.items()} == {
        "Latn": ["61-7a", "363"],
        "Cyrl Latn": ["301-302"],
    }
