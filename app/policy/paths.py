"""Paths of conditions (``parent_id.name``), followed through the definition: each step must be exposed where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.definitions.definition import Node
from app.policy.domain_errors import invalid, unknown_field
from odoo_bridge.types import FieldInfo

_OF_DAYS = frozenset(
    {"year_number", "quarter_number", "month_number", "iso_week_number", "day_of_year", "day_of_month", "day_of_week"}
)
#: Parts that a path may end in behind a date or a time (Odoo: READ_GROUP_NUMBER_GRANULARITY).
PARTS: Mapping[str, frozenset[str]] = {
    "date": _OF_DAYS,
    "datetime": _OF_DAYS | {"hour_number", "minute_number", "second_number"},
}


@dataclass(frozen=True, slots=True)
class Target:
    """End of a path: the kind of value, and the node whose records it names (for ids and relations)."""

    kind: str
    node: Node
    info: FieldInfo | None

    @property
    def is_display_name(self) -> bool:
        """True if the value is the name that Odoo makes of other fields."""
        return self.info is not None and self.info.name == "display_name"


def resolve(path: str, node: Node) -> Target:
    """Follow a path from a node to its end. Raises BadRequest for a step that is not exposed where it is taken."""
    return _follow(path, path.split("."), node)


def _follow(path: str, steps: list[str], node: Node) -> Target:
    if steps == ["id"]:
        return Target("id", node, None)
    step, *further = steps
    info = _field(path, step, node, path[: len(path) - len(".".join(steps))])
    if info.relational:  # nothing is exposed behind the last one: no path is deeper than the definition
        target = node.target(step)
        return _follow(path, further, target) if further else Target(info.type, target, info)
    if not further:
        return Target(info.type, node, info)
    part, *beyond = further
    if beyond or part not in PARTS.get(info.type, ()):
        until = path[: len(path) - len(".".join(further))]
        raise unknown_field(path, [until.removesuffix("."), *(until + each for each in PARTS.get(info.type, ()))])
    return Target("integer", node, info)


def _field(path: str, step: str, node: Node, before: str) -> FieldInfo:
    """Return the field of a step, which Odoo can filter by without a look at what is hidden.

    ``before`` is the path as far as the step.
    """
    info = node.fields.get(step)
    if info is None:
        known = (name for name, each in node.fields.items() if each.searchable)
        raise unknown_field(path, [f"{before}id", *(before + name for name in known)])
    if not info.searchable:
        raise invalid(f"{path}: Odoo can't filter by this field.")
    if step == "display_name":
        _check_name_search(path, node)
    return info


def _check_name_search(path: str, node: Node) -> None:
    """Searching by display_name looks into other fields (Odoo: _search_display_name)."""
    hidden = [name for name in node.model.name_search_fields if name.split(".")[0] not in node.fields or "." in name]
    if hidden or not node.model.name_search_fields:
        raise invalid(f"{path}: can't be filtered by, because Odoo looks into fields that are not exposed here.")
