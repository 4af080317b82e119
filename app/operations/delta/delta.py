"""A delta: all records in pages, and then what was committed since, each record once and as it is now.

Membership is told at two points: a client that was given all up to one point is told what it has to add and to drop to
know all up to the next. A record that only a later transaction has let in is held back, and comes with that one; one
that a later transaction has hidden can't be shown, and is told of anew when that one's turn comes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.definitions.definition import Node
from app.definitions.scopes import Scope
from app.operations.delta import tokens
from app.operations.delta.answers import DeltaEvents, DeltaPage, Event, NotCaptured, expired, not_ready, untold
from app.operations.delta.tokens import Progress
from app.operations.single import Json, RecordOperations, caller_of
from app.policy import delta as policy
from app.policy.delta import LATEST, DeltaQuery
from odoo_bridge import records
from odoo_bridge.changes import state
from odoo_bridge.changes.following import Following
from odoo_bridge.changes.needs import Needs
from odoo_bridge.changes.reading import Candidate, Overview, Reader, Stretch
from odoo_bridge.changes.state import Point
from odoo_bridge.changes.tables import Untold
from odoo_bridge.types import Page, Table

#: Seconds for which an answer is looked for among changes that are not for this user, and most that are at once.
_PATIENCE, _BATCH = 1.0, 5_000


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a record: it is there, with values to be told, or it has gone.

    ``was_there`` is known of all where events are told, else of those alone of which it matters.
    """

    id: int
    is_there: bool
    was_there: bool

    @property
    def event(self) -> Event:
        """The event that has become of it, where ``was_there`` is known."""
        if not self.is_there:
            return "removed"
        return "updated" if self.was_there else "created"


