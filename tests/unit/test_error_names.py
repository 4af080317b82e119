"""The names of errors: docs/errors.md and the code know the same ones."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

import pytest
from werkzeug.exceptions import default_exceptions

from app.openapi import parts
from serving import refusals
from tests.pages import ROOT

#: The bases of all errors that clients may get, and functions that make one by its name.
_BASES = frozenset({"ApiError", "BridgeError"})
_MAKERS = frozenset({"partial", "invalid", "_invalid", "unknown", "kind", "_told", "Refusal"})
#: Werkzeug's own, as far as a request to an API can end with them.
_OF_WERKZEUG = (404, 413, 416)
#: Odoo's own classes, whose names go out as they are.
_OF_ODOO = frozenset(
    {"odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "odoo.exceptions.RedirectWarning"}
)
#: Names that no client meets: of a process that can't start, of what the primary does then, of a defect.
_INSIDE = frozenset({"boot_error", "replica_unfit", "superuser"})

#: Names that are put together, with what they turn out to be.
_PUT_TOGETHER = {
    "invalid_*": {
        f"invalid_{each}"
        for each in ("aggregates", "domain", "fields", "group", "having", "ids", "limit", "offset", "order")
    },
    "test_mode_no_*": {f"test_mode_no_{each}" for each in ("network", "commit", "connections", "threads", "programs")},
    "*_unavailable": {"data_dir_unavailable"},  # of any check: docs/readiness.md
}


class _Code:
    """What the code says of errors. Of its syntax trees nothing is kept: they would take long to collect."""

    def __init__(self) -> None:
        #: Classes with their bases, and the names that their errors have of their own.
        self.classes: list[tuple[str, set[str], set[str]]] = []
        #: Functions that are called, with the names that they are given, by keyword and as the first argument.
        self.calls: list[tuple[str, list[str], str]] = []
        self.raised: list[str] = []
        for folder in ("app", "odoo_bridge", "serving"):
            for file in (ROOT / folder).rglob("*.py"):
                for node in ast.walk(ast.parse(file.read_text())):
                    self._take(node)

    def _take(self, node: ast.AST) -> None:
        if isinstance(node, ast.ClassDef):
            own = {_text(line.value) for line in node.body if isinstance(line, ast.Assign) and _is_name(line)}
            self.classes.append((node.name, {_last(base) for base in node.bases}, own))
        elif isinstance(node, ast.Call):
            made, first = _last(node.func), node.args[0] if node.args else None
            if made == "partial" and first is not None:
                made = _last(first)
            named = [_text(each.value) for each in node.keywords if each.arg == "name"]
            self.calls.append((made, named, _text(first) if first is not None else ""))
        elif isinstance(node, ast.Raise) and node.exc:
            self.raised.append(_last(node.exc))

    def errors(self) -> dict[str, set[str]]:
        """Return the classes of errors, with the names that their errors have; two classes may be called alike."""
        found: dict[str, set[str]] = {base: {"internal_error"} for base in _BASES}
        for _ in range(4):  # as deep as classes go
            for name, all_bases, own in self.classes:
                bases = all_bases & found.keys()
                if bases:
                    inherited = set().union(*(found[base] for base in bases if base not in _BASES))
                    found.setdefault(name, set()).update(own or inherited)
        return found


def _is_name(line: ast.Assign) -> bool:
    return isinstance(line.targets[0], ast.Name) and line.targets[0].id == "name"


def _given() -> Iterator[str]:
    """Yield the names of errors that the code makes; a variable part is ``*``."""
    code = _Code()
    errors = code.errors()
    for made, named, first in code.calls:
        if made in _MAKERS or made in errors:
            yield from named or errors.get(made, ())
            if made == "_told":
                yield first
    for raised in code.raised:
        yield from errors.get(raised, ())


def _last(value: ast.expr) -> str:
    if isinstance(value, ast.Attribute):
        return value.attr
    return value.id if isinstance(value, ast.Name) else ""


def _text(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in value.values)
    return ""  # handed on: named where it comes from


@functools.cache
def _known() -> set[str]:
    """Return all names that the code knows."""
    of_werkzeug = {default_exceptions[status]().name.lower().replace(" ", "_") for status in _OF_WERKZEUG}
    of_nginx = set(re.findall(r'"data": \{"name": "(\w+)"', (ROOT / "deploy/nginx.conf").read_text()))
    given = set[str]().union(*(_PUT_TOGETHER.get(each, {each}) for each in _given()))
    found = {*given, *refusals._NAMES.values(), *of_werkzeug, *of_nginx}
    return (found | _OF_ODOO) - _INSIDE - {""}


_PAGE = (ROOT / "docs/errors.md").read_text()


def _table() -> list[tuple[str, str]]:
    """Return the names of the page's table, each with its statuses as they stand there."""
    _, _, table = _PAGE.partition("\n## All names\n")
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", table, re.MULTILINE)
    return [(name, statuses) for names, statuses in rows for name in re.findall(r"`([\w.]+)`", names)]


def _documented() -> list[str]:
    return [name for name, _ in _table()]


def test_each_name_that_the_code_gives_is_in_the_table() -> None:
    assert sorted(_known().difference(_documented())) == []


def test_each_name_of_the_table_is_one_that_the_code_gives() -> None:
    assert sorted(set(_documented()) - _known()) == []


def test_a_name_stands_in_the_table_once() -> None:
    documented = _documented()
    assert sorted({name for name in documented if documented.count(name) > 1}) == []


@pytest.mark.parametrize("status", [status for status in parts.ERRORS if "content" in parts.failure(status, [])])
def test_the_example_of_an_error_in_the_openapi_document_is_one_of_the_table(status: int) -> None:
    error = parts.failure(status, [])["content"]["application/json"]["example"]["error"]
    assert error["code"] == status
    assert str(status) in dict(_table())[error["data"]["name"]]


def test_the_openapi_document_has_the_members_of_an_error_that_the_page_tells_of() -> None:
    told = re.findall(r"^\| `(\w+)` \|", _PAGE.partition("\n## ")[0], re.MULTILINE)
    members = parts.ERROR["properties"]["data"]["properties"].keys()
    assert sorted(members - {"name", "message", "request_id"}) == sorted(told)
