"""The operations on records: parameters and bodies in, JSON values out. No Flask, and no rules of its own.

Each runs inside the gateway's transaction, as the user of ``env``. Each raises ApiError and BridgeError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.catalog.definition import Definition, Exposure, Node
from app.errors import ApiError, BadRequest, NotFound
from app.policy import query, values
from app.policy.ids import InvalidId
from app.policy.values import Checked
from app.rest import references
from app.serialize.records import RecordSerializer
from odoo_bridge import introspect, records
from odoo_bridge.transaction import Environment

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search answers, and the offset of the next page where more follows."""

    body: Json
    limit: int
    next_offset: int | None


class Operations:
    """The operations on one exposed model, as one user."""

    def __init__(self, env: Environment, definition: Definition, exposure: Exposure) -> None:
        self.env = env
        self.definition = definition
        self.exposure = visible_to(env, exposure)
        self.model = self.exposure.name
        self.domain = list(self.exposure.domain)
        self.ids = self.definition.ids.of(self.model)
        self.reader = env if self.definition.document.binary == "base64" else records.sizes_only(env)

    def search(self, parameters: Mapping[str, Any]) -> SearchResult:
        """Return a page of records, with ``length`` or ``has_more``."""
        wanted = query.search(parameters, self.definition, self.exposure)
        page = records.search(
            self.reader,
            self.model,
            wanted.domain,
            wanted.node.selection(),
            order=wanted.order,
            limit=wanted.limit,
            offset=wanted.offset,
            count=wanted.count,
        )
        body: Json = {"length": page.length, "records": self._json(page.rows, wanted.node)}
        if not wanted.count:
            body["has_more"] = page.more
        return SearchResult(body, wanted.limit, wanted.offset + wanted.limit if page.more else None)

    def read(self, public_id: str, parameters: Mapping[str, Any]) -> Json:
        """Return one record."""
        node = query.read(parameters, self.exposure)
        (row,) = records.find(self.reader, self.model, [self._id(public_id)], self.domain, node.selection())
        if row is None:
            raise self._not_found()
        return self._json([row], node)[0]

    def read_many(self, parameters: Mapping[str, Any]) -> list[Json]:
        """Return the records of ``ids``, in the order asked."""
        if "ids" not in parameters:
            raise BadRequest("ids is missing: name the records to read, for example ?ids=a,b,c", name="invalid_ids")
        node = query.read({name: value for name, value in parameters.items() if name != "ids"}, self.exposure)
        ids = self._id_list(parameters["ids"])
        rows = records.find(self.reader, self.model, ids, self.domain, node.selection())
        for index, row in enumerate(rows):
            if row is None:
                raise self._not_found(index)
        return self._json([row for row in rows if row is not None], node)

    def create(self, body: Any, parameters: Mapping[str, Any]) -> Json | list[Json]:
        """Create one record from an object, or several from an array, in one call of the ORM."""
        node = query.read(parameters, self.exposure)
        if not isinstance(body, list):
            return self._create([self._check(body, creating=True)], node)[0]
        if not self.definition.document.bulk:
            raise BadRequest("This API creates one record per call, from an object.", name="bulk_disabled")
        return self._create(self._check_all(body, creating=True), node)

    def update(self, public_id: str, body: Any, parameters: Mapping[str, Any]) -> Json:
        """Write values to one record."""
        node = query.read(parameters, self.exposure)
        record_id = self._id(public_id)
        self._require([record_id], bulk=False)
        self._write([[record_id]], [self._check(body, creating=False)])
        return self._read_back([record_id], node)[0]

    def update_many(self, body: Any, parameters: Mapping[str, Any]) -> list[Json]:
        """Write own values to each of several records, or common values to all of them."""
        node = query.read(parameters, self.exposure)
        if isinstance(body, list):
            ids = self._id_list([_id_of(item, index) for index, item in enumerate(body)])
            items = [{name: value for name, value in item.items() if name != "id"} for item in body]
            owners = [[record_id] for record_id in ids]
        elif isinstance(body, dict) and "ids" in body:
            ids = self._id_list(body["ids"])
            items = [{name: value for name, value in body.items() if name != "ids"}] if ids else []
            owners = [ids]
        else:
            raise BadRequest(
                'Expected is [{"id": …, …}, …] for own values or {"ids": […], …} for common ones.', name="invalid_body"
            )
        self._require_once(ids)
        self._require(ids, bulk=True)
        self._write(owners, self._check_all(items, creating=False, numbered=isinstance(body, list)))
        return self._read_back(ids, node)

    def delete(self, public_id: str) -> list[int | str]:
        """Delete one record and return its id."""
        record_id = self._id(public_id)
        self._require([record_id], bulk=False)
        records.unlink(self.env, self.model, [record_id])
        return [self.ids.encode(record_id)]

    def delete_many(self, body: Any) -> list[int | str]:
        """Delete the records of ``["a", "b"]`` or ``{"ids": ["a", "b"]}`` and return their ids."""
        if isinstance(body, dict) and body.keys() == {"ids"}:
            body = body["ids"]
        if not isinstance(body, list):
            raise BadRequest('Expected is a list of ids, or {"ids": […]}.', name="invalid_body")
        ids = self._id_list(body)
        self._require_once(ids)
        self._require(ids, bulk=True)
        records.unlink(self.env, self.model, ids)
        return [self.ids.encode(record_id) for record_id in ids]

    def _check(self, source: Any, *, creating: bool) -> Checked:
        return values.check(source, self.exposure, self.definition.ids, creating=creating)

    def _check_all(self, sources: Sequence[Any], *, creating: bool, numbered: bool = True) -> list[Checked]:
        if len(sources) > self.definition.document.max_bulk:
            raise self._too_many(len(sources))
        checked = []
        for index, source in enumerate(sources):
            with at_item(index if numbered else None):
                checked.append(self._check(source, creating=creating))
        return checked

    def _create(self, items: Sequence[Checked], node: Node) -> list[Json]:
        references.verify(self.env, items)
        ids = records.create(self.env, self.model, [item.values for item in items])
        return self._read_back(ids, node)

    def _write(self, owners: Sequence[Sequence[int]], items: Sequence[Checked]) -> None:
        references.verify(self.env, items, owners)
        for ids, item in zip(owners, items, strict=True):
            records.write(self.env, self.model, ids, item.values)

    def _read_back(self, ids: Sequence[int], node: Node) -> list[Json]:
        return self._json(records.read(self.reader, self.model, ids, node.selection()), node)

    def _json(self, rows: list[records.Row], node: Node) -> list[Json]:
        return RecordSerializer(self.definition).rows(rows, node)

    def _id(self, public_id: str) -> int:
        try:
            return self.ids.decode(public_id)
        except InvalidId:
            raise self._not_found() from None

    def _id_list(self, source: Any) -> list[int]:
        try:
            return query.id_list(source, self.definition.ids, self.model, self.definition.document.max_bulk)
        except query.UnknownItem as error:
            raise self._not_found(error.index) from None

    def _require(self, ids: Sequence[int], *, bulk: bool) -> None:
        """Raise NotFound unless the user can see all the records through this API."""
        found = records.visible(self.env, self.model, ids, self.domain)
        for index, record_id in enumerate(ids):
            if record_id not in found:
                raise self._not_found(index if bulk else None)

    def _require_once(self, ids: Sequence[int]) -> None:
        if len(set(ids)) < len(ids):
            index = next(index for index, record_id in enumerate(ids) if record_id in ids[:index])
            raise BadRequest(f"Item {index}: this record is named twice.", name="duplicate_id", data={"index": index})

    def _not_found(self, index: int | None = None) -> NotFound:
        if index is None:
            return NotFound(f"There is no such record of {self.model}.")
        return NotFound(f"Item {index}: there is no such record of {self.model}.", data={"index": index})

    def _too_many(self, count: int) -> BadRequest:
        limit = self.definition.document.max_bulk
        return BadRequest(f"{count} items are more than this API's maximum of {limit}.", name="too_many")


def visible_to(env: Environment, exposure: Exposure) -> Exposure:
    """Return the exposure as the user of ``env`` sees it: ``fields: all`` leaves out what Odoo keeps from them."""
    if not exposure.all_fields:
        return exposure
    readable = introspect.readable_fields(env, exposure.name, tuple(exposure.node.fields))
    return replace(
        exposure,
        node=exposure.node.only(readable),
        searchable=exposure.searchable.only(readable),
        writable_fields=exposure.writable_fields & frozenset(readable),
    )


@contextmanager
def at_item(index: int | None) -> Iterator[None]:
    """Name the item of a bulk call in errors that rise from within; None names none."""
    try:
        yield
    except ApiError as error:
        if index is not None:
            error.message = f"Item {index}: {error.message}"
            error.data["index"] = index
        raise


def _id_of(item: Any, index: int) -> Any:
    if not isinstance(item, dict) or "id" not in item:
        raise BadRequest(
            f'Item {index}: an object with the record\'s "id" is expected.', name="invalid_body", data={"index": index}
        )
    return item["id"]
