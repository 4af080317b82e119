"""The bulk forms: many records in one call, all or nothing, or each item by itself (``atomic=false``).

Items are done together, in as few calls of the ORM as possible. Only where that fails are they tried one by one, to
name the one at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from app.definitions.ids import InvalidId
from app.errors import ApiError, BadRequest, from_bridge
from app.operations import upsert
from app.operations.single import Json, RecordOperations
from app.operations.upsert import Upsert
from app.operations.versions import Condition
from app.policy import query
from odoo_bridge import deadline
from odoo_bridge.deadline import CallTimeout
from odoo_bridge.errors import BridgeError, Conflict, TooCostly, Unavailable
from odoo_bridge.transaction import attempt

Item = TypeVar("Item")
Result = TypeVar("Result")

#: These end the call as a whole, whatever ``atomic`` says.
_ENDING = (Conflict, TooCostly, Unavailable)
_BODY = {"parameter": "body"}
#: How many items, from the first, have errors that list what is allowed: a hundred thousand lists help nobody, and of
#: an API with 300 fields each takes 6 ms.
_MOST_LISTS = 20


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """The parameters of a bulk call: whether all items succeed or none, and the rest."""

    atomic: bool
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> BulkOptions:
        """Return the options that the parameters name; raises BadRequest."""
        atomic = parameters.get("atomic", "true")
        if atomic not in ("true", "false"):
            raise BadRequest("atomic must be true or false.", name="invalid_atomic", data={"parameter": "atomic"})
        return cls(atomic == "true", {name: value for name, value in parameters.items() if name != "atomic"})


class Bulk:
    """The bulk forms of the operations on one exposed model. Answers are in the order of the items."""

    def __init__(self, operations: RecordOperations) -> None:
        self._do = operations
        self._limit = operations.definition.document.max_bulk

    def read(self, parameters: Mapping[str, Any]) -> list[Json]:
        """Return the records of ``ids``; an id may come twice."""
        options = BulkOptions.of(parameters)
        others = {name: value for name, value in options.parameters.items() if name != "ids"}
        node = query.read(others, self._do.exposure.node)
        if "ids" not in options.parameters:
            raise query.missing_ids()
        public_ids = query.public_ids(options.parameters["ids"], self._limit)
        if not options.atomic:
            return self._each(public_ids, lambda public_id: _done(self._do.read(public_id, others).body), sent="ids")
        found = []
        for index, record in enumerate(self._do.find(self._decode(public_ids, "ids"), node)):
            if record is None:
                raise self._do.not_found("ids").at(index)
            found.append(record)
        return found

    def create(self, body: list[Any], parameters: Mapping[str, Any]) -> list[Json]:
        """Create records from an array of objects, in one call of the ORM."""
        if "bulk_create" not in self._do.exposure.switches:
            message = "This API creates one record per call, from an object."
            raise BadRequest(message, name="bulk_disabled", data=_BODY)
        options = BulkOptions.of(parameters)
        node = self._do.answered(options.parameters)
        query.check_size(body, self._limit)
        if not options.atomic:
            return self._each(body, lambda source: _done(self._do.create(source, options.parameters).body))
        items = []
        for index, source in enumerate(body):
            with _at(index):
                items.append(self._do.check(source, creating=True))
        ids = self._all(items, self._do.create_records)
        return self._do.read_rows(ids, node)

    def upsert(self, body: list[Any], parameters: Mapping[str, Any], by_key: Upsert) -> list[Json]:
        """Create or update the records of an array of objects, each of which names its key; an answer for each."""
        if not self._do.exposure.switches.issuperset(("bulk_create", "bulk_update")):
            message = "This API creates or updates one record per call, from an object."
            raise BadRequest(message, name="bulk_disabled", data=_BODY)
        options = BulkOptions.of(parameters)
        node = self._do.answered(options.parameters)
        query.check_size(body, self._limit)
        if not options.atomic:

            def save(source: Any) -> Json:
                saved, record = by_key.save_one(by_key.item(source), options.parameters)
                return upsert.answer(saved, record.body)

            return self._each(body, save)
        items = []
        for index, source in enumerate(body):
            with _at(index):
                items.append(by_key.item(source))
        done = self._all(items, by_key.save)
        records = self._do.read_rows([saved.id for saved in done], node)
        return [
            {"index": index, **upsert.answer(saved, record)}
            for index, (saved, record) in enumerate(zip(done, records, strict=True))
        ]

    def update(self, body: Any, parameters: Mapping[str, Any]) -> list[Json]:
        """Write own values to each of several records, or common values to all of them."""
        options = BulkOptions.of(parameters)
        node = self._do.answered(options.parameters)
        public_ids, sources = self._updates(body)
        if not options.atomic:
            pairs = list(zip(public_ids, sources, strict=True))
            return self._each(pairs, lambda pair: _done(self._do.update(*pair, options.parameters, Condition()).body))
        named_by = "id" if isinstance(body, list) else "ids"
        ids = self._decode_once(public_ids, named_by)
        self._do.require(ids, named_by=named_by, to_write=True)
        if isinstance(body, list):
            self._write_own(ids, sources)
        else:
            common = self._do.check(_common_values(body), creating=False)  # what is wrong is said for no record too
            if ids:
                self._all(ids, lambda some: self._do.write_records(some, common))
        return self._do.read_rows(ids, node)

    def delete(self, body: Any, parameters: Mapping[str, Any]) -> list[Any]:
        """Delete the records of ``["a", "b"]`` or ``{"ids": ["a", "b"]}`` and return their ids."""
        options = BulkOptions.of(parameters)
        query.only_known(options.parameters, frozenset())
        if isinstance(body, dict) and body.keys() == {"ids"}:
            body = body["ids"]
        if not isinstance(body, list):
            raise BadRequest('Expected is a list of ids, or {"ids": […]}.', name="invalid_body", data=_BODY)
        public_ids = query.public_ids(body, self._limit)
        if not options.atomic:
            return self._each(public_ids, lambda public_id: _done(self._do.delete(public_id, Condition())[0]))
        ids = self._decode_once(public_ids, "ids")
        self._do.require(ids, named_by="ids")
        self._all(ids, self._do.delete_records)
        return [self._do.ids.encode(record_id) for record_id in ids]

    def _updates(self, body: Any) -> tuple[list[Any], list[Any]]:
        """Return the ids, not yet decoded, and the values for each."""
        if isinstance(body, list):
            for index, item in enumerate(body):
                if not isinstance(item, dict) or "id" not in item:
                    message = 'an object with the record\'s "id" is expected.'
                    raise BadRequest(message, name="invalid_body", data={"parameter": "id"}).at(index)
            public_ids = query.public_ids([item["id"] for item in body], self._limit)
            return public_ids, [{name: value for name, value in item.items() if name != "id"} for item in body]
        if isinstance(body, dict) and "ids" in body:
            public_ids = query.public_ids(body["ids"], self._limit)
            return public_ids, [_common_values(body)] * len(public_ids)
        raise BadRequest(
            'Expected is [{"id": …, …}, …] for own values or {"ids": […], …} for common ones.',
            name="invalid_body",
            data=_BODY,
        )

    def _write_own(self, ids: Sequence[int], sources: Sequence[Any]) -> None:
        items = []
        for index, (record_id, source) in enumerate(zip(ids, sources, strict=True)):
            with _at(index):
                items.append((record_id, self._do.check(source, creating=False)))

        def write(some: Sequence[Any]) -> None:
            for record_id, item in some:
                self._do.write_records([record_id], item)

        self._all(items, write)

    def _all(self, items: Sequence[Item], do: Callable[[Sequence[Item]], Result]) -> Result:
        """Do all items at once, and return the result; an error names the item at fault where one can be found."""
        try:
            with attempt(self._do.env):
                return do(items)
        except _ENDING:
            raise
        except (ApiError, BridgeError):
            for index, item in enumerate(items):
                with _at(index), attempt(self._do.env):
                    do([item])
            raise

    def _each(self, items: Sequence[Item], do: Callable[[Item], Json], *, sent: str = "body") -> list[Json]:
        """Do each item in a savepoint of its own, and return an answer for each; ``sent`` is what carried the items.

        Where the call's time is over, what is done is kept, and all that follows is answered as not done.
        """
        answers = []
        is_late = False
        for index, item in enumerate(items):
            answer: Json = {"index": index}
            done = len(self._do.changes)
            self._do.suggests = index < _MOST_LISTS
            is_late = is_late or deadline.is_over()
            try:
                if is_late:
                    raise CallTimeout
                with attempt(self._do.env):
                    told = do(item)
                answer |= told  # once Odoo has taken all of it
            except (ApiError, BridgeError) as error:
                if isinstance(error, _ENDING) and not isinstance(error, CallTimeout):
                    raise
                del self._do.changes[done:]  # undone with the item
                is_late = is_late or isinstance(error, CallTimeout)
                api_error = error if isinstance(error, ApiError) else from_bridge(error, sent)
                answer |= {"status": api_error.status, "error": api_error.to_json()}
            answers.append(answer)
        if is_late:
            deadline.lift()
        return answers

    def _decode(self, public_ids: Sequence[Any], named_by: str) -> list[int]:
        ids = []
        for index, public_id in enumerate(public_ids):
            try:
                ids.append(self._do.ids.decode(public_id))
            except InvalidId:
                raise self._do.not_found(named_by).at(index) from None
        return ids

    def _decode_once(self, public_ids: Sequence[Any], named_by: str) -> list[int]:
        """Return the ids; raises BadRequest for one that is named twice."""
        ids = self._decode(public_ids, named_by)
        seen = set()
        for index, record_id in enumerate(ids):
            if record_id in seen:
                message = "this record is named twice."
                raise BadRequest(message, name="duplicate_id", data={"parameter": named_by}).at(index)
            seen.add(record_id)
        return ids


def _done(result: Any) -> Json:
    return {"status": 200, "result": result}


def _common_values(body: Mapping[str, Any]) -> Json:
    return {name: value for name, value in body.items() if name != "ids"}


@contextmanager
def _at(index: int) -> Iterator[None]:
    """Name the item in errors that rise from within."""
    try:
        yield
    except _ENDING:
        raise
    except ApiError as error:
        error.at(index)
        raise
    except BridgeError as error:
        raise from_bridge(error, "body").at(index) from error
