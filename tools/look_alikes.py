"""Write `app/core/look_alikes.txt` and `app/core/scripts.txt`: `python -m tools.look_alikes FOLDER`.

They are Unicode's confusables.txt (Technical Standard 39), Scripts.txt and ScriptExtensions.txt, as far as letters,
digits, marks and the punctuation of usernames go. FOLDER holds the sources of the Rust crates unicode-security and
unicode-script, whose tables are made from those files: 0.1.3 and 0.5.9 have version 18.0.0.
"""

import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.core import look_alikes, scripts
from app.core.names import PUNCTUATION

CODE = r"'\\u\{([0-9a-f]+)\}'"
MEANINGLESS = {"Common", "Inherited", "Unknown"}


def may_be_in_a_name(code: int) -> bool:
    """Also what this Python does not know yet: it may be a letter of a newer version of Unicode."""
    return chr(code) in PUNCTUATION or unicodedata.category(chr(code))[0] in "LMNC"


def prototypes(source: str) -> dict[str, list[int]]:
    """The characters that look like each prototype."""
    table = source.partition("mod confusable_detection")[2].partition("pub mod")[0]
    found: defaultdict[str, list[int]] = defaultdict(list)
    for code, prototype in re.findall(rf"\({CODE},\s*&\[(.*?)\]\)", table, re.DOTALL):
        if may_be_in_a_name(int(code, 16)):
            found[" ".join(re.findall(CODE, prototype))].append(int(code, 16))
    return found


def extensions(source: str) -> dict[str, list[int]]:
    """The characters of each set of scripts, by their short names."""
    names: list[tuple[str, str]] = re.findall(
        r'Script::(\w+) => "(\w{4})"', source.partition("fn inner_short_name")[2]
    )
    short = dict(names)
    sets: dict[int, str] = {}
    for first, last, script in re.findall(rf"\({CODE},\s*{CODE},\s*Script::(\w+)\)", source):
        if script not in MEANINGLESS:
            sets |= dict.fromkeys(range(int(first, 16), int(last, 16) + 1), short[script])
    for first, last, several in re.findall(rf"\({CODE},\s*{CODE},\s*script_extensions::(\w+)\)", source):
        those = " ".join(short.get(one.title(), one.title()) for one in several.split("_"))
        sets |= dict.fromkeys(range(int(first, 16), int(last, 16) + 1), those)
    found: defaultdict[str, list[int]] = defaultdict(list)
    for code, names_of in sorted(sets.items()):
        if may_be_in_a_name(code):
            found[names_of].append(code)
    return found


def packed(codes: Iterable[int]) -> Iterator[str]:
    """Code points in hexadecimal, runs of them as `first-last`."""
    ordered = sorted(codes)
    first = last = ordered[0]
    for code in [*ordered[1:], -1]:
        if code != last + 1:
            yield f"{first:x}" if first == last else f"{first:x}-{last:x}"
            first = code
        last = code


def write(path: Path, version: str, table: dict[str, list[int]]) -> None:
    lines = [f"{key}: {' '.join(packed(codes))}" for key, codes in sorted(table.items())]
    path.write_text("\n".join([version, *lines]) + "\n", encoding="utf-8")


def version_of(source: str) -> str:
    found = re.search(r"UNICODE_VERSION[^=]*= \((\d+), (\d+), (\d+)\)", source)
    assert found is not None
    return ".".join(found.groups())


def main(folder: str) -> None:
    for crate, tabulate, path in (
        ("unicode-security", prototypes, look_alikes.TABLE),
        ("unicode-script", extensions, scripts.TABLE),
    ):
        (tables,) = Path(folder).glob(f"{crate}-*/src/tables.rs")
        source = tables.read_text(encoding="utf-8")
        write(path, version_of(source), tabulate(source))


if __name__ == "__main__":
    main(*sys.argv[1:])
