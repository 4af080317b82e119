"""Predicates of what is plain: searches whose SQL follows from the model, the user and the context alone, and columns.

Odoo lets addons decide at each search what is found: by overriding ``_search`` and its parts, by fields with search
methods, by conditions on other tables or relative to today. Here is said what is certain to be none of that, so that it
can be remembered; whatever is in doubt is not plain.
"""

from __future__ import annotations

from typing import Any

from odoo.fields import Domain
from odoo.models import BaseModel
from odoo.orm.domains import DomainBool, DomainCondition, DomainNary, DomainNot

#: What makes a search of ``BaseModel``. A model that overrides one of them decides for itself.
_SEARCH = ("search", "search_fetch", "_search", "_fetch_query", "_determine_fields_to_fetch")
#: The same for the order and for a field, also where another model's order goes through this one.
_ORDER = ("_order_to_sql", "_order_field_to_sql")
_FIELD = ("_has_field_access", "_check_field_access")
#: Defines ``_field_to_sql`` for a field without a column, and hands all others on.
_HARMLESS = "odoo.addons.base.models.properties_base_definition_mixin"

#: The values that a condition on a field of a type may have. Dates are missing: "today" is another day tomorrow.
_VALUES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "char": (str, bool),
    "integer": (int,),
    "many2one": (int,),  # a name would be searched for
    "selection": (str, bool),
    "text": (str, bool),
}
_OPERATORS = frozenset({"=", "!=", "in", "not in", "<", "<=", ">", ">="})


def is_plain_model(model: BaseModel) -> bool:
    """True if the model searches a table as ``BaseModel`` does, under rules that Odoo remembers itself."""
    rules = type(model.env["ir.rule"])
    own_rules = sum("_compute_domain" in vars(definition) for definition in rules.__mro__)
    return own_rules == 1 and not model._table_query and is_base(model, *_SEARCH) and has_plain_columns(model)


def is_plain_order(model: BaseModel, order: str | None, seen: frozenset[Any] = frozenset()) -> bool:
    """True if an order is one by columns, of the model's own table or of those that many2one fields lead to."""
    if not order:
        return True
    if not is_base(model, *_ORDER) or not has_plain_columns(model):
        return False
    for term in order.split(","):
        path = (term.split() or [""])[0]
        name = path.removesuffix(".id")
        field = model._fields.get(name)
        if field is None or not is_plain_column(field) or (path != name and field.type != "many2one"):
            return False
        if field.type == "many2one" and path == name and field not in seen:
            comodel = model.env[field.comodel_name]
            if not is_plain_order(comodel, comodel._order, seen | {field}):
                return False
    return True


def is_plain_domain(domain: Any, model: BaseModel) -> bool:
    """True if a ``Domain`` has only conditions that compare columns with values."""
    if isinstance(domain, DomainBool):
        return True
    if isinstance(domain, DomainNot):
        return is_plain_domain(domain.child, model)
    if isinstance(domain, DomainNary):
        return all(is_plain_domain(child, model) for child in domain.children)
    return type(domain) is DomainCondition and _is_plain_condition(domain, model)


def is_column(field: Any) -> bool:
    """True if the table has one value of the field for all companies, and no terms of it that are translated apart."""
    return bool(field.store and field.column_type) and not field.company_dependent and not callable(field.translate)


def is_plain_to_fetch(field: Any) -> bool:
    """True if the field is a column with one value, whoever asks; whether they may ask is another question."""
    return is_column(field) and not field.inherited and field.type != "binary"


def is_plain_column(field: Any) -> bool:
    """True if the field is a column that everybody may see, with one value."""
    return is_plain_to_fetch(field) and not field.groups


def is_same_for_all(field: Any) -> bool:
    """True if the field is a column that everybody may see, with one value in all languages too."""
    return is_column(field) and not field.translate and not field.groups


def _is_plain_condition(condition: Any, model: BaseModel) -> bool:
    field = model._fields.get(condition.field_expr)
    if field is None or not is_plain_column(field) or field.search or field.translate or field.type not in _VALUES:
        return False
    value = condition.value
    values = (value,) if isinstance(value, (int, str)) else value
    if isinstance(values, Domain) or not hasattr(values, "__iter__"):
        return False
    if not all(isinstance(item, _VALUES[field.type]) for item in values):
        return False
    # A company's parents stay as they are (``res.company.write`` refuses them), and its creation empties the caches.
    is_company = field.type == "many2one" and field.comodel_name == "res.company" != model._name
    return condition.operator in _OPERATORS or (condition.operator == "parent_of" and is_company)


def has_plain_columns(model: BaseModel) -> bool:
    """True if the model makes SQL of its fields as ``BaseModel`` does."""
    definitions = [cls for cls in type(model).__mro__ if "_field_to_sql" in vars(cls)]
    return is_base(model, *_FIELD) and all(cls is BaseModel or cls.__module__ == _HARMLESS for cls in definitions)


def is_base(model: BaseModel, *names: str) -> bool:
    """True if the model overrides none of these methods of ``BaseModel``."""
    return all(getattr(type(model), name) is getattr(BaseModel, name) for name in names)
