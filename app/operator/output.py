"""What commands print: sentences and tables on standard output, progress bars on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.operator import sqlite_file

console = Console(highlight=False, soft_wrap=True)


@contextmanager
def progress_bars() -> Iterator[sqlite_file.Step]:
    """A bar for each step, gone at the end. Nothing is shown where no terminal is."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        yield partial(_begin, bars)


def _begin(bars: Progress, title: str) -> sqlite_file.Progress:
    task = bars.add_task(title, total=None)

    def progress(done: int, total: int) -> None:
        bars.update(task, completed=done, total=total)

    return progress
