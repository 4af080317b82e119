"""Descriptions of models: plain, frozen values that the rest of Gatehouse can reason about."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from odoo import fields as odoo_fields
from odoo.exceptions import UserError
from odoo.fields import Domain

from .errors import Conflict, TooCostly, Unavailable
from .transaction import Environment
from .translation import translate
from .types import FieldInfo, ModelInfo

#: Fields that Odoo writes itself, whatever a client says.
LOG_FIELDS = frozenset({"id", "create_uid", "create_date", "write_uid", "write_date", "parent_path", "display_name"})

#: Odoo's marker for a field that no group may reach (odoo/orm/fields.py, NO_ACCESS).
_NO_ACCESS = "."


def describe(env: Environment, model: str) -> ModelInfo | None:
    """Return the description of a model, or None where the registry has no such model."""
    if model not in env.registry:
        return None
    records = env[model].sudo()
    attributes = records.fields_get()
    infos = {name: _describe_field(records, field, attributes.get(name, {})) for name, field in records._fields.items()}
    return ModelInfo(
        name=model,
        label=records._description or model,
        abstract=bool(records._abstract),
        transient=bool(records._transient),
        order=records._order,
        active_field=records._active_name,
        parent_field=records._parent_name if records._parent_name in records._fields else None,
        name_search_fields=_name_search_fields(records),
        fields=MappingProxyType(infos),
    )


def _describe_field(records: Any, field: Any, attributes: dict[str, Any]) -> FieldInfo:
    selection = attributes.get("selection") or ()
    return FieldInfo(
        model=records._name,
        name=field.name,
        type=field.type,
        label=str(attributes.get("string") or field.string or field.name),
        help=str(attributes.get("help") or ""),
        required=bool(field.required),
        has_default=_has_default(records, field),
        writable=not field.readonly and field.name not in LOG_FIELDS,
        stored=bool(field.store),
        searchable=bool(attributes.get("searchable", field.store)),
        sortable=bool(attributes.get("sortable", field.store)),
        translated=bool(field.translate),
        relation=field.comodel_name if field.relational else None,
        selection=tuple((str(value), str(label)) for value, label in selection),
        size=getattr(field, "size", None) if field.type == "char" else None,
        model_field=getattr(field, "model_field", None) if field.type == "many2one_reference" else None,
        image=_is_image(records, field),
        origin=_origin(records, field),
        owns_lines=_owns_lines(records, field),
        restricted=field.groups == _NO_ACCESS,
        groups=field.groups,
        company_dependent=bool(field.company_dependent),
        exact=not field.column_type or field.column_type[0] != "float8",
        groupable=bool(attributes.get("groupable", field.store)),
        aggregator=attributes.get("aggregator"),
        followed=_is_followed(records, field),
    )


def _is_followed(records: Any, field: Any) -> bool:
    """True if a field is stored, by itself or in a parent (``_inherits``)."""
    while field.inherited:
        parent, _, name = field.related.partition(".")
        records = records.env[records._fields[parent].comodel_name]
        field = records._fields[name]
    if field.type == "one2many":
        inverse = records.env[field.comodel_name]._fields.get(field.inverse_name)
        return bool(field.store and inverse is not None and inverse.store)
    return bool(field.store)


def _name_search_fields(records: Any) -> tuple[str, ...]:
    """Return the paths that a search by name looks at; none where a model searches in a way of its own."""
    owners = [model for model in type(records).mro() if "_search_display_name" in vars(model)]
    if len(owners) > 1:  # BaseModel's, and one of the model's addons
        return ()
    return tuple(records._rec_names_search or ((records._rec_name,) if records._rec_name else ()))


def _origin(records: Any, field: Any) -> tuple[str, str]:
    """Follow ``related`` to the field that holds the value."""
    seen = set()
    while field.related and field not in seen:
        seen.add(field)
        *path, last = field.related.split(".")
        model = records.env[field.model_name]
        for step in path:
            model = records.env[model._fields[step].comodel_name]
        field = model._fields[last]
    return field.model_name, field.name


def _has_default(records: Any, field: Any) -> bool:
    """True if a new record gets a value by a default or by being computed; a related field's origin tells."""
    model, name = _origin(records, field)
    origin = records.env[model]._fields[name]
    return origin.default is not None or origin.compute is not None


def _is_image(records: Any, field: Any) -> bool:
    """Odoo declares some related images as plain binaries (res.company.logo); their origin tells."""
    if field.type != "binary":
        return False
    model, name = _origin(records, field)
    return isinstance(records.env[model]._fields[name], odoo_fields.Image)


def _owns_lines(records: Any, field: Any) -> bool:
    """Odoo deletes a removed line if its many2one says ondelete="cascade" (fields_relational.py, One2many)."""
    if field.type != "one2many" or not field.inverse_name:
        return False
    inverse = records.env[field.comodel_name]._fields.get(field.inverse_name)
    return inverse is not None and (getattr(inverse, "ondelete", None) == "cascade" or bool(inverse.required))


def readable_fields(env: Environment, model: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of ``names`` that the environment's user may read."""
    records = env[model]
    return tuple(name for name in names if records._has_field_access(records._fields[name], "read"))


def domain_error(env: Environment, model: str, domain: list[Any]) -> str | None:
    """Return Odoo's objection to a domain, for whoever writes definitions; None where it takes it.

    The search is made ready and not done. Raises psycopg2's errors where the database is away or slow, or others are in
    the way.
    """
    records = env[model]
    try:
        with env.cr.savepoint(flush=False):  # a field's search may ask the database
            if records._abstract:
                Domain(domain).validate(records)
            else:
                records._search(domain)
    except Exception as error:
        if isinstance(translate(error), (Conflict, TooCostly, Unavailable)):
            raise  # nothing is wrong with the domain: another time it may be taken
        if isinstance(error, (ValueError, UserError, NotImplementedError)) and str(error):
            return str(error)
        return f"{type(error).__name__}: {error}"
    return None
