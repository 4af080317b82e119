"""Functions of others that we copy or lean on: each is as it was, and of one that is not the log tells."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge import fast, relies_on
from odoo_bridge.fast import PIECES
from odoo_bridge.reliance import Reliance
from odoo_bridge.relies_on import RELIANCES

ROOT = Path(__file__).parents[2]
#: Private by their names, and what Odoo's documentation has models say of themselves, or has addons override.
DOCUMENTED = {
    *("_abstract", "_auto", "_description", "_fields", "_ids", "_inherits", "_log_access", "_name", "_order", "_table"),
    *("_active_name", "_parent_name", "_rec_name", "_rec_names_search", "_search", "_table_query", "_transient"),
}
#: Data of Odoo's modules.
DATA = {
    "odoo.http": ("_request_stack",),
    "odoo.orm.registry": ("_CACHES_BY_KEY", "_REGISTRY_CACHES"),
    "odoo.sql_db": ("_Pool", "_Pool_readonly"),
}
#: Attributes that functions of the table make in a way of their own, and one that Python documents (namedtuple).
MADE = {"_Registry__caches", "_get_current_object", "_original_module", "_replace"}
#: Methods of our own addon, on Odoo's side.
OF_OUR_ADDON = {"_switch", "_switches"}
#: Prints what each function's source is, and the source, in a process in which nothing has been replaced.
LOOK = """
import importlib, inspect, json, sys
import odoo_bridge, odoo.init, odoo.modules.registry
from odoo_bridge.reliance import digest, find
from odoo_bridge.relies_on import RELIANCES
found = {}
for function in {reliance.function for reliance in RELIANCES}:
    module, _, name = function.partition(":")
    function_found = find(importlib.import_module(module), name)
    found[function] = digest(function_found), inspect.getsource(function_found) if function_found else ""
print(json.dumps(found))
"""
#: Changes a function as an addon might, starts as a server does, and says which pieces are on.
START = """
import json, logging, sys
logging.basicConfig(level="WARNING", stream=sys.stderr)
import odoo_bridge
from odoo.models import BaseModel
theirs = BaseModel._read_format
def _read_format(self, fnames, load="_classic_read"):
    return theirs(self, fnames, load)
BaseModel._read_format = _read_format
from app.factory import create_app
app = create_app()
from odoo_bridge import fast
print(json.dumps([piece for piece in fast.PIECES if not fast.is_on(piece)]))
"""


def _python(script: str, environment: dict[str, str]) -> tuple[Any, str]:
    """Return what a script has printed as JSON, and its log."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture(scope="module")
def sources(testbed: Testbed) -> dict[str, tuple[str, str]]:
    """The digest and the text of each function's source."""
    found: dict[str, tuple[str, str]] = _python(LOOK, testbed.environment("none"))[0]
    return found


@pytest.mark.parametrize("reliance", RELIANCES, ids=lambda reliance: reliance.name)
def test_what_we_lean_on_is_as_it_was(sources: dict[str, tuple[str, str]], reliance: Reliance) -> None:
    digest, _ = sources[reliance.function]
    assert digest in reliance.digests, f"Look whether {reliance} still fits, and then know it as {digest!r} too"


def test_every_module_that_leans_on_something_is_there() -> None:
    assert [name for each in RELIANCES for name in each.modules if not (ROOT / name).is_file()] == []


def test_every_fast_piece_leans_on_something_or_on_another_piece() -> None:
    leaning = {piece for reliance in RELIANCES for piece in reliance.pieces}
    assert set(PIECES) - leaning == {"prepared", "alone"}


