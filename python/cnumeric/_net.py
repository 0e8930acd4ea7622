"""Several processes: imported before anything else, since of several ranks all but one become workers here."""

from __future__ import annotations

import atexit
import os

from . import _cnumeric

if _cnumeric.net_size() > 1:
    atexit.register(_cnumeric.net_close)
    os.environ["CN_NET_RANK_TAKEN_BY"] = str(os.getpid())  # the core has set it too, for programs started without this
