"""Records by the value of a key: read, delete, and create or update, one or many.

A key names a record among all of its model, also archived ones and those that the caller can't see: what is taken
there is taken, and who writes by a key learns so. Which record it is, and why they can't have it, they do not learn:
where a key names no single record within the API's domain and the caller's sight, all refusals are alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from app.definitions.ids import Reference
from app.errors import ApiError, BadRequest, Conflict, NotFound
from app.json import dumps
from app.operations.claims import claim
from app.operations.keys import Key, Value
from app.operations.single import Json, RecordOperations, Versioned
from app.operations.versions import Condition
from app.policy.scalars import invalid
from app.policy.values import Checked
from odoo_bridge import records


@dataclass(frozen=True, slots=True)
class Item:
    """Body of one record: the value of its key, as it is compared and as it was sent, and all else."""

    value: Value
    raw: Any
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """A record that was saved: its id, and whether it is new."""

    id: int
    is_new: bool

    @property
    def outcome(self) -> str:
        """The word for it that the client gets."""
        return "created" if self.is_new else "updated"

    @property
    def status(self) -> int:
        """The status of an answer about it alone (RFC 9110 9.3.4)."""
        return 201 if self.is_new else 200


class Upsert:
    """The operations on the records of one model by one key of theirs."""

    def __init__(self, operations: RecordOperations, key: Key, condition: Condition | None = None) -> None:
        """``condition`` holds for each record that is saved."""
        self._do = operations
        self._key = key
        self._condition = condition or Condition()

    def read(self, text: str | Reference, parameters: Mapping[str, Any]) -> Versioned:
        """Return the record that a path names."""
        return self._do.read_id(self._seen(text), parameters)

    def delete(self, text: str | Reference) -> list[Any]:
        """Delete the record that a path names, and return its id."""
        record_id = self._seen(text)
        self._do.meet(self._condition, record_id)
        self._do.delete_records([record_id])
        return [self._do.ids.encode(record_id)]

    def put(self, text: str | Reference, body: Any, parameters: Mapping[str, Any]) -> tuple[Saved, Versioned]:
        """Save the record that a path names, and return it as it is then."""
        raw = self._key.of_path(text)
        return self.save_one(self.item(body, raw), parameters)

    def save_one(self, item: Item, parameters: Mapping[str, Any]) -> tuple[Saved, Versioned]:
        """Save one record, and return it as it is then."""
        node = self._do.answered(parameters)
        (saved,) = self._save([item])
        return saved, self._do.read_back(saved.id, node)

    def item(self, body: Any, named: Any = None) -> Item:
        """Return a body with the value of its key: ``named`` where a path tells that; raises BadRequest."""
        if not isinstance(body, Mapping):
            raise invalid("body", "an object of field names and values is expected", body)
        name = self._key.name
        raw = body.get(name, named)
        if raw is None:
            raise invalid(name, "it names the record, so it has to be given")
        value = self._key.value(raw)
        if named is not None and value != self._key.value(named):
            message = f"{name}: the path names another record than the body."
            raise BadRequest(message, name="key_differs", data={"parameter": name, "field": name})
        return Item(value, raw, {field: given for field, given in body.items() if field != name})

    def save(self, items: Sequence[Item]) -> list[Saved]:
        """Save records in as few calls of the ORM as possible; of two with one key, the second updates the first."""
        found: list[Saved] = []
        for wave in _waves(items):
            self._end_wave(found)
            found += self._save(wave)
        return found

    def save_good(self, items: Sequence[Item]) -> list[Saved | ApiError]:
        """Save records as ``save`` does, but for those that are refused before anything is written: their errors."""
        found: list[Saved | ApiError] = []
        for wave in _waves(items):
            self._end_wave(found)
            refused: dict[Value, ApiError] = {}
            saved = iter(self._save(wave, refused))
            found += [refused[item.value] if item.value in refused else next(saved) for item in wave]
        return found

    def _end_wave(self, saved: Sequence[Any]) -> None:
        """Have PostgreSQL judge what is saved before another item of the same key writes over it."""
        if saved:
            records.flush(self._do.env)

    def _save(self, items: Sequence[Item], refused: dict[Value, ApiError] | None = None) -> list[Saved]:
        """Save records of which no two have the same key; where there is ``refused``, those are left out of them.

        It takes the errors of those that are refused before anything is written.
        """
        known = self._holders([item.value for item in items], refused)
        checked = {}
        for item in items:
            if not refused or item.value not in refused:
                with _apart(item.value, refused):
                    checked[item.value] = self._checked(item, creating=item.value not in known)
        items = [item for item in items if item.value in checked]
        if not items:
            return []
        known = {item.value: known[item.value] for item in items if item.value in known}
        new = [item for item in items if item.value not in known]
        claim(self._do.env, self._do.model, self._key.scope, [item.value for item in new])
        made = self._create(new, checked) if new else {}
        for value, record_id in known.items():
            if checked[value].values or checked[value].properties:
                self._do.write_records([record_id], checked[value])
            else:
                records.check_writable(self._do.env, self._do.model, [record_id])
        ids = {**known, **made}
        self._settle(ids)
        return [Saved(ids[item.value], item.value in made) for item in items]

    def _holders(self, values: Sequence[Value], refused: dict[Value, ApiError] | None) -> dict[Value, int]:
        """Return the record of each value that has one; raises Conflict, and PreconditionFailed (or see ``_save``)."""
        found = self._key.holders(self._do.env, values)
        ids = [record_id for holders in found.values() for record_id in holders]
        visible = records.visible_to_write(self._do.env, self._do.model, ids, self._do.domain) if ids else set()
        known: dict[Value, int] = {}
        for value in values:
            holders = found.get(value, [])
            with _apart(value, refused):
                self._check_holders(holders, visible)
                if holders:
                    known[value] = holders[0]
        return known

    def _check_holders(self, holders: Sequence[int], visible: Collection[int]) -> None:
        """Raise Conflict unless these are one record that can be written, or none; and PreconditionFailed."""
        if not holders:
            self._condition.check_missing()
        elif len(holders) > 1 or holders[0] not in visible:
            raise self._conflict()
        else:
            self._condition.check_known()
            self._do.meet(self._condition, holders[0])

    def _checked(self, item: Item, *, creating: bool) -> Checked:
        body = self._key.written(item.body, item.raw) if creating else item.body
        return self._do.check(body, creating=creating)

    def _create(self, items: Sequence[Item], checked: Mapping[Value, Checked]) -> dict[Value, int]:
        ids = self._do.create_records([checked[item.value] for item in items])
        made = {item.value: record_id for item, record_id in zip(items, ids, strict=True)}
        self._key.give(self._do.env, made)
        return made

    def _settle(self, ids: Mapping[Value, int]) -> None:
        """Raise Conflict unless each record can be found again by its key, within the API's domain and in sight."""
        do, found = self._do, set(ids.values())
        if self._key.lost(do.env, ids) or records.visible(do.env, do.model, list(found), do.domain) != found:
            raise self._conflict()

    def _seen(self, text: str | Reference) -> int:
        """Return the one record of a value that the caller can see; raises NotFound and Conflict."""
        do, value = self._do, self._key.value(self._key.of_path(text))
        ids = self._key.holders(do.env, [value]).get(value, [])
        visible = records.visible(do.env, do.model, ids, do.domain)  # also of none: may the user read any?
        if not visible:
            raise NotFound(f"There is no such record of {do.model}.", data={"parameter": self._key.name})
        if len(visible) > 1:
            raise self._conflict()
        return visible.pop()

    def _conflict(self) -> Conflict:
        name = self._key.name
        return Conflict(
            f"This {name} names no record that can be saved here: several have it, or one that you can't see, or "
            "with these values the record would not be found by it again.",
            name="key_conflict",
            data={"parameter": name, "field": name},
        )


