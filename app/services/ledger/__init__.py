"""The ledger: the only code that numbers and stores messages, and the columns in which they are read back."""

from app.services.ledger.group_commit import Ledger
from app.services.ledger.numbering import Draft, Outcome, Posted, ReplyToNothing

__all__ = ["Draft", "Ledger", "Outcome", "Posted", "ReplyToNothing"]
