"""What a check of the installation reports."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    FINE = "fine"
    NOTE = "note"
    """Worth knowing; the installation works as intended."""
    HARM = "harm"
    """Stops the server, loses messages, or lets strangers in."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, and what to do if it is not fine."""

    level: Level
    subject: str
    text: str


Findings = Iterator[Finding]


def fine(subject: str, text: str) -> Finding:
    return Finding(Level.FINE, subject, text)


def note(subject: str, text: str) -> Finding:
    return Finding(Level.NOTE, subject, text)


def harm(subject: str, text: str) -> Finding:
    return Finding(Level.HARM, subject, text)
