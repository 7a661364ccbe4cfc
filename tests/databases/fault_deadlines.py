"""The deadlines of tests about faults: short ones, or with `make faults` the real ones and every packet."""

import os

from app.core.database import Deadlines

IS_LONG = os.environ.get("FAULTS") == "all"
SHORT = Deadlines(begin=0.6, run=0.8, lock=0.3, idle_transaction=0.5, replace_pool=1.0)
"""MySQL and MariaDB round locks and idle transactions up to 1 s."""
DEADLINES = Deadlines() if IS_LONG else SHORT
GRACE_SECONDS = 2.0
"""What a busy machine may take beyond the deadlines."""
HEALED_SECONDS = 15.0
"""From the end of a fault until everything works again."""
