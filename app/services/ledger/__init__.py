"""The ledger: the one way a message is numbered and stored, and the shape in which it is read back."""

from app.services.ledger.ledger import Ledger
from app.services.ledger.numbering import Draft, Outcome, Posted, ReplyToNothing

__all__ = ["Draft", "Ledger", "Outcome", "Posted", "ReplyToNothing"]
