"""The content of a binary field, with the checks of the records that show it.

A field is shown on the API's own models, or on records that ``related`` reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.definitions.definition import Definition, Exposure, Node
from app.definitions.ids import InvalidId, PublicId
from app.errors import NotFound
from app.operations.single import visible_to
from odoo_bridge import binary, records
from odoo_bridge.binary import Content
from odoo_bridge.transaction import Environment


@dataclass(frozen=True, slots=True)
class Place:
    """A field that is shown of records at the end of ``path`` (empty: of the exposed model itself)."""

    exposure: Exposure
    path: tuple[str, ...]

    def domain(self, record_id: int) -> list[Any]:
        """Return the domain of the exposed records through which this record is reached, archived ones too."""
        active = self.exposure.node.model.active_field
        archived = [(active, "in", [True, False])] if active else []
        return [*self.exposure.domain, *archived, (".".join(self.path) or "id", "in", [record_id])]


def read(
    env: Environment, definition: Definition, model: str, public_id: PublicId, field: str, *, image: bool
) -> Content:
    """Return the content of a record's field; raises NotFound, whatever is missing."""
    try:
        record_id = definition.ids.of(model).decode(public_id)
    except InvalidId:
        raise not_found() from None
    for place in places(definition, model, field, image=image):
        if (
            (place.path or field in visible_to(env, place.exposure).node.fields)
            and records.exists(env, place.exposure.name, place.domain(record_id))
            and records.visible(env, model, [record_id], [])
        ):
            content = binary.content(env, model, record_id, field)
            if content is not None:
                return content
            break
    raise not_found()


def not_found() -> NotFound:
    """Return the error for content that is not there, or not for the caller."""
    return NotFound("There is no such content.")


def places(definition: Definition, model: str, field: str, *, image: bool) -> Iterator[Place]:
    """Yield the places where the binary field ``field`` of ``model`` is shown by a search or a read."""
    for exposure in definition.exposures.values():
        if exposure.switches.isdisjoint(("read", "search")):
            continue
        for path, node in _nodes(exposure.shown, ()):
            info = node.fields.get(field)
            if node.model.name == model and info and info.type == "binary" and info.image == image:
                yield Place(exposure, path)


def _nodes(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    yield path, node
    for name, below in node.related.items():
        if node.fields[name].searchable:  # otherwise Odoo can't tell who leads to a record
            yield from _nodes(below, (*path, name))
