"""Callers as one text, which the log, the audit and the counters hold: ``user:7``, ``client:3``, ``client:3:7``.

The text of a call that an administrator has tried out in the panel says who tried, and as whom: ``panel:2/client:3``.
It is made and read here alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.literals import to_number

PUBLIC = "public"
_NOBODY = "nobody"
_TRIAL, _ROLLED_BACK_TRIAL = "panel", "panel-test"


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller. ``client`` is the row of a client app, ``uid`` a user, or the person that an app acts for.

    ``admin`` is the uid of the administrator who tried the call, ``rolled_back`` says that nothing of it remained.
    ``known`` is False for somebody whose credentials were not good.
    """

    client: int | None = None
    uid: int | None = None
    admin: int | None = None
    rolled_back: bool = False
    known: bool = True

    @property
    def people(self) -> list[int]:
        """The uids of all who had to do with the call."""
        return [uid for uid in (self.admin, self.uid) if uid is not None]


def of_user(uid: int) -> str:
    """Return the text of a user."""
    return f"user:{uid}"


def of_client(client_id: int, uid: int | None = None) -> str:
    """Return the text of a client app, by itself or for a person."""
    return f"client:{client_id}" if uid is None else f"client:{client_id}:{uid}"


def for_person(uid: int) -> str:
    """Return the pattern (for LIKE) of the texts of all client apps for a person."""
    return f"client:%:{uid}"


def of_trial(admin: int, caller: str | None, *, rolled_back: bool) -> str:
    """Return the text of a call that an administrator tries as somebody; None: as nobody known."""
    return f"{_ROLLED_BACK_TRIAL if rolled_back else _TRIAL}:{admin}/{caller or _NOBODY}"


def read(text: str | None) -> Caller:
    """Return the caller of a text; what is none is nobody known."""
    kind, _, rest = (text or _NOBODY).partition(":")
    if kind in (_TRIAL, _ROLLED_BACK_TRIAL):
        admin, _, tried_as = rest.partition("/")
        caller = read(tried_as)
        return replace(caller, admin=to_number(admin), rolled_back=kind == _ROLLED_BACK_TRIAL)
    numbers = [number for part in rest.split(":") if (number := to_number(part)) is not None]
    if kind == "user" and numbers:
        return Caller(uid=numbers[0])
    if kind == "client" and numbers:
        return Caller(numbers[0], numbers[1] if len(numbers) > 1 else None)
    return Caller(known=kind == PUBLIC)