def test_every_private_name_of_others_that_we_use_is_known(sources: dict[str, tuple[str, str]]) -> None:
    ours, used = _names(ROOT / "odoo_bridge", ROOT / "serving", ROOT / "app")
    # The functions themselves, and what they keep: ``self._joins = …``, ``_REGISTRY_CACHES.items()``.
    known = {function.rpartition(".")[2].rpartition(":")[2] for function in sources}.union(MADE, *DATA.values())
    for _, text in sources.values():
        known.update(re.findall(r"(?:\.|^)(_\w+)(?:: [^=\n]+)? = ", text, re.MULTILINE))
    assert {name: places for name, places in used.items() if name not in ours | known | DOCUMENTED | OF_OUR_ADDON} == {}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in DATA.items() for name in names])
def test_the_data_of_odoos_that_we_use_is_there(app: Gatehouse, module: str, name: str) -> None:
    assert hasattr(sys.modules[module], name)


def _names(*folders: Path) -> tuple[set[str], dict[str, list[str]]]:
    """Return the names that our code defines, and the places where it uses private names, whoever defines them."""
    ours: set[str] = set()
    used: dict[str, list[str]] = {}
    on_odoos_side = ROOT / "odoo_bridge" / "addons"
    for path in (path for folder in folders for path in folder.rglob("*.py") if on_odoos_side not in path.parents):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.ClassDef(name=name)
                    | ast.Name(id=name, ctx=ast.Store())
                ):
                    ours.add(name)
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                    ours.add(name)
                case ast.Attribute(attr=name) if name.startswith("_") and not name.endswith("_"):
                    used.setdefault(name, []).append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return ours, used


def _changed() -> None:
    pass


def test_a_function_that_was_changed_is_named_and_its_pieces_are_off(
    all_pieces: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert relies_on.changed() == []
    monkeypatch.setattr("odoo.models.BaseModel._read_format", _changed)
    relies_on.act_on(relies_on.changed())
    assert "odoo.orm.models.BaseModel._read_format" in caplog.text
    assert "odoo_bridge/fast/columns.py" in caplog.text
    assert [piece for piece in PIECES if not fast.is_on(piece)] == ["rows", "columns"]


def test_rows_stay_where_only_what_is_computed_is_asked_for_in_another_way(
    all_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odoo.orm.fields.Field.recompute", _changed)
    relies_on.act_on(relies_on.changed())
    assert [piece for piece in PIECES if not fast.is_on(piece)] == ["columns"]


def test_what_needs_connections_that_are_not_reset_is_off_with_them(
    all_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odoo.sql_db.ConnectionPool.give_back", _changed)
    relies_on.act_on(relies_on.changed())
    assert {piece for piece in PIECES if not fast.is_on(piece)} == {"round_trips", "prepared", "alone"}


def test_a_function_that_is_gone_is_named(
    all_pieces: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr("odoo.addons.base.models.ir_rule.IrRule._compute_domain")
    relies_on.act_on(relies_on.changed())
    assert "odoo.addons.base.models.ir_rule.IrRule._compute_domain" in caplog.text
    assert {piece for piece in PIECES if not fast.is_on(piece)} == {"statements", "rows", "writes", "fetches"}


def test_a_function_that_an_addon_has_wrapped_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    recompute = sys.modules["odoo.orm.fields"].Field.recompute
    wrapped = functools.wraps(recompute)(lambda field, records: recompute(field, records))
    monkeypatch.setattr("odoo.orm.fields.Field.recompute", wrapped)
    assert [reliance.function for reliance in relies_on.changed()] == ["odoo.orm.fields:Field.recompute"]


def test_a_change_that_no_piece_leans_on_is_named_alone(
    all_pieces: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("odoo.service.security.check_session", _changed)
    relies_on.act_on(relies_on.changed())
    assert "odoo.service.security.check_session" in caplog.text
    assert all(map(fast.is_on, PIECES))


def test_a_server_that_starts_with_a_changed_function_says_so(testbed: Testbed, database: str, app: Gatehouse) -> None:
    off, log = _python(START, {**testbed.environment(database), "GATEHOUSE_FAST": "on"})
    assert off == ["rows", "columns"]
    assert "The fast piece columns is off: odoo.orm.models.BaseModel._read_format has changed" in log
