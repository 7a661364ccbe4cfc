"""A transaction, and what has to follow its commit."""

from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session


class UnitOfWork(Session):
    """One transaction. What it announces is published after its commit; a rollback drops it.

    Services get one and never commit it.
    """

    def __init__(self, bind: Engine | Connection, **options: Any) -> None:
        super().__init__(bind, expire_on_commit=False, **options)
        self.announcements: list[Any] = []
        """For `Database.on_commit`, in the order they were made."""
        self.erases = False
        """Whether it deletes text, which then has to disappear from the files of the database too."""
