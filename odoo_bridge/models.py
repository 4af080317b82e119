"""Listing of models, for an admin who chooses one."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree  # type: ignore[import-untyped]  # it comes with Odoo, without types
from odoo.exceptions import UserError
from odoo.tools import SQL

from .transaction import Environment
from .types import Count, ModelSummary

#: From so many records on, PostgreSQL's estimate is good enough: counting them would read them all.
_ESTIMATED_FROM = 50_000


#: Depth of the menus in which people find each model, where 1 is an application. What stands below Settings → Technical
#: and below Apps is for Odoo itself.
_IN_MENUS = """
    WITH shown AS (
        SELECT 'ir.actions.act_window,' || id AS action, res_model AS model FROM ir_act_window
        UNION ALL
        SELECT 'ir.actions.server,' || server.id, model.model FROM ir_act_server server
          JOIN ir_model model ON model.id = server.model_id
    ), technical AS (
        SELECT '%/' || res_id || '/%' AS path FROM ir_model_data
         WHERE module = 'base' AND model = 'ir.ui.menu' AND name IN ('menu_custom', 'menu_management')
    )
    SELECT shown.model, min(array_length(string_to_array(menu.parent_path, '/'), 1) - 1)
      FROM ir_ui_menu menu JOIN shown ON shown.action = menu.action
     WHERE menu.active AND NOT EXISTS (SELECT FROM technical WHERE '/' || menu.parent_path LIKE technical.path)
     GROUP BY shown.model"""


def listing(env: Environment) -> list[ModelSummary]:
    """Return all models by name, without abstract and transient ones. One query."""
    env.cr.execute(_IN_MENUS)
    depths = dict(env.cr.fetchall())
    found = []
    for name in sorted(env.registry):
        model = env[name]
        if not model._abstract and not model._transient:
            depth = depths.get(name) if model._auto else None  # a view is a report, or one model in another's form
            found.append(ModelSummary(name, str(model._description or name), str(model._original_module or ""), depth))
    return found


def labels(env: Environment, names: Collection[str]) -> dict[str, str]:
    """Return the labels of those models that are there."""
    return {name: str(env[name]._description or name) for name in names if name in env.registry}


def counts(env: Environment, names: Collection[str]) -> dict[str, Count]:
    """Return the number of records of models, active or not; views and models without a table are left out.

    Two queries.
    """
    tables = {env[name]._table: name for name in names if env[name]._auto and not env[name]._abstract}
    env.cr.execute(
        "SELECT relname, reltuples::bigint FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' "
        "AND relnamespace = current_schema::regnamespace",
        (list(tables),),
    )
    estimates = dict(env.cr.fetchall())
    small = [table for table, estimate in estimates.items() if estimate < _ESTIMATED_FROM]
    if small:
        each = (SQL("SELECT %s, count(*) FROM %s", table, SQL.identifier(table)) for table in small)
        env.cr.execute(SQL(" UNION ALL ").join(each))
        estimates.update(env.cr.fetchall())
    return {tables[table]: Count(number, table in small) for table, number in estimates.items()}


def columns(env: Environment, model: str) -> list[str]:
    """Return the fields that Odoo's list of the model shows: what people look at first."""
    try:
        arch = etree.fromstring(env[model].get_view(view_type="list")["arch"])
    except (UserError, ValueError, KeyError, etree.XMLSyntaxError):
        return []
    shown = (node for node in arch.iterchildren("field") if node.get("column_invisible") not in ("1", "True"))
    return list(dict.fromkeys(str(node.get("name")) for node in shown))


def title_field(env: Environment, model: str) -> str | None:
    """Return the field that names a record."""
    name = env[model]._rec_name
    return str(name) if name else None


def parent_links(env: Environment, model: str) -> frozenset[str]:
    """Return the many2one fields to records that Odoo makes along with a new one (``_inherits``)."""
    return frozenset(map(str, env[model]._inherits.values()))
