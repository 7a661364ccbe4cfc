"""Epochs: a number of a room names a moment only within one, since a history can go backward.

A standby that lagged is promoted, or a backup is restored: rooms give out the same numbers again, for other messages.
Each history is a chain of epochs with random names. A new one begins before anything is numbered by another server, and
clients hand back the name together with their number (as in Kafka's leader epochs).
"""

from app.services.epochs.chain import begin, continues, enter, latest, name, valid
from app.services.epochs.current import CurrentEpoch
from app.services.epochs.mark import EpochMark

__all__ = ["CurrentEpoch", "EpochMark", "begin", "continues", "enter", "latest", "name", "valid"]
