"""Values that a client wants to write, checked field by field and turned into Odoo's form.

The same forms come in that go out. What is not exposed for writing is refused; ids of other records are collected,
so that the gateway can ask whether the user may see them, and whether lines belong to the record they are changed on.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.definitions.definition import Exposure, Node
from app.definitions.ids import Ids, InvalidId
from app.definitions.secrets import is_read_only_model, is_rights_field
from app.errors import BadRequest
from app.policy.scalars import SCALARS, invalid, place
from app.policy.suggestions import shown, unknown
from odoo_bridge.types import FieldInfo

#: Stands for the id of a line that is about to be created: nothing can belong to it yet.
NEW = 0


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that a command names: they have to belong to ``field`` of the record.

    ``record`` is the id of the line above, NEW for one that is created, or None for the record that the call is
    about. With ``or_nobodys``, lines that belong to no record will do too.
    """

    model: str
    record: int | None
    field: str
    ids: tuple[int, ...]
    pointer: str
    or_nobodys: bool = False


@dataclass(slots=True)
class Checked:
    """Values in Odoo's form, and what has to be true of the ids in them.

    ``references`` maps (model, id) to the pointer (``company_id``, ``line_ids[0].tax_id``) where the id stands.
    ``properties`` holds the raw values of fields of type properties, whose definition has to be looked up first.
    """

    values: dict[str, Any] = field(default_factory=dict)
    references: dict[tuple[str, int], str] = field(default_factory=dict)
    lines: list[Lines] = field(default_factory=list)
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)


def check(
    source: object,
    exposure: Exposure,
    ids: Ids,
    *,
    creating: bool,
    readable: Container[str] = frozenset(),
    suggests: bool = True,
) -> Checked:
    """Return the checked values of an object; raises BadRequest that names the field at fault.

    ``readable`` are the fields that an answer shows: the caller may know that those are there. With ``suggests`` the
    error for an unknown one lists those that could stand there, which takes its time.
    """
    checked = Checked()
    checker = Checker(ids, checked, creating, suggests)
    checked.values = checker.record(source, exposure.node, exposure.writable_fields, readable, "", None)
    return checked