class Delta:
    """One answer of a delta."""

    def __init__(self, do: RecordOperations, parameters: Mapping[str, Any]) -> None:
        """Raises ApiError, BridgeError and NotCaptured."""
        self._do = do
        self._wanted: DeltaQuery = policy.delta(parameters, do.definition, shown(do))
        self._given = {name: value for name, value in parameters.items() if name != "token"}
        self._point: Point = state.point(do.env)
        try:
            node = self._wanted.node
            stored = tuple(name for name in node.fields if name not in node.on_request)
            self._following = Following(do.env, do.model, do.domain, stored)
            if self._wanted.token is None or self._wanted.token == LATEST:
                self._following.check()
        except Untold as error:
            raise untold(do.model, error) from error
        self._fingerprint = self._fingerprint_now()
        self._progress = self._checked()
        self._rows: dict[int, Json] = {}
        self._reader: Reader = self._following.reader(self._captured)

    def page(self) -> DeltaPage:
        """Return the next page. Raises ApiError and BridgeError."""
        if self._wanted.token == LATEST:
            return self._answer({"changes": []}, self._up_to_now())
        stretch, overview = self._next()
        try:
            if self._progress.first is None:
                return self._pass(stretch, overview)
            told, following = self._changes(stretch, overview)
            return self._answer({"changes": self._rendered(told)}, following)
        except Untold as error:
            raise untold(self._do.model, error) from error

    def events(self) -> DeltaEvents:
        """Return the events of the next page of changes, with none of the records. Raises ApiError and BridgeError."""
        told: list[_Change] = []
        following = self._up_to_now()
        if self._wanted.token != LATEST:
            stretch, overview = self._next()
            try:
                told, following = self._changes(stretch, overview, with_events=True)
            except Untold as error:
                raise untold(self._do.model, error) from error
        found = [(each.id, each.event) for each in told]
        tables = frozenset(self._captured.relations)
        return DeltaEvents(found, self._sealed(following), self._has_more(following), tables, self._fading())

    def _next(self) -> tuple[Stretch, Overview]:
        """Return the stretch of the next page, and what has happened in it; raises Gone."""
        progress = self._progress
        end = progress.end if progress.end is not None else self._point.horizon
        stretch = Stretch(end if progress.first is None else progress.first, end, progress.earliest)
        overview = self._reader.overview(stretch)
        if overview.was_emptied:
            raise expired("a table was emptied at once")
        return stretch, overview

    def _pass(self, stretch: Stretch, overview: Overview) -> DeltaPage:
        """Return a page of all records, as of the end of a stretch."""
        do, progress, end = self._do, self._progress, stretch.end
        progress = self._seeing(progress, overview)
        page = self._search([("id", ">", progress.after)], self._wanted.limit, self._wanted.node)
        seen = self._seen_at_end(page.table.ids, stretch, overview)
        rows = do.to_json(page.table, self._wanted.node)
        shown = [row for row, record_id in zip(rows, page.table.ids, strict=True) if record_id in seen]
        if page.more:
            return self._answer({"records": shown}, replace(progress, end=end, after=page.table.ids[-1]))
        return self._answer({"records": shown}, replace(progress, first=end, end=None, after=0))

    def _changes(
        self, stretch: Stretch, overview: Overview, *, with_events: bool = False
    ) -> tuple[list[_Change], Progress]:
        """Return a page of the changes that were committed in a stretch, and the progress behind it."""
        progress, horizon, limit = self._progress, self._point.horizon, self._wanted.limit
        if not overview.changed:
            return [], replace(self._up_to_now(), ahead=progress.ahead)
        end = progress.end or min(horizon, overview.stops_before or horizon)
        stretch = replace(stretch, end=end)
        told, after = self._collected(stretch, overview, with_events)
        progress = self._seeing(progress, overview)
        if after is not None or len(told) > limit:
            after = told[limit - 1].id if len(told) > limit else after
            return told[:limit], replace(progress, end=end, after=after or 0)
        following = replace(progress, first=end, end=None, after=0)
        if end == horizon:
            following = replace(following, earliest=self._point.earliest)
        return told, following

    def _collected(self, stretch: Stretch, overview: Overview, with_events: bool) -> tuple[list[_Change], int | None]:
        """Return the next changes of a stretch, and the id behind which there may be more; None where there are none.

        Many records may have changed that the user does not see: so it goes on until there is enough to tell, or it
        has taken long.
        """
        told: list[_Change] = []
        after, size, until = self._progress.after, self._wanted.limit + 1, time.monotonic() + _PATIENCE
        while True:
            found = self._reader.candidates(stretch, overview.changed, after, size)
            told += self._told(found, stretch, overview, with_events)
            if len(found) < size:
                return told, None
            after, size = found[-1].id, min(2 * size, _BATCH)
            if len(told) >= self._wanted.limit or time.monotonic() > until:
                return told, after

    def _told(self, found: list[Candidate], stretch: Stretch, overview: Overview, with_events: bool) -> list[_Change]:
        """Return the changes among records of which something may have changed."""
        ids = [candidate.id for candidate in found]
        if not ids:
            return []
        # Of a page's records, nearly all are told of: they are read at once. Of many, only where they are.
        with_values = not with_events and len(ids) <= self._wanted.limit + 1
        now = self._read(ids) if with_values else self._search_ids(ids, self._wanted.node.only([])).ids
        there = self._seen_at_end(now, stretch, overview)
        if self._progress.ahead > stretch.first:  # one may be hidden from an answer before, and the client lack it
            found = [replace(each, has_changed=True) for each in found]
        unsure = [each.id for each in found if with_events or each.id not in there or not each.has_changed]
        before = self._reader.seen(unsure, stretch.first, stretch.earliest)
        return [
            _Change(each.id, each.id in there, each.id in before)
            for each in found
            if (each.id not in before or each.has_changed if each.id in there else each.id in before)
        ]

    def _rendered(self, told: list[_Change]) -> list[Json]:
        """Return changes as the client gets them."""
        do = self._do
        unread = [each.id for each in told if each.is_there and each.id not in self._rows]
        if unread:
            self._read(unread)
        return [
            {"op": "upsert", "id": do.ids.encode(each.id), "record": self._rows[each.id]}
            if each.is_there
            else {"op": "removed", "id": do.ids.encode(each.id)}
            for each in told
        ]

    def _read(self, ids: list[int]) -> Sequence[int]:
        """Read those of the records that the user sees now, and return their ids."""
        table = self._search_ids(ids, self._wanted.node)
        self._rows.update(zip(table.ids, self._do.to_json(table, self._wanted.node), strict=True))
        return table.ids

    def _search_ids(self, ids: list[int], node: Node) -> Table:
        return self._search([("id", "in", ids)], len(ids), node).table

    def _seen_at_end(self, ids: Sequence[int], stretch: Stretch, overview: Overview) -> set[int]:
        """Return those of the records, all of which the user sees now, that they saw at the end of a stretch too."""
        if not overview.goes_on or not ids:
            return set(ids)
        return self._reader.seen(ids, stretch.end or stretch.first, stretch.earliest)

    def _seeing(self, progress: Progress, overview: Overview) -> Progress:
        """Return a progress that knows which transactions may have hidden records from this answer."""
        return replace(progress, ahead=max(progress.ahead, self._point.ahead)) if overview.goes_on else progress

    def _search(self, domain: list[Any], limit: int, node: Node) -> Page:
        do = self._do
        return records.search(
            do.reader,
            do.model,
            [*do.domain, *domain],
            node.selection(),
            order="id",
            limit=limit,
            offset=0,
            count="none",
        )

    def _up_to_now(self) -> Progress:
        return Progress(
            first=self._point.horizon,
            end=None,
            after=0,
            ahead=0,
            earliest=self._point.earliest,
            incarnation=self._point.incarnation,
            fingerprint=self._fingerprint,
        )

    def _answer(self, body: Json, following: Progress) -> DeltaPage:
        token = self._sealed(following)
        in_pass = following.first is None
        more = in_pass if "records" in body else self._has_more(following)
        body = {
            **body,
            "more": more,
            "next_token" if in_pass else "delta_token": token,
            "lag": round(self._point.lag, 3),
        }
        relation = "next" if in_pass or more else "delta"
        tables = frozenset(self._captured.relations)
        return DeltaPage(body, {**self._given, "token": token}, relation, token, tables, self._fading())

    def _fading(self) -> Needs:
        return {table: self._following.needs[table] for table in self._captured.fading}

    def _sealed(self, following: Progress) -> str:
        return tokens.seal(self._do.cursors(), following, self._bound())

    def _has_more(self, following: Progress) -> bool:
        """True if there are changes, or may be, behind a page of changes."""
        return following.end is not None or following.first != self._point.horizon

    def _checked(self) -> Progress:
        """Return the client's progress; raises Gone where that can't be gone on from, Unavailable where none can."""
        point, token = self._point, self._wanted.token
        progress = self._up_to_now()
        if token is None:
            progress = replace(progress, first=None, end=point.horizon)
        elif token != LATEST:
            progress = tokens.opened(self._do.cursors(), token, self._bound())
            self._compare(progress)
        self._captured = self._following.captured()
        if self._captured.missing:
            raise self._not_captured()
        begun = progress.first if progress.first is not None else progress.end
        if (begun or 0) < self._captured.since:
            if token is None or token == LATEST:
                raise not_ready("a transaction is under way that began before the changes were noted", point)
            raise expired("it is older than what is noted")
        return progress

    def _compare(self, progress: Progress) -> None:
        if progress.incarnation != self._point.incarnation:
            raise expired("the database is another one, or was restored")
        if progress.fingerprint != self._fingerprint:
            raise expired("the API, the user's rights, groups or companies, or the record rules have changed")
        if max(progress.first or 0, progress.end or 0) > self._point.horizon:
            raise expired("the database was restored")

    def _not_captured(self) -> Exception:
        needs = {table: self._following.needs[table] for table in self._captured.missing}
        return NotCaptured(needs, not_ready("the changes are not noted yet", self._point))

    def _fingerprint_now(self) -> str:
        document = self._do.definition.document
        named = (self._do.definition.revision, document.name, list(self._wanted.node.fields))
        return hashlib.sha256(f"{named} {self._following.fingerprint()}".encode()).hexdigest()[:32]

    def _bound(self) -> list[Any]:
        do, context = self._do, self._do.env.context
        asked = self._given.get("fields") or None
        return [
            caller_of(do.report),
            do.env.uid,
            do.definition.id,
            do.model,
            asked if isinstance(asked, (str, type(None))) else list(asked),
            context.get("lang"),
            context.get("allowed_company_ids"),
        ]


def shown(do: RecordOperations) -> Node:
    """Return the node of what is shown: what a search does, and with scope ``read`` all that a read does."""
    principal = do.report.principal
    scopes = principal.scopes if principal is not None else ()
    may_read = "read" in do.exposure.switches and (scopes is None or Scope.READ.value in scopes)
    return do.exposure.node if may_read else do.exposure.searchable
