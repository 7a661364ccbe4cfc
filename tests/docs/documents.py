"""The documents as tests read them: where they are, their code blocks, their headings and their links."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.server import ROOT

DOCS = ROOT / "docs"
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted(DOCS.rglob("*.md")),
]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def block(document: Path, language: str, holding: str) -> str:
    """The document's code block of this language that contains `holding`."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", document.read_text(), re.DOTALL)
    return next(code for code in blocks if holding in code)


def anchors(document: Path) -> set[str]:
    """The fragments that GitHub gives to the document's headings."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.findall(FENCED.sub("", document.read_text())):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken_links(document: Path) -> Iterator[str]:
    """Relative links of the document that lead to no file, or to no heading in it."""
    for target in LINK.findall(FENCED.sub("", document.read_text())):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = document.parent / path if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield target
