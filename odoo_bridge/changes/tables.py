"""Tables of a registry, and those that statements of Odoo's name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from odoo_bridge.changes.needs import Needs, TableNeed
from odoo_bridge.structure import Structure
from odoo_bridge.transaction import Environment

#: Words of a statement, each with a dot where it is behind one, as a column is. Odoo does not quote all of them.
_WORD = re.compile(r"(\.\s*\"?)?\b([A-Za-z_]\w*)")
_LITERAL = re.compile(r"'(?:[^']|'')*'")


class Untold(Exception):
    """Something that can't be told from tables; ``reason`` completes "… can't be followed, because"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Tables:
    """Tables of a registry: of models, and of many2many fields."""

    def __init__(self, env: Environment) -> None:
        registry = env.registry
        self._models = {model._table: model for model in registry.values() if not model._abstract}
        fields = (field for model in registry.values() if not model._abstract for field in model._fields.values())
        self._relations = {
            field.relation: tuple(sorted((field.column1, field.column2)))  # it may be the field of both sides
            for field in fields
            if field.type == "many2many" and field.store and field.relation not in self._models
        }

    def named_in(self, *statements: Any) -> frozenset[str]:
        """Return the tables that statements of Odoo's name."""
        names = {word for sql in statements for dot, word in words_of(sql) if not dot}
        return frozenset(names & (self._models.keys() | self._relations.keys()))

    def needs(self, *statements: Any) -> Needs:
        """Return the needs of statements that are to be run on old rows: all columns that they name.

        Which table a column is of is not looked at: a name of two tables' columns is taken for both.
        """
        names = frozenset(word for sql in statements for _, word in words_of(sql))
        return {table: self._need(table, names) for table in self.named_in(*statements)}

    def _need(self, table: str, names: frozenset[str]) -> TableNeed:
        if table in self._relations:
            return TableNeed(self._relations[table])
        return TableNeed(("id",), (names & self.columns(table)) - {"id"})

    def is_relation(self, table: str) -> bool:
        """True for the table of a many2many alone, False where it is a model's too."""
        return table in self._relations

    def watched(self, table: str, columns: Iterable[str]) -> TableNeed:
        """Return the need of a table of which only the changes matter."""
        if table in self._relations:
            return TableNeed(self._relations[table])
        return TableNeed(("id",), watched=frozenset(columns) - {"id"})

    def kept(self, table: str, columns: Iterable[str]) -> TableNeed:
        """Return the need of a table of which old values of columns matter."""
        return TableNeed(("id",), kept=frozenset(columns) - {"id"})

    def columns(self, table: str) -> frozenset[str]:
        """Return the columns of a model's table."""
        fields = self._models[table]._fields.values() if table in self._models else ()
        return frozenset(field.name for field in fields if field.store and field.column_type)

    def model(self, table: str) -> str | None:
        """Return the name of the model of a table; None for a relation table."""
        return self._models[table]._name if table in self._models else None

    def check(self, table: str) -> None:
        """Raise Untold unless Odoo keeps the records of a model in a table of its own."""
        model = self._models.get(table)
        if model is not None and (not model._auto or getattr(model, "_table_query", None)):
            raise Untold(f"{model._name} is a view and has no table of its own")


def words_of(sql: Any) -> list[tuple[str, str]]:
    """Return the words of a statement, each behind its dot or nothing."""
    return _WORD.findall(_LITERAL.sub("''", sql.code))


#: The tables that were looked up last, and what they were looked up in.
_known: tuple[Structure, Tables] | None = None


def tables_of(env: Environment) -> Tables:
    """Return the tables of an environment's registry, which are looked up once."""
    global _known
    if _known is None or not _known[0].fits(env):
        _known = Structure.of(env), Tables(env)
    return _known[1]
