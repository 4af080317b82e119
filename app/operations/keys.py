"""Keys of records, as operations use them: a field, or the caller's external ids. Values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, unquote

from app import literals
from app.analytics import callers
from app.definitions.definition import Exposure
from app.definitions.document import EXTERNAL_ID
from app.definitions.ids import Ids, Reference
from app.json import is_clean
from app.policy.scalars import invalid
from app.policy.suggestions import unknown
from app.policy.values import Checked, Checker
from odoo_bridge import external_ids, keys
from odoo_bridge.transaction import Environment

#: The value of a key in Odoo's form; equal ones name one record.
Value: TypeAlias = "str | int"
#: Longest name of an external id: PostgreSQL's index takes 2,700 bytes.
_LONGEST = 1_000
#: What the namespaces of external ids begin with: no addon's name does.
_NAMESPACE = "__gatehouse_"


class Key(Protocol):
    """One key of one model. ``name`` stands in paths and bodies."""

    name: str

    def of_path(self, text: str | Reference) -> Any:
        """Return the value of a path as a body would have it; raises BadRequest."""

    def value(self, raw: object) -> Value:
        """Return the value of a body; raises BadRequest."""

    def written(self, body: Mapping[str, Any], raw: object) -> Mapping[str, Any]:
        """Return the body of a new record, with what has to be written for the key."""

    def holders(self, env: Environment, values: Collection[Value]) -> dict[Value, list[int]]:
        """Return the ids of all records that have each of the values, whoever may see them."""

    def lost(self, env: Environment, ids: Mapping[Value, int]) -> set[int]:
        """Return those of the records, by the values that they should have, that can't be found by them."""

    def give(self, env: Environment, ids: Mapping[Value, int]) -> None:
        """Give new records what of the key is not in their own values."""

    @property
    def scope(self) -> str:
        """The place that a value is unique in, besides the model."""


class FieldKey:
    """A field as a key."""

    def __init__(self, exposure: Exposure, ids: Ids, name: str) -> None:
        self.name = name
        self.scope = name
        self._exposure = exposure
        self._info = exposure.node.fields[name]
        self._ids = ids

    def of_path(self, text: str | Reference) -> Any:
        if self._info.type != "integer" or isinstance(text, Reference):
            return text
        number = literals.to_number(text.removeprefix("-"), digits=10)
        if number is None:
            raise invalid(self.name, "a whole number is expected", text)
        return -number if text.startswith("-") else number

    def value(self, raw: object) -> Value:
        checker = Checker(self._ids, Checked(), creating=True)
        value: Value | bool = checker.value(raw, self._info, self._exposure.node, self.name, {}, None)
        if value is False:
            raise invalid(self.name, "it names the record, so it needs a value")
        return value

    def written(self, body: Mapping[str, Any], raw: object) -> Mapping[str, Any]:
        return {**body, self.name: raw}

    def holders(self, env: Environment, values: Collection[Value]) -> dict[Value, list[int]]:
        return keys.holders(env, self._exposure.name, self.name, values)

    def lost(self, env: Environment, ids: Mapping[Value, int]) -> set[int]:
        found = keys.values_of(env, self._exposure.name, self.name, list(ids.values()))
        return {record_id for value, record_id in ids.items() if found.get(record_id) != value}

    def give(self, env: Environment, ids: Mapping[Value, int]) -> None:
        """It stands in the records' own values."""


class ExternalId:
    """The caller's own ids as a key. Two models may have the same ones."""

    name = EXTERNAL_ID

    def __init__(self, model: str, caller: str) -> None:
        """``caller`` is the principal's key."""
        self._model = model
        self._namespace = namespace(caller)
        self.scope = f"{EXTERNAL_ID} {self._namespace}"

    def of_path(self, text: str | Reference) -> Any:
        return text

    def value(self, raw: object) -> Value:
        if not isinstance(raw, str) or not raw or not is_clean(raw):
            raise invalid(self.name, "text is expected", raw)
        if len(self._name(raw)) > _LONGEST:
            raise invalid(self.name, f"at most {_LONGEST} characters are allowed, percent-encoded")
        return raw

    def written(self, body: Mapping[str, Any], raw: object) -> Mapping[str, Any]:
        return body

    def holders(self, env: Environment, values: Collection[Value]) -> dict[Value, list[int]]:
        names = {self._name(value): value for value in values}
        found = external_ids.holders(env, self._model, self._namespace, names)
        return {names[name]: ids for name, ids in found.items()}

    def lost(self, env: Environment, ids: Mapping[Value, int]) -> set[int]:
        found = self.holders(env, ids)
        return {record_id for value, record_id in ids.items() if found.get(value) != [record_id]}

    def give(self, env: Environment, ids: Mapping[Value, int]) -> None:
        named = {self._name(value): record_id for value, record_id in ids.items()}
        external_ids.give(env, self._model, self._namespace, named)

    def of(self, env: Environment, ids: Sequence[int]) -> list[str | None]:
        """Return the external id of each record, None where it has none."""
        prefix = _prefix(self._model)
        found = external_ids.names_of(env, self._model, self._namespace, prefix, ids)
        return [unquote(found[each].removeprefix(prefix)) if each in found else None for each in ids]

    def _name(self, value: Value) -> str:
        return _prefix(self._model) + quote(str(value), safe="")


def key_named(name: str, exposure: Exposure, ids: Ids, caller: str) -> Key:
    """Return the key of a model by its name; raises BadRequest where it is none."""
    # Of a model with ``fields: all`` those are left out that Odoo keeps from the user.
    known = [key for key in exposure.upsert_keys if key == EXTERNAL_ID or key in exposure.node.fields]
    if name not in known:
        raise unknown(
            f"{name[:80]!r} is no key of {exposure.name} in this API.",
            name,
            known,
            name="unknown_key",
            parameter="on_conflict",
        )
    return ExternalId(exposure.name, caller) if name == EXTERNAL_ID else FieldKey(exposure, ids, name)


def namespace(caller: str) -> str:
    """Return the module of the external ids of a caller: of a client app whoever it acts for, else of a user."""
    found = callers.read(caller)
    return f"{_NAMESPACE}client_{found.client}" if found.client is not None else f"{_NAMESPACE}user_{found.uid}"


def _prefix(model: str) -> str:
    """Return the beginning of the names of a model's external ids: ``ir.model.data`` has them all in one list."""
    return f"{model}/"
