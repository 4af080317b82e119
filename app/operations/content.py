"""Places where a definition shows a binary field: on its own models, or on records that ``related`` reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.definitions.definition import Definition, Exposure, Node


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


def places(definition: Definition, model: str, field: str, *, image: bool) -> Iterator[Place]:
    """Yield the places where the binary field ``field`` of ``model`` is shown by a search or a read."""
    switches = definition.document.endpoints
    if not (switches.read or switches.search):
        return
    for exposure in definition.exposures.values():
        shown = definition.shown(exposure)
        for path, node in _nodes(shown, ()):
            info = node.fields.get(field)
            if node.model.name == model and info and info.type == "binary" and info.image == image:
                yield Place(exposure, path)


def _nodes(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    yield path, node
    for name, below in node.related.items():
        if node.fields[name].searchable:  # otherwise Odoo can't tell who leads to a record
            yield from _nodes(below, (*path, name))
