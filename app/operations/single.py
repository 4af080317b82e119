"""The operations on one record, and search: parameters and bodies in, JSON values out. No Flask, no rules of its own.

Each runs inside the gateway's transaction, as the user of ``env``. Each raises ApiError and BridgeError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.analytics.audit import Change
from app.definitions.definition import Definition, Exposure, Node
from app.definitions.document import EXTERNAL_ID
from app.definitions.ids import InvalidId, PublicId
from app.errors import NotFound
from app.operations import references, versions
from app.operations.cursors import Bound, Cursors
from app.operations.keys import ExternalId, Key, key_named
from app.operations.meeting import meet
from app.operations.report import CallReport
from app.operations.serialize.records import RecordSerializer
from app.operations.versions import Condition
from app.policy import properties as property_values
from app.policy import query, values
from app.policy.query import SearchQuery
from app.policy.scalars import invalid
from app.policy.values import Checked, Checker
from odoo_bridge import introspect, properties, records, walks
from odoo_bridge.transaction import Environment
from odoo_bridge.types import Page, SortKey, Table, Walk

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Answer to a search, and the parameters of the next page that differ from its own, where more follows."""

    body: Json
    following: Json | None


@dataclass(frozen=True, slots=True)
class Versioned:
    """A record as the client gets it, and the version that it is in; ``visible`` unless its writer handed it over."""

    body: Json
    version: str | None
    visible: bool = True


