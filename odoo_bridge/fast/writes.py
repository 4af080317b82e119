"""Remembered parts of what Odoo works out anew at each create and write, for one record or for each of a thousand.

Which fields depend on those that are written, which of a model's fields have a default at all, by which domain a new
record belongs to a list of another's: all of that follows from the definitions of fields. It is kept beside Odoo's own
trees of triggers, which are forgotten whenever a field changes. What depends on values, the cache, the context or the
user is asked at each call.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, wraps
from typing import Any, TypeAlias

from odoo.models import BaseModel
from odoo.orm import fields_textual
from odoo.orm.domains import OptimizationLevel
from odoo.orm.fields_reference import Many2oneReference
from odoo.orm.registry import TriggerTree

from odoo_bridge.fast import foresight, is_on
from odoo_bridge.fast.cacheable import is_plain_domain
from odoo_bridge.types import Recordset

#: Odoo's fields.
Field: TypeAlias = Any
#: How many trees of triggers a registry keeps of each kind: clients choose what they write, and so the trees.
_MOST_TREES = 512
#: How long a text may be whose sanitized form is remembered, in characters.
_LONGEST_TEXT = 200

_modified = BaseModel._modified
_default_get = BaseModel.default_get
_update_inverses = Many2oneReference._update_inverses
_html_sanitize = fields_textual.html_sanitize


class _Known:
    """Facts about the fields of one registry.

    ``trees`` are merged from those of several fields: all that depends on these, with the fields in it that are not
    stored. ``cut_trees`` are what is left to do where only some of them are in the cache.
    """

    def __init__(self) -> None:
        self.trees: dict[tuple[Field, ...], tuple[Any, tuple[Field, ...]]] = {}
        self.cut_trees: dict[tuple[tuple[Field, ...], frozenset[Field]], Any] = {}
        self.defaults: dict[str, frozenset[str]] = {}
        self.domains: dict[Field, Any] = {}


def install() -> None:
    """Make all models remember; before the first registry is loaded."""
    BaseModel._modified = wraps(_modified)(modified)
    BaseModel.default_get = wraps(_default_get)(default_get)
    Many2oneReference._update_inverses = wraps(_update_inverses)(update_inverses)
    fields_textual.html_sanitize = wraps(_html_sanitize)(html_sanitize)


def modified(records: Recordset, fields: list[Field], create: bool) -> Any:
    """Iterate over the fields and records to recompute, as ``BaseModel._modified`` does."""
    if not is_on("writes"):
        return _modified(records, fields, create)
    tree = _trigger_tree(records, tuple(fields))
    if not create:
        tree = _referred(records, tree)
    return records.sudo().with_context(active_test=False)._modified_triggers(tree, create) if tree else ()


def default_get(model: Recordset, fields: Sequence[str]) -> dict[str, Any]:
    """Return default values, as ``BaseModel.default_get`` does, which is asked for those fields that may have one."""
    if not is_on("writes"):
        return _default_get(model, fields)  # type: ignore[no-any-return]
    known = _known(model.pool).defaults
    candidates = known.get(model._name)
    if candidates is None:
        own = model._fields.items()
        candidates = known[model._name] = frozenset(name for name, field in own if field.default or field.inherited)
    by_users = model.env["ir.default"]._get_model_defaults(model._name)
    context = model.env.context
    return _default_get(  # type: ignore[no-any-return]
        model, [name for name in fields if name in candidates or name in by_users or f"default_{name}" in context]
    )


def update_inverses(field: Any, records: Recordset, value: Any) -> None:
    """Add records to the lists in the cache that they belong to now, as ``Many2oneReference._update_inverses`` does."""
    if not is_on("writes"):
        _update_inverses(field, records, value)
        return
    if not value:
        return
    by_model = field._record_ids_per_res_model(records)
    for inverse in records.pool.field_inverses[field]:
        ids = by_model.get(inverse.model_name)
        if not ids:
            continue
        other = records.env[inverse.model_name].browse(value)
        belonging = records.browse(ids).filtered_domain(_domain(inverse, other, records))
        there = inverse._get_cache(other.env).get(other.id) if belonging else None
        if belonging and (there is not None or not other.id):
            inverse._update_cache(other, tuple(dict.fromkeys((there or ()) + belonging._ids)))


def html_sanitize(source: Any, **options: Any) -> Any:
    """Sanitize HTML as ``odoo.tools.html_sanitize`` does: of short texts, such as "Contact created", once."""
    if is_on("writes") and isinstance(source, str) and len(source) <= _LONGEST_TEXT:
        return _sanitized(source, **options)
    return _html_sanitize(source, **options)


@lru_cache(maxsize=256, typed=True)
def _sanitized(source: str, **options: Any) -> Any:
    return _html_sanitize(source, **options)


def _known(registry: Any) -> _Known:
    """Return the facts about a registry's fields; in Odoo's own dictionary, to be forgotten together with it."""
    known: _Known | None = registry._field_trigger_trees.get(_Known)
    return known or registry._field_trigger_trees.setdefault(_Known, _Known())


def _trigger_tree(records: Recordset, fields: tuple[Field, ...]) -> Any:
    """Return the tree that ``_modified`` traverses: without fields that are not stored and in no cache."""
    known = _known(records.pool)
    found = known.trees.get(fields)
    if found is None:
        tree = records.pool.get_trigger_tree(list(fields))
        all_fields = dict.fromkeys(field for branch in tree.depth_first() for field in branch.root)
        found = tree, tuple(field for field in all_fields if not (field.compute and field.store))
        _keep(known.trees, fields, found)
    tree, not_stored = found
    data, env = records.env.transaction.field_data, records.env
    cached = frozenset([field for field in not_stored if data.get(field) and field._get_all_cache_ids(env)])
    cut = known.cut_trees.get((fields, cached))
    if cut is None:
        cut = _without(tree, frozenset(not_stored) - cached)
        _keep(known.cut_trees, (fields, cached), cut)
    return cut


def _referred(records: Recordset, tree: Any) -> Any:
    """Return the tree without branches that begin with a field by which nothing refers to the records."""
    gone = [field for field in tree if field.type == "many2one" and foresight.has_none(field, records)]
    if not gone:
        return tree
    return TriggerTree(tree.root, {field: branch for field, branch in tree.items() if field not in gone})


def _keep(trees: dict[Any, Any], key: Any, value: Any) -> None:
    if len(trees) >= _MOST_TREES:
        trees.clear()
    trees[key] = value


def _without(tree: Any, dropped: frozenset[Field]) -> Any:
    """Return a tree as ``TriggerTree.merge`` makes it: without some fields, and without branches that have none."""
    kept = TriggerTree([field for field in tree.root if field not in dropped])
    for label, branch in tree.items():
        rest = _without(branch, dropped)
        if rest:
            kept[label] = rest
    return kept


def _domain(inverse: Any, other: Recordset, records: Recordset) -> Any:
    """Return the domain of an x2many field, ready to filter by where nothing in it can change."""
    if callable(inverse.domain):
        return inverse.get_comodel_domain(other)
    domains = _known(records.pool).domains
    domain = domains.get(inverse)
    if domain is None:
        domain = inverse.get_comodel_domain(other)
        if is_plain_domain(domain, records.browse()):
            domain = domain._optimize(records, OptimizationLevel.DYNAMIC_VALUES)
            domains[inverse] = domain
    return domain
