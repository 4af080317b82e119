"""A call that an administrator tries out in the panel's console, and what makes it different from one from outside.

Its mark lies in the WSGI environment as an object of ours. What a client sends arrives there as text, under names that
begin with ``HTTP_``: nothing that comes from outside can be taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.analytics import callers
from app.definitions.definition import Definition

#: Where the mark lies.
KEY = "gatehouse.trial"


@dataclass(frozen=True, slots=True)
class Trial:
    """Mark of a call that is tried in the panel.

    ``admin`` is the administrator's uid. ``rolled_back`` says that nothing of the call may remain, whatever the API's
    mode. ``client`` is the row of a client app that the call is made as; no token of it exists at any time. ``draft``
    is an API that is not published, and served to this one call: only as a test, and only to the administrator.
    """

    admin: int
    rolled_back: bool
    client: int | None = None
    draft: Definition | None = None

    def __post_init__(self) -> None:
        if self.draft is not None and (self.client is not None or not self.rolled_back):
            raise ValueError("A draft is tried as a test alone, and by the administrator alone.")

    def caller(self, key: str | None) -> str:
        """Return the caller for the log and the audit: the person, and the key of the caller they tried as, or None."""
        return callers.of_trial(self.admin, key, rolled_back=self.rolled_back)


def trial_of(environ: Mapping[str, Any]) -> Trial | None:
    """Return the mark of a request; None for all that come from outside."""
    found = environ.get(KEY)
    return found if isinstance(found, Trial) else None


def draft_of(environ: Mapping[str, Any]) -> Definition | None:
    """Return the API that is served to this request alone."""
    trial = trial_of(environ)
    return trial.draft if trial is not None else None


def is_rolled_back(definition: Definition, trial: Trial | None) -> bool:
    """True if nothing of a call may remain: in test mode, or where an administrator tries it out so."""
    return definition.document.keeps_nothing or (trial is not None and trial.rolled_back)
