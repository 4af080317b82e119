"""Last uses of tokens: remembered by the calls, written in batches, at most once a minute for each token."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone

from app.database import Transactional

#: Seconds within which a token's further uses are not written: what is shown is right to a minute.
PRECISION = 60
#: Most tokens that wait to be written; what comes beyond is not noted until the next minute.
CAPACITY = 10_000

# Other workers see the same tokens: whoever finds a row locked leaves it to them.
_UPDATE = (
    "WITH used AS ("
    "SELECT token.lookup, new.at FROM gatehouse.token "
    "JOIN unnest(CAST(%(lookups)s AS text[]), CAST(%(times)s AS timestamptz[])) AS new(lookup, at) USING (lookup) "
    "WHERE token.last_used_at IS NULL OR token.last_used_at <= new.at - %(precision)s * interval '1 second' "
    "FOR UPDATE OF token SKIP LOCKED"
    ") UPDATE gatehouse.token SET last_used_at = used.at FROM used WHERE token.lookup = used.lookup"
)


class TokenUse:
    """The tokens that calls of this process have used since the last write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._noted: dict[str, float] = {}
        self._waiting: dict[str, datetime] = {}

    def note(self, lookup: str) -> None:
        """Remember that a token was used; ``lookup`` is the part of it that is no secret."""
        now = time.monotonic()
        if now - self._noted.get(lookup, float("-inf")) <= PRECISION:
            return
        with self._lock:
            if len(self._waiting) < CAPACITY:
                self._noted[lookup] = now
                self._waiting[lookup] = datetime.now(timezone.utc)

    def write(self, database: Transactional) -> None:
        """Write the remembered uses; raises psycopg2.Error, and then remembers them still."""
        with self._writing:  # whoever comes second returns when all is written
            uses = self._taken()
            if not uses:
                return
            try:
                with database.transaction() as cr:
                    cr.execute(_UPDATE, {"lookups": list(uses), "times": list(uses.values()), "precision": PRECISION})
            except BaseException:
                with self._lock:
                    self._waiting = {**uses, **self._waiting}
                raise

    def _taken(self) -> dict[str, datetime]:
        with self._lock:
            uses, self._waiting = self._waiting, {}
            oldest = time.monotonic() - PRECISION
            self._noted = {lookup: noted for lookup, noted in self._noted.items() if noted > oldest}
            return uses
