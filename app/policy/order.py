"""A client's sort order, checked: a hidden field must not show in the order of records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from app.definitions.definition import Node
from app.definitions.remembered import LONGEST, remembered
from app.errors import BadRequest
from app.policy.suggestions import unknown

_TERM = re.compile(
    r"\s*(?P<path>[a-z0-9_.]+)(?:\s+(?P<direction>asc|desc))?(?:\s+(?P<nulls>nulls\s+(?:first|last)))?\s*",
    re.IGNORECASE | re.ASCII,
)
MAX_TERMS = 10


def check(text: object, node: Node, default: str | None = None) -> str:
    """Return Odoo's order for ``name desc, id``; for none the default, without which it is the model's.

    The id is added as the last term, so that pages neither overlap nor leave gaps. Raises BadRequest.
    """
    if text is None or text == "":
        return _stable(default or node.model.order)
    if not isinstance(text, str):
        raise _invalid("order must be text, for example: name desc, id")
    return _checked(node, text) if len(text) <= LONGEST else _check(node, text)


def _check(node: Node, text: str) -> str:
    terms = []
    for part in text.split(","):
        match = _TERM.fullmatch(part)
        if match is None:
            raise _invalid(f"{part.strip()[:80]!r} is no sort term; write: field, field asc or field desc.")
        _check_field(match["path"], node)
        words = [match["path"], match["direction"], match["nulls"]]
        terms.append(" ".join(" ".join(word.lower().split()) for word in words if word))
    if len(terms) > MAX_TERMS:
        raise _invalid(f"order has more than {MAX_TERMS} terms.")
    return _stable(", ".join(terms))


_checked = remembered(_check)


def _check_field(path: str, node: Node) -> None:
    if path == "id":
        return
    name, _, rest = path.partition(".")
    info = node.fields.get(name)
    if info is None or rest not in ("", "id") or (rest and info.type != "many2one"):
        raise unknown(
            f"{path[:80]!r} is no field that this API can sort by.",
            path,
            _sortable(node),
            name="unknown_field",
            parameter="order",
            field=path[:200],
        )
    if not info.sortable:
        raise _invalid(f"Odoo can't sort by {name!r}.", name)
    if info.type == "many2one" and not rest and sorts_by_hidden(name, node):
        model = node.target(name).model.name
        raise _invalid(f"{name!r} sorts by fields of {model} that are not exposed; {name}.id sorts by its id.", name)


def sorts_by_hidden(name: str, node: Node) -> bool:
    """True if a many2one sorts by fields that are hidden: those of the order of the model behind it."""
    if name not in node.related:
        return True
    target = node.target(name)
    terms = [term.split()[0] for term in target.model.order.split(",") if term.strip()]
    return any(_is_hidden(term, target) for term in terms if term != "id")


def _is_hidden(path: str, node: Node) -> bool:
    """True if a term of a model's own order sorts by what is hidden: of a many2one, by the order of the next model."""
    info = node.fields.get(path.split(".", maxsplit=1)[0])
    return info is None or (info.type == "many2one" and path == info.name and sorts_by_hidden(path, node))


def _sortable(node: Node) -> Iterator[str]:
    """Yield the fields that can be sorted by, as they are written."""
    yield "id"
    for name, info in node.fields.items():
        if info.sortable:
            by_id = info.type == "many2one" and sorts_by_hidden(name, node)
            yield f"{name}.id" if by_id else name


def _invalid(message: str, field: str | None = None) -> BadRequest:
    return BadRequest(
        message, name="invalid_order", data={"parameter": "order", **({"field": field[:200]} if field else {})}
    )


def order_fields(order: str) -> list[str]:
    """Return the fields of an order of Odoo: ``["sequence", "name"]`` for ``sequence, name desc``."""
    return [term.split()[0].split(".")[0] for term in order.split(",") if term.strip()]


@lru_cache(maxsize=256)
def _stable(order: str) -> str:
    return order if "id" in order_fields(order) else f"{order}, id"
