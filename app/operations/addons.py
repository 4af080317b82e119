"""Addons with other code than the database's: calls that are refused meanwhile, and the reload that may cure it.

Writes are refused while a constraint may be missing. Where an addon was upgraded and its new code is on the disk, they
go on until a reload of the server has been tried: in Odoo's own processes, too, the old code serves until a restart.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from app.errors import DefinitionOutdated, Unavailable
from app.observe import meters
from odoo_bridge import direct_reads
from odoo_bridge.addon_differences import Kind
from odoo_bridge.errors import BootError
from odoo_bridge.transaction import Environment, Transactions
from serving import renewal

#: Seconds between two looks at the files that could cure what is wrong.
_INTERVAL = 1.0
#: Seconds that a look at Odoo's signals may take.
_PATIENCE = 2.0


class Addons:
    """Effect of the addons, in the database and as loaded here, on this process's calls."""

    def __init__(self, transactions: Transactions, odoo_conf: Path) -> None:
        self._current = transactions.current
        self._database = transactions.database
        self._odoo_conf = odoo_conf
        self._looked = float("-inf")

    def problem(self) -> Unavailable | None:
        """Return the error for which writes can't be served, with its reasons for operators in its data, or None."""
        failure, differences = self._current.failure, self._current.code.differences
        if failure is not None:
            data = {"reason": failure.reason}
            return Unavailable("Odoo cannot be loaded at the moment.", name="registry_unavailable", data=data)
        grave = [difference for difference in differences if difference.kind is not Kind.REMOVED]
        if not grave or (all(each.kind is Kind.CHANGED for each in grave) and renewal.is_hopeful(self._disease())):
            return None
        return Unavailable(
            "The code of Odoo's addons on this server is not that of the database.",
            name="addon_mismatch",
            data={"addons": {difference.addon: difference.reason for difference in grave}},
        )

    def check_writable(self, root: Environment) -> None:
        """Raise Unavailable where a write could miss a constraint; nothing has been done yet.

        Raises DefinitionOutdated where the registry of before is at work: the call begins anew with the present one.
        """
        self._current.judge(root.cr, root.registry)
        if not self._current.code.is_judged(root.registry):
            raise DefinitionOutdated()
        if self._current.failure is None and not self._current.code.differences:
            return
        problem = self.problem()
        if problem is not None:
            message = "Odoo's addons are being changed, and nothing can be written. Please try again later."
            raise Unavailable(message, name=problem.name)

    def look(self) -> None:
        """Called a few times a second: tell how many addons differ, and ask for a reload as long as any do."""
        disease = self._disease()
        meters.ADDON_MISMATCH.set(len(self._current.code.differences) + (self._current.failure is not None))
        now = time.monotonic()
        if disease and now - self._looked >= _INTERVAL:
            self._looked = now
            failure = self._current.failure
            at_fault = {failure.addon} if failure is not None and failure.addon else set()
            around = self._current.code.surroundings(self._odoo_conf, at_fault)
            renewal.ask(disease, int.from_bytes(around[:8], "big"))
            if failure is not None and failure.kept is None:
                direct_reads.read(self._database, self._current.look, statement_timeout=_PATIENCE)

    def cure(self) -> str:
        """In a process that stands alone: return what a successor could cure, "" for nothing (``renewal.asked``).

        Where Odoo's code can't be loaded a successor could not either, and would have no registry to go on with.
        """
        return renewal.asked() if self._current.failure is None else ""

    def check_start(self, disease: str | None) -> None:
        """Raise BootError where this process, which has just started, is not fit to take another one's place.

        An addon may have come meanwhile whose code can't be loaded: here is the registry of before, and after the next
        start there would be none. Or it was started to cure a disease, and has the same.
        """
        failure = self._current.failure
        if failure is not None:
            raise BootError(f"Odoo's registry cannot be loaded any more. {failure.reason}")
        if disease and disease == str(self._disease()):
            reasons = "; ".join(f"{each.addon}: {each.reason}" for each in self._current.code.differences)
            raise BootError(f"A reload does not bring the addons' code in line with the database's. {reasons}")

    def _disease(self) -> int:
        """Return a number that stands for all that is wrong, the same in all processes; 0 for nothing."""
        failure, differences = self._current.failure, self._current.code.differences
        wrong = [f"{difference.addon} {difference.kind.value}" for difference in differences]
        if failure is not None:
            wrong.append(f"{failure.addon or ''} not loadable")
        if not wrong:
            return 0
        digest = hashlib.blake2b("\n".join(wrong).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") or 1
