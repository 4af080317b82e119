"""Answers of a delta: a page, or events without their records, and the errors that say why there is neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.errors import BadRequest, Gone, Unavailable
from app.operations.single import Json
from odoo_bridge.changes.needs import Needs, TableNeed
from odoo_bridge.changes.state import Point
from odoo_bridge.changes.tables import Untold

#: What becomes of a record that is followed: it comes into a user's sight, changes there, and goes from it.
Event = Literal["created", "updated", "removed"]


@dataclass(frozen=True, slots=True)
class DeltaPage:
    """Answer to a delta, and the parameters of the next call with what that gives: more of this, or what comes.

    ``tables`` are those that changes are noted of; ``fading`` has to be asked for again, or is not noted any more.
    """

    body: Json
    following: Json
    relation: str
    token: str
    tables: frozenset[str]
    fading: Needs


@dataclass(frozen=True, slots=True)
class DeltaEvents:
    """Events of a page, each a record's id and what has become of it, and the token of the page behind it.

    ``more`` says that there are changes behind these; ``tables`` and ``fading`` are as a page has them.
    """

    told: list[tuple[int, Event]]
    token: str
    more: bool
    tables: frozenset[str]
    fading: Needs


class NotCaptured(Exception):
    """Tables that have to be captured for this caller, and are not; raised so that they are asked for."""

    def __init__(self, needs: Mapping[str, TableNeed], error: Unavailable) -> None:
        super().__init__(", ".join(needs))
        self.needs = dict(needs)
        self.error = error


def untold(model: str, error: Untold) -> BadRequest:
    """Return the error for a model whose changes can't be told from tables."""
    message = f"The changes of {model} can't be followed, because {error.reason}."
    return BadRequest(message, name="delta_impossible", data={"reason": error.reason})


def not_ready(why: str, point: Point) -> Unavailable:
    """Return the error for changes that are not noted yet."""
    message = f"There is no delta yet: {why}. Try again in a moment."
    return Unavailable(message, name="delta_not_ready", retry_after=2, data={"lag": round(point.lag, 3)})


def expired(why: str) -> Gone:
    """Return the error for a token that can't be gone on from."""
    message = f"The token can't be gone on from: {why}. Begin with a new pass, without token."
    return Gone(message, data={"parameter": "token", "reason": why})
