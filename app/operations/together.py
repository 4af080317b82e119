"""The transaction that the steps of an atomic batch share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from app.errors import BadRequest, DefinitionOutdated
from app.principal import Principal
from odoo_bridge import batches
from odoo_bridge.gone import GONE
from odoo_bridge.transaction import Environment
from odoo_bridge.translation import RETRYABLE

T = TypeVar("T")


class Together:
    """One transaction, in which calls run one after the other.

    ``is_untouched`` until one has written; ``is_kept`` once it is committed, whatever happens after that.
    """

    def __init__(self, root: Environment, place: Environment, *, testing: bool) -> None:
        """``root`` finds out who calls, ``place`` is where the calls work (``odoo_bridge.batches``).

        ``testing`` says that nothing of it will be kept.
        """
        self._root = root
        self._place = place
        self._testing = testing
        self.is_kept = False
        root.cr.postcommit.add(self._be_kept)
        self._uid: int | None = None
        self._failure: Exception | None = None
        self.is_untouched = True

    def _be_kept(self) -> None:
        self.is_kept = True

    def run(self, work: Callable[[Environment], T]) -> T:
        """Run ``work(root)``, which admits a call and does it. Raises as ``Transactions.run`` does."""
        try:
            self._root.invalidate_all()
            return work(self._root)
        except Exception as error:
            self._failure = error
            translated = batches.refusal(self._root, self._place, error)
            if translated is None or translated is error:
                raise
            raise translated from error

    def raise_what_another_try_may_mend(self) -> None:
        """Raise the failure of a call anew, as it was raised, if the whole transaction may get over it."""
        if isinstance(self._failure, (*RETRYABLE, *GONE, DefinitionOutdated)):
            raise self._failure

    @contextmanager
    def step(self, principal: Principal, *, reads: bool, read_only: bool, rolled_back: bool) -> Iterator[Environment]:
        """Give the superuser's environment that a call works in; raises BadRequest for one of another user or mode.

        ``reads`` says that it is made to write nothing, ``read_only`` that PostgreSQL has to refuse it,
        ``rolled_back`` that nothing of it may remain.
        """
        if rolled_back != self._testing and (rolled_back or not reads):
            raise of_several_modes()
        if self._uid not in (None, principal.uid):
            raise BadRequest(
                "One Odoo user executes all steps of an atomic batch, and this one another than those before.",
                name="batch_of_several_users",
                data={"parameter": "steps"},
            )
        self._uid = principal.uid
        self.is_untouched = self.is_untouched and reads
        with batches.reading(self._place) if read_only else nullcontext():
            yield self._place
            self._place.cr.commit()  # to its savepoint: what has to be found out at the end of a call is


def of_several_modes() -> BadRequest:
    """Return the error of a batch of which some steps would be kept, and others not."""
    return BadRequest(
        "Some steps of this atomic batch are for APIs in test mode, and others are not.",
        name="batch_of_several_modes",
        data={"parameter": "steps"},
    )