def answer(saved: Saved, record: Json) -> Json:
    """Return the answer about a record that was saved with others."""
    return {"status": saved.status, "outcome": saved.outcome, "result": record}


def kept(saved: Saved, record: Versioned) -> Json:
    """Return the result of a call that saves one record, as it is kept for an Idempotency-Key."""
    return {"status": saved.status, "version": record.version, "visible": record.visible, "record": record.body}


def unpacked(result: Any) -> tuple[int, Versioned]:
    """Return the status and the record of what ``kept`` has packed, now or then."""
    packed = orjson.loads(dumps(result)) if isinstance(result, orjson.Fragment) else result
    return packed["status"], Versioned(packed["record"], packed["version"], packed["visible"])


def options(parameters: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the key that ``on_conflict`` names, None without it, and the other parameters."""
    others = {name: value for name, value in parameters.items() if name != "on_conflict"}
    return parameters.get("on_conflict"), others


@contextmanager
def _apart(value: Value, refused: dict[Value, ApiError] | None) -> Iterator[None]:
    """Keep the error of one record among ``refused``, where there is that; else it is raised."""
    try:
        yield
    except ApiError as error:
        if refused is None:
            raise
        refused[value] = error


def _waves(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield the items in pieces in which no two have the same key."""
    wave: dict[Value, Item] = {}
    for item in items:
        if item.value in wave:
            yield list(wave.values())
            wave = {}
        wave[item.value] = item
    if wave:
        yield list(wave.values())
