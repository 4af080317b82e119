"""A client's sort order, checked: a hidden field must not show in the order of records."""

from __future__ import annotations

import re

from app.definitions.definition import Node
from app.errors import BadRequest

_TERM = re.compile(
    r"\s*(?P<path>[a-z0-9_.]+)(?:\s+(?P<direction>asc|desc))?(?:\s+(?P<nulls>nulls\s+(?:first|last)))?\s*",
    re.IGNORECASE | re.ASCII,
)
MAX_TERMS = 10


def check(text: object, node: Node) -> str | None:
    """Return Odoo's order for ``name desc, id``; None where the client asks for none.

    The id is added as the last term, so that pages neither overlap nor leave gaps. Raises BadRequest.
    """
    if text is None or text == "":
        return _stable(node.model.order)
    if not isinstance(text, str):
        raise BadRequest("order must be text, for example: name desc, id", name="invalid_order")
    terms = []
    for part in text.split(","):
        match = _TERM.fullmatch(part)
        if match is None:
            raise BadRequest(
                f"{part.strip()[:80]!r} is no sort term; write: field, field asc or field desc.",
                name="invalid_order",
            )
        _check_field(match["path"], node)
        words = [match["path"], match["direction"], match["nulls"]]
        terms.append(" ".join(" ".join(word.lower().split()) for word in words if word))
    if len(terms) > MAX_TERMS:
        raise BadRequest(f"order has more than {MAX_TERMS} terms.", name="invalid_order")
    return _stable(", ".join(terms))


def _check_field(path: str, node: Node) -> None:
    if path == "id":
        return
    name, _, rest = path.partition(".")
    info = node.fields.get(name)
    if info is None or rest not in ("", "id") or (rest and info.type != "many2one"):
        raise BadRequest(
            f"{path[:80]!r} is no field that this API can sort by.",
            name="unknown_field",
            data={"field": path[:200]},
        )
    if not info.sortable:
        raise BadRequest(f"Odoo can't sort by {name!r}.", name="invalid_order")
    if info.type == "many2one" and not rest:
        # Odoo sorts by the order of the related model, which can depend on fields that are hidden here.
        target = node.target(name)
        hidden = [field for field in order_fields(target.model.order) if field != "id" and field not in target.fields]
        if name not in node.related or hidden:
            raise BadRequest(
                f"{name!r} sorts by fields of {target.model.name} that are not exposed; {name}.id sorts by its id.",
                name="invalid_order",
            )


def order_fields(order: str) -> list[str]:
    """Return the fields of an order of Odoo: ``["sequence", "name"]`` for ``sequence, name desc``."""
    return [term.split()[0].split(".")[0] for term in order.split(",") if term.strip()]


def _stable(order: str) -> str:
    return order if "id" in order_fields(order) else f"{order}, id"
