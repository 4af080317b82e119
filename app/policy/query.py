"""The parameters of a search or read, checked: nothing is cut off or dropped in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import literals
from app.definitions.definition import Definition, Exposure, Node
from app.definitions.ids import MAX_ID
from app.definitions.remembered import LONGEST, remembered
from app.errors import BadRequest
from app.policy import domain, order
from app.policy.sort_keys import sort_keys
from app.policy.suggestions import unknown
from odoo_bridge.types import COUNT_MODES, CountMode, SortKey

#: How pages are cut.
PAGINGS = ("offset", "cursor")
_SEARCH = frozenset({"domain", "fields", "limit", "offset", "order", "count", "paging", "cursor"})


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search that may be done: a domain of Odoo, an order, and the node that says what is shown.

    ``walk`` are the sort keys of one that is paged by cursor, else None; ``cursor`` is what it is to go on from, not
    yet opened.
    """

    domain: list[Any]
    node: Node
    order: str | None
    limit: int
    offset: int
    count: CountMode
    walk: tuple[SortKey, ...] | None = None
    cursor: str | None = None


def search(parameters: Mapping[str, Any], definition: Definition, exposure: Exposure) -> SearchQuery:
    """Return the query of a search; raises BadRequest that names the parameter."""
    only_known(parameters, _SEARCH)
    searchable = exposure.searchable
    by_cursor, size = _is_by_cursor(parameters), limit(parameters, definition)
    if by_cursor and not size:
        raise _invalid("limit", "With paging=cursor limit must be 1 or more.", name="invalid_limit")
    checked = order.check(parameters.get("order"), searchable, "id" if by_cursor else None)
    return SearchQuery(
        domain=matching(parameters, definition, exposure),
        node=narrow(searchable, parameters.get("fields")),
        order=checked,
        limit=size,
        offset=offset(parameters),
        count=_count(parameters, "none" if by_cursor else "exact"),
        walk=sort_keys(checked, searchable) if by_cursor else None,
        cursor=parameters.get("cursor") or None,
    )


def matching(parameters: Mapping[str, Any], definition: Definition, exposure: Exposure) -> list[Any]:
    """Return the domain of what a client asks for, of what the definition shows; raises BadRequest."""
    return [*exposure.domain, *domain.check(parameters.get("domain", []), exposure.searchable, definition.ids)]


def _is_by_cursor(parameters: Mapping[str, Any]) -> bool:
    """True if a search is paged by cursor; raises BadRequest for what does not go with its way of paging."""
    cursor = parameters.get("cursor", "")
    if not isinstance(cursor, str):
        raise _invalid("cursor", "cursor must be the next_cursor of the page before.", name="invalid_cursor")
    paging = parameters.get("paging", "cursor" if cursor else "offset")
    if paging not in PAGINGS:
        raise _invalid("paging", "paging must be offset or cursor.", name="invalid_paging")
    if paging == "offset":
        if cursor:
            raise _invalid("cursor", "cursor goes with paging=cursor.", name="invalid_cursor")
        return False
    if "offset" in parameters:
        raise _invalid("offset", "With paging=cursor there is no offset: the cursor says where.", name="invalid_offset")
    return True


def limit(parameters: Mapping[str, Any], definition: Definition) -> int:
    """Return the size of a page; raises BadRequest."""
    most = definition.document.max_page_size
    size = number(parameters, "limit", definition.document.page_size)
    if size > most:
        raise _invalid("limit", f"limit is more than this API's maximum of {most}.", name="invalid_limit")
    return size


def offset(parameters: Mapping[str, Any]) -> int:
    """Return the number of those that are left out before a page; raises BadRequest."""
    return number(parameters, "offset", 0)


def read(parameters: Mapping[str, Any], node: Node) -> Node:
    """Narrow a node to the fields that a call for single records asks for; raises BadRequest."""
    only_known(parameters, frozenset({"fields"}))
    return narrow(node, parameters.get("fields"))


def narrow(node: Node, wanted: object) -> Node:
    """Return the node with the wanted fields alone: ``name,email`` or a list. ``id`` is always there."""
    if wanted is None or wanted == "":
        return node
    return _narrowed(node, wanted) if isinstance(wanted, str) and len(wanted) <= LONGEST else _narrow(node, wanted)


def _narrow(node: Node, wanted: object) -> Node:
    if isinstance(wanted, str):
        wanted = literals.parse(wanted, "fields") if wanted.lstrip()[:1] in ("[", "(") else wanted.split(",")
    if not isinstance(wanted, (list, tuple)) or not all(isinstance(name, str) for name in wanted):
        raise _invalid("fields", "fields must be a list of names, for example: name,email", name="invalid_fields")
    names = [name.strip() for name in wanted]
    for name in names:
        if name != "id" and name not in node.fields and name not in node.on_request:
            raise unknown(
                f"{name[:80]!r} is no field that can be asked for here.",
                name,
                ["id", *node.fields, *node.on_request],
                name="unknown_field",
                parameter="fields",
                field=name[:200],
            )
    return node.only(names, asked=True)


_narrowed = remembered(_narrow)


def public_ids(value: object, limit: int) -> list[Any]:
    """Return the ids of ``a,b,c`` or of a list, in order and not yet decoded; raises BadRequest."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("[", "("):
            value = literals.parse(value, "ids")
        else:
            value = [part.strip() for part in value.split(",")] if value.strip() else []
    if not isinstance(value, (list, tuple)):
        raise _invalid("ids", "ids must be a list of ids, for example: a,b,c", name="invalid_ids")
    check_size(value, limit, "ids")
    return list(value)


def missing_ids() -> BadRequest:
    """Return the error for a call on several records that names none."""
    return _invalid("ids", "ids is missing: name the records, for example ?ids=a,b,c", name="invalid_ids")


def check_size(items: Sequence[Any], limit: int, parameter: str = "body") -> None:
    """Raise BadRequest for more items than one bulk call may have."""
    if len(items) > limit:
        message = f"{len(items)} items are more than this API's maximum of {limit}."
        raise _invalid(parameter, message, name="too_many")


def only_known(parameters: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raise BadRequest for a parameter that the call does not take."""
    others = sorted(str(name) for name in parameters if name not in known)
    if others:
        raise unknown_parameter(others[0], known)


def unknown_parameter(given: str, known: Iterable[str], why: str = "") -> BadRequest:
    """Return the error for a parameter that the call does not take; ``why`` may add a sentence."""
    message = f"Unknown parameter {given[:80]!r}.{why}"
    return unknown(message, given, known, name="unknown_parameter", parameter=given)


def number(parameters: Mapping[str, Any], name: str, default: int) -> int:
    """Return a parameter that is a whole number; raises BadRequest."""
    value = parameters.get(name, default)
    if isinstance(value, str):
        value = literals.to_number(value, digits=10)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_ID:
        raise _invalid(name, f"{name} must be a whole number, 0 or more.", name=f"invalid_{name}")
    return value


def _count(parameters: Mapping[str, Any], default: CountMode) -> CountMode:
    given = parameters.get("count", default)
    for count in COUNT_MODES:
        if given == count:
            return count
    raise _invalid("count", "count must be exact, estimate or none.", name="invalid_count")


def _invalid(parameter: str, message: str, *, name: str) -> BadRequest:
    return BadRequest(message, name=name, data={"parameter": parameter})
