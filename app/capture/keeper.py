"""The keeper of the capture: has triggers where changes are followed, and nowhere else.

Each process looks every few seconds, at the start and after each change of the definitions at once; one at a time puts
in order what it finds: a table that an upgrade of Odoo has made anew has its triggers again before the next look.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable

import psycopg2
import psycopg2.errors

from app.capture import days, triggers, wanted
from app.catalog import store
from app.catalog.catalog import Snapshot
from app.database import Cursor, Database
from app.observe import meters
from odoo_bridge.changes import state
from odoo_bridge.changes.needs import Needs, TableNeed, union
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Transactions

_logger = logging.getLogger(__name__)
#: Setting that says whether changes are captured at all.
SWITCH = "capture"
#: Seconds between two looks while something is followed, and between two times that old days are dropped.
INTERVAL, CLEAN_UP = 5.0, 3600.0
#: Seconds between two times that a table is asked for again.
ASK_AGAIN = 3600.0
#: Powers of two, in seconds, for which a table that others use is left alone at most.
_MOST_LATE = 5


class Keeper:
    """Keeps the triggers of one database as the definitions want them."""

    def __init__(self, database: Database, transactions: Transactions, snapshot: Callable[[], Snapshot]) -> None:
        """``snapshot`` returns the catalog as it is served."""
        self._database = database
        self._transactions = transactions
        self._snapshot = snapshot
        self._thread: threading.Thread | None = None
        self._pid: int | None = None
        self._seen: Snapshot | None = None
        self._next_look = self._next_clean_up = float("-inf")
        self._asked: dict[str, TableNeed] = {}
        self._asked_again: dict[str, float] = {}
        self._asking = threading.Lock()
        self._is_idle = False
        self._late = 0

    def look(self) -> None:
        """Put the triggers in order in a thread of its own, if it is time for that; called every second or so."""
        snapshot, now = self._snapshot(), time.monotonic()
        if self._pid != os.getpid():
            self._pid, self._thread, self._seen = os.getpid(), None, None
        if not snapshot.version or (self._thread is not None and self._thread.is_alive()):
            return
        is_new = snapshot is not self._seen or bool(self._asked)
        if not is_new and (self._is_idle or now < self._next_look):
            return
        self._seen, self._next_look = snapshot, now + INTERVAL
        self._thread = threading.Thread(target=self._keep, name="capture", daemon=True)
        self._thread.start()

    @property
    def is_on(self) -> bool:
        """True unless an operator has switched the capture off."""
        return self._snapshot().settings.get(SWITCH) is not False

    def ask_again(self, needs: Needs) -> None:
        """Have tables captured for longer that somebody still follows; they were asked for before."""
        now = time.monotonic()
        with self._asking:
            again = {table for table in needs if now - self._asked_again.get(table, float("-inf")) > ASK_AGAIN}
            self._asked_again |= dict.fromkeys(again, now)
        if again:
            self.ask({table: needs[table] for table in again})

    def ask(self, needs: Needs) -> None:
        """Have tables captured for somebody who follows them now, also where no definition tells of them."""
        with self._asking:
            self._asked = union([self._asked, needs])

    def keep(self) -> list[str]:
        """Put the triggers in order once; returns the tables that could not be had, as others were using them.

        Raises psycopg2.Error and BridgeError.
        """
        snapshot = self._snapshot()
        definitions = snapshot.published if self.is_on else []
        self._is_idle = not wanted.followed(definitions)
        needs, is_whole = self._transactions.run(lambda root: wanted.needs(root, definitions))
        with self._database.transaction() as cr:
            noted, with_triggers = triggers.noted(cr), triggers.with_triggers(cr)
            self._store_asked(cr, needs)
            if not self._is_idle:
                needs = union([needs, triggers.asked(cr)])
        meters.CAPTURED_TABLES.set(len(needs))
        if needs:
            days.make(self._database)
            with self._database.transaction() as cr:
                days.mark(cr)
        unwanted = (noted.keys() | with_triggers) - needs.keys() if is_whole else ()
        wrong = [table for table, need in needs.items() if table not in noted or not noted[table].covers(need)]
        late = [table for table in (*wrong, *unwanted) if not self._mended(table, needs.get(table), snapshot.version)]
        if not self._is_idle:
            self._measure()
        return late

    def _keep(self) -> None:
        try:
            if late := self.keep():
                # Each try holds up all who write to the table for a moment: so they become rarer.
                self._late = min(self._late + 1, _MOST_LATE)
                _logger.warning("In use, and not captured yet as they are to be: %s", ", ".join(sorted(late)))
                self._next_look = time.monotonic() + random.uniform(0.5, 1) * 2**self._late  # noqa: S311  no secret
                self._is_idle = False
            else:
                self._late = 0
            if time.monotonic() > self._next_clean_up:
                self._next_clean_up = time.monotonic() + CLEAN_UP
                days.drop(self._database, self._snapshot().system.changes_retention_days)
        except (psycopg2.Error, BridgeError) as error:
            meters.CAPTURE_FAILURES.inc()
            _logger.warning("The capture of changes can't be looked after: %s", error)
        except Exception:
            meters.CAPTURE_FAILURES.inc()
            _logger.exception("The capture of changes can't be looked after")

    def _store_asked(self, cr: Cursor, needs: Needs) -> None:
        """Store the needs that callers have asked for and no definition has; none where nothing is followed."""
        with self._asking:
            wanted_too, self._asked = self._asked, {}
        if self._is_idle:
            return
        for table, need in wanted_too.items():
            if table not in needs or (needs[table] | need) != needs[table]:
                triggers.ask(cr, table, need)

    def _mended(self, table: str, need: TableNeed | None, version: int) -> bool:
        """Have a table captured as is needed, or no longer; False where others are using it, or are at it.

        One who knows definitions that are newer than those of ``version`` has other needs: then it is theirs.
        """
        try:
            with self._database.transaction() as cr:
                cr.execute(f"SELECT pg_try_advisory_xact_lock(hashtext('gatehouse.capture')), ({store.VERSION})")
                is_alone, present = cr.fetchone() or (False, 0)
                if not is_alone:
                    return False
                if present == version and need is None:
                    triggers.remove(cr, table)
                elif present == version and need is not None:
                    triggers.install(cr, table, need)
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected):
            return False
        return True

    def _measure(self) -> None:
        meters.CHANGES_LAG.set(self._transactions.run(state.point).lag)