class RecordOperations:
    """The operations on one exposed model, as one user."""

    def __init__(
        self,
        env: Environment,
        definition: Definition,
        exposure: Exposure,
        report: CallReport,
        cursors: Callable[[], Cursors],
    ) -> None:
        """``report`` says who calls, and takes what is done to records, for the audit.

        ``suggests``, which may be changed at any time, says whether errors list what is allowed.
        """
        self.env = env
        self.suggests = True
        self.report = report
        self.cursors = cursors
        self.changes = report.changes
        self.definition = definition
        self.exposure = visible_to(env, exposure)
        self.model = self.exposure.name
        self.domain = list(self.exposure.domain)
        self.ids = self.definition.ids.of(self.model)
        by_url = self.definition.document.binary == "url" and any(self.exposure.node.binary_fields())
        self.reader = records.sizes_only(env) if by_url else env

    def search(self, parameters: Mapping[str, Any]) -> SearchResult:
        """Return a page of records, with ``length``, and ``has_more`` and ``estimated`` where ``count`` asks for it.

        One that is paged by cursor has ``next_cursor``, null on the last page.
        """
        wanted = query.search(parameters, self.definition, self.exposure)
        if wanted.walk is not None:
            return self._walk(wanted, wanted.walk)
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
        following = {"limit": wanted.limit, "offset": wanted.offset + wanted.limit}
        return SearchResult(self._page(page, wanted), following if page.more and wanted.limit else None)

    def _walk(self, wanted: SearchQuery, keys: tuple[SortKey, ...]) -> SearchResult:
        cursors, bound = self.cursors(), self._bound(wanted, keys)
        after = cursors.open(wanted.cursor, bound) if wanted.cursor else None
        page = walks.page(
            self.reader,
            self.model,
            wanted.domain,
            wanted.node.selection(),
            Walk(keys, after),
            limit=wanted.limit,
            count=wanted.count,
        )
        cursor = cursors.seal(page.last, bound) if page.more and page.last is not None else None
        body = {**self._page(page, wanted), "next_cursor": cursor}
        return SearchResult(body, {"limit": wanted.limit, "cursor": cursor} if cursor else None)

    def _bound(self, wanted: SearchQuery, keys: tuple[SortKey, ...]) -> Bound:
        """Return all that a cursor of a search is bound to; the limit and the count are free."""
        caller, context, fields = self.report.principal, self.env.context, self.exposure.searchable.fields
        return [
            caller and caller.key,
            self.env.uid,
            self.definition.id,
            self.definition.revision,
            self.model,
            repr(wanted.domain),
            list(wanted.node.fields),
            [(key.term, fields[key.field].type if key.field in fields else "id") for key in keys],
            context.get("lang"),
            context.get("allowed_company_ids"),
        ]

    def _page(self, page: Page, wanted: SearchQuery) -> Json:
        body: Json = {"length": page.length.number, "records": self.to_json(page.table, wanted.node)}
        if wanted.count != "exact":
            body["has_more"] = page.more
        if wanted.count == "estimate":
            body["estimated"] = page.length.estimated
        return body

    def read(self, public_id: PublicId, parameters: Mapping[str, Any]) -> Versioned:
        """Return one record."""
        return self.read_id(self._id(public_id), parameters)

    def read_id(self, record_id: int, parameters: Mapping[str, Any]) -> Versioned:
        """Return the record that has this id in Odoo."""
        node = query.read(parameters, self.exposure.node)
        table = self._found([record_id], node)
        if not table.ids:
            raise self.not_found()
        (body,) = self.to_json(table, node)
        return Versioned(body, versions.state(self.definition, self.model, record_id, table.stamps[0]))

    def create(self, body: Any, parameters: Mapping[str, Any]) -> Versioned:
        """Create one record."""
        node = self.answered(parameters)
        (record_id,) = self.create_records([self.check(body, creating=True)])
        return self.read_back(record_id, node)

    def update(self, public_id: PublicId, body: Any, parameters: Mapping[str, Any], condition: Condition) -> Versioned:
        """Write values to one record, if it is still in a version that the client has seen."""
        node = self.answered(parameters)
        record_id = self._id(public_id)
        self.require([record_id], to_write=True)
        self.meet(condition, record_id)
        self.write_records([record_id], self.check(body, creating=False))
        return self.read_back(record_id, node)

    def delete(self, public_id: PublicId, condition: Condition) -> list[int | str]:
        """Delete one record and return its id."""
        record_id = self._id(public_id)
        self.require([record_id])
        self.meet(condition, record_id)
        self.delete_records([record_id])
        return [self.ids.encode(record_id)]

    def answered(self, parameters: Mapping[str, Any]) -> Node:
        """Return the node that the answer to a write shows, narrowed by its ``fields``; raises BadRequest."""
        return query.read(parameters, self.exposure.shown)

    def check(self, source: Any, *, creating: bool) -> Checked:
        """Return a body's values, checked against the definition."""
        readable = self.exposure.shown.fields
        ids, suggests = self.definition.ids, self.suggests
        return values.check(source, self.exposure, ids, creating=creating, readable=readable, suggests=suggests)

    def create_records(self, items: Sequence[Checked]) -> list[int]:
        """Create records in one call of the ORM and return their ids."""
        for item in items:
            self._resolve_properties(item, None)
        references.verify(self.env, items)
        ids = records.create(self.env, self.model, [item.values for item in items])
        fields = sorted({name for item in items for name in item.values})
        self.changes.append(Change("create", self.model, tuple(ids), tuple(fields)))
        return ids

    def write_records(self, ids: Sequence[int], item: Checked) -> None:
        """Write the same values to records that ``require`` has found."""
        if len(ids) == 1:
            self._resolve_properties(item, ids[0])
        elif item.properties:
            raise invalid(next(iter(item.properties)), "properties are written record by record")
        references.verify(self.env, [item], [ids])
        records.write(self.env, self.model, ids, item.values)
        self.changes.append(Change("update", self.model, tuple(ids), tuple(sorted(item.values))))

    def delete_records(self, ids: Sequence[int]) -> None:
        """Delete records that ``require`` has found."""
        records.unlink(self.env, self.model, ids)
        self.changes.append(Change("delete", self.model, tuple(ids)))

    def find(self, ids: Sequence[int], node: Node) -> list[Json | None]:
        """Return a record for each id, None where there is none for this user."""
        table = self._found(ids, node)
        found = dict(zip(table.ids, self.to_json(table, node), strict=True))
        return [found.get(record_id) for record_id in ids]

    def read_rows(self, ids: Sequence[int], node: Node) -> list[Json]:
        """Return records that were just written, which may no longer match the API's domain."""
        seen = self._seen(ids, node)
        return [seen.get(record_id) or self._handed_over(record_id) for record_id in ids]

    def require(self, ids: Sequence[int], *, named_by: str | None = None, to_write: bool = False) -> None:
        """Raise NotFound unless the user can see all the records through this API; ``to_write`` says what is next.

        ``named_by`` is the parameter that names several, which have numbers then.
        """
        visible = records.visible_to_write if to_write else records.visible
        found = visible(self.env, self.model, ids, self.domain)
        for index, record_id in enumerate(ids):
            if record_id not in found:
                raise self.not_found(named_by).at(index) if named_by else self.not_found()

    def to_json(self, table: Table, node: Node) -> list[Json]:
        """Return records in the form that the client gets."""
        if node.shows_external_ids:
            table = with_external_ids(self.env, self.model, table, caller_of(self.report))
        return RecordSerializer(self.definition).rows(table, node)

    def not_found(self, named_by: str = "id") -> NotFound:
        """Return the error for a record that is not there for this user, by the parameter that names it."""
        return NotFound(f"There is no such record of {self.model}.", data={"parameter": named_by})

    def _found(self, ids: Sequence[int], node: Node) -> Table:
        return records.find(self.reader, self.model, ids, self.domain, node.selection())

    def read_back(self, record_id: int, node: Node) -> Versioned:
        """Return a record that was just written."""
        body = self._seen([record_id], node).get(record_id)
        if body is None:
            return Versioned(self._handed_over(record_id), None, visible=False)
        return Versioned(body, self.version(record_id))

    def _seen(self, ids: Sequence[int], node: Node) -> dict[int, Json]:
        """Return those of the records just written that the user may still see, by id."""
        table = records.read(self.reader, self.model, ids, node.selection())
        return dict(zip(table.ids, self.to_json(table, node), strict=True))

    def _handed_over(self, record_id: int) -> Json:
        """Return the answer about a record that its writer, by access rights and record rules, no longer sees."""
        return {"id": self.ids.encode(record_id), "visible": False}

    def meet(self, condition: Condition, record_id: int) -> None:
        """Hold a record that ``require`` has found against a condition; see ``meeting``."""
        meet(self.env, self.definition, self.model, record_id, condition, self.report)

    def version(self, record_id: int) -> str | None:
        """Return the version that a record is in."""
        written = records.write_dates(self.env, self.model, [record_id])[record_id]
        return versions.state(self.definition, self.model, record_id, written)

    def _id(self, public_id: PublicId) -> int:
        try:
            return self.ids.decode(public_id)
        except InvalidId:
            raise self.not_found() from None

    def key(self, name: str) -> Key:
        """Return a key of the model by its name; raises BadRequest."""
        return key_named(name, self.exposure, self.definition.ids, caller_of(self.report))

    def _resolve_properties(self, item: Checked, record_id: int | None) -> None:
        """Check the values of properties, whose definition only the database knows, and add them to the item's."""
        for name, raw in item.properties.items():
            infos, staying = properties.definition(self.env, self.model, name, record_id=record_id, values=item.values)
            checker = Checker(self.definition.ids, item, creating=record_id is None)
            item.values[name] = staying | property_values.check(raw, infos, checker, self.exposure.node, name)


def with_external_ids(env: Environment, model: str, table: Table, caller: str) -> Table:
    """Return a table with the caller's external ids as one more column."""
    column = ExternalId(model, caller).of(env, table.ids)
    return replace(table, values={**table.values, EXTERNAL_ID: column})


def caller_of(report: CallReport) -> str:
    """Return the key of the principal who calls; the gateway has let nobody else in."""
    if report.principal is None:
        raise LookupError("principal")
    return report.principal.key


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