class Checker:
    """Checks the values of one object; what has to be true of ids in it is noted in ``checked``."""

    def __init__(self, ids: Ids, checked: Checked, creating: bool, suggests: bool = True) -> None:
        self.ids = ids
        self.checked = checked
        self.creating = creating
        self.suggests = suggests

    def record(
        self,
        source: object,
        node: Node,
        writable: frozenset[str],
        readable: Container[str],
        pointer: str,
        record: int | None,
    ) -> dict[str, Any]:
        """Check an object's values; what the caller could read, and not write, is called so."""
        if not isinstance(source, Mapping):
            raise invalid(pointer or "body", "an object of field names and values is expected", source)
        values = {}
        for name, value in source.items():
            here = f"{pointer}.{name}" if pointer else str(name)
            info = node.fields.get(name)
            if info is None or name not in writable:
                raise self.not_writable(here, name in readable, here.removesuffix(str(name)), writable)
            if info.type == "properties":
                if pointer:
                    raise invalid(here, "properties of lines can't be written")
                self.checked.properties[name] = _property_values(value, here)
            else:
                values[name] = self.value(value, info, node, here, source, record)
        return values

    def not_writable(self, pointer: str, is_readable: bool, prefix: str, writable: Iterable[str]) -> BadRequest:
        """Return the error for a field that is read-only, or unknown: a hidden one is like one that is not there.

        ``prefix`` stands in front of the names of ``writable``, to say where.
        """
        why = "can be read, but not written here" if is_readable else "is no field that can be written here"
        reason = "read_only" if is_readable else "unknown"
        allowed = [prefix + name for name in writable] if self.suggests else None
        return unknown(
            f"{shown(pointer)} {why}.", pointer, allowed, name="unknown_field", reason=reason, **place(pointer)
        )

    def value(
        self, value: object, info: FieldInfo, node: Node, pointer: str, source: Mapping[str, Any], record: int | None
    ) -> Any:
        if info.type == "many2one":
            return self.many2one(value, info, pointer)
        if info.to_many:
            return self.commands(value, info, node, pointer, record)
        if info.type == "reference":
            return self.reference(value, info, pointer)
        if info.type == "many2one_reference":
            return self.mapped_id(value, info, pointer, source)
        convert = SCALARS.get(info.type)
        if convert is None:
            raise invalid(pointer, f"fields of type {info.type} can't be written")
        if value is None and info.type != "boolean":
            return False
        return convert(value, info, pointer)

    def many2one(self, value: object, info: FieldInfo, pointer: str) -> int | bool:
        if _is_unset(value) or value == []:
            return False
        if isinstance(value, (list, tuple)):  # [id, display_name] or [id, {…}], as a read shows it
            if len(value) != 2:
                raise invalid(pointer, "an id, null, or [id, …] is expected", value)
            value = value[0]
        return self.record_id(value, info.relation or "", pointer)

    def record_id(self, value: object, model: str, pointer: str) -> int:
        try:
            record_id = self.ids.of(model).decode(value)
        except InvalidId:
            raise _no_record(pointer, model, value) from None
        self.checked.references.setdefault((model, record_id), pointer)
        return record_id

    def commands(self, value: object, info: FieldInfo, node: Node, pointer: str, record: int | None) -> list[Any]:
        if value is None or value == "":
            value = []
        if not isinstance(value, (list, tuple)):
            raise invalid(pointer, "a list of ids or of commands is expected", value)
        if value and all(isinstance(item, (list, tuple)) for item in value):
            return [self.command(item, info, node, f"{pointer}[{index}]", record) for index, item in enumerate(value)]
        items = [item.get("id") if isinstance(item, Mapping) else item for item in value]
        return [self.replace(items, info, node, pointer, record)]

    def replace(
        self, items: Any, info: FieldInfo, node: Node, pointer: str, record: int | None
    ) -> tuple[int, int, list[int]]:
        self.may_take_away(info, node, pointer)
        return (
            6,
            0,
            [self.linked(item, info, node, f"{pointer}[{index}]", record) for index, item in enumerate(items)],
        )

    def linked(self, value: object, info: FieldInfo, node: Node, pointer: str, record: int | None) -> int:
        """Linking a line to a one2many writes to the line: it must not be taken from another record."""
        line_id = self.line_id(value, info, pointer)
        if info.type == "one2many":
            free = info.name in node.related
            self.checked.lines.append(Lines(info.model, record, info.name, (line_id,), pointer, or_nobodys=free))
        return line_id

    def command(
        self, command: Any, info: FieldInfo, node: Node, pointer: str, record: int | None
    ) -> tuple[int, int, Any]:
        """Check one of Odoo's commands (odoo/orm/commands.py)."""
        code, *rest = command or [None]
        if type(code) is not int or code not in _COMMAND_SIZES or len(command) > 3:
            raise invalid(pointer, "a command [code, id, values] with a code from 0 to 6 is expected", command)
        if len(command) < _COMMAND_SIZES[code]:
            raise invalid(pointer, f"a command {code} has {_COMMAND_SIZES[code]} parts", command)
        if code in (0, 1, 2):
            self.may_edit(info, node, pointer)
        if code == 0:
            values = rest[1]
            return (0, 0, self.line(values, info, node, f"{pointer}[2]", NEW))
        if code == 1:
            line_id = self.own_line(rest[0], info, pointer, record)
            return (1, line_id, self.line(rest[1], info, node, f"{pointer}[2]", line_id))
        if code == 2:
            return (2, self.own_line(rest[0], info, pointer, record), 0)
        if code == 3:
            self.may_take_away(info, node, pointer)
            return (3, self.own_line(rest[0], info, pointer, record), 0)
        if code == 4:
            return (4, self.linked(rest[0], info, node, pointer, record), 0)
        if code == 5:
            self.may_take_away(info, node, pointer)
            return (5, 0, 0)
        if not isinstance(rest[1], (list, tuple)):
            raise invalid(pointer, "a command 6 ends with a list of ids", command)
        return self.replace(rest[1], info, node, pointer, record)

    def line(self, source: object, info: FieldInfo, node: Node, pointer: str, record: int | None) -> dict[str, Any]:
        target = node.target(info.name)
        writable = frozenset(
            name for name, below in target.fields.items() if below.writable and not is_rights_field(below.model, name)
        )
        return self.record(source, target, writable, target.fields, pointer, record)

    def line_id(self, value: object, info: FieldInfo, pointer: str) -> int:
        return self.record_id(value, info.relation or "", pointer)

    def own_line(self, value: object, info: FieldInfo, pointer: str, record: int | None) -> int:
        if self.creating or record == NEW:
            raise invalid(pointer, "a record that is created has no lines yet to change or take away")
        line_id = self.line_id(value, info, pointer)
        self.checked.lines.append(Lines(info.model, record, info.name, (line_id,), pointer))
        return line_id

    def may_edit(self, info: FieldInfo, node: Node, pointer: str) -> None:
        if info.name not in node.related or is_read_only_model(info.relation or ""):
            raise invalid(pointer, f"records of {info.relation} can't be created, changed or deleted through this API")

    def may_take_away(self, info: FieldInfo, node: Node, pointer: str) -> None:
        """Taking a line out of a one2many can delete it."""
        if info.owns_lines and info.name not in node.related:
            raise invalid(pointer, f"lines can't be taken away, because Odoo would delete records of {info.relation}")

    def reference(self, value: object, info: FieldInfo, pointer: str) -> str | bool:
        if _is_unset(value):
            return False
        model, _, public_id = value.partition(",") if isinstance(value, str) else ("", "", "")
        if model not in {name for name, _ in info.selection}:
            raise invalid(pointer, '"model,id" with one of the models that the field takes is expected', value)
        return f"{model},{self.record_id(public_id, model, pointer)}"

    def mapped_id(self, value: object, info: FieldInfo, pointer: str, source: Mapping[str, Any]) -> int | bool:
        if _is_unset(value):
            return False
        model = source.get(info.model_field or "")
        if not isinstance(model, str) or not model:
            raise invalid(pointer, f"{info.model_field} has to be given with it, to say the model", value)
        return self.record_id(value, model, pointer)


def _property_values(source: object, pointer: str) -> dict[str, Any]:
    """Return property names and raw values: of an object, or of the list of objects that a read gives."""
    if source is None or source == "":
        return {}
    if isinstance(source, Mapping):
        return dict(source)
    if isinstance(source, (list, tuple)) and all(
        isinstance(item, Mapping) and isinstance(item.get("name"), str) and "value" in item for item in source
    ):
        return {item["name"]: item["value"] for item in source}
    raise invalid(pointer, "an object of property names and values is expected", source)


_COMMAND_SIZES = {0: 3, 1: 3, 2: 2, 3: 2, 4: 2, 5: 1, 6: 3}


def _is_unset(value: object) -> bool:
    """True if a client means no record; 0 is none of the forms."""
    return value is None or value is False or value == ""


def _no_record(pointer: str, model: str, value: object) -> BadRequest:
    return invalid(pointer, f"an id of {model} is expected", value)
