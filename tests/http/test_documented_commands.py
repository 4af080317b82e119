"""The commands that the pages show are there, with the options that they show."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from app.web.routing import Gatehouse
from bench import __main__ as bench

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FLASK = re.compile(r"\bflask\s+([a-z]+)\s+([a-z-]+)([^`|<>&\n]*)")
_MAKE = re.compile(r"(?:`|^|=\S+ )make ([a-z]+)", re.MULTILINE)
_BENCH = re.compile(r'make bench ARGS=("[^"]*"|[^`\s]+)')


def _shown(pattern: re.Pattern[str]) -> list[tuple[str, tuple[str, ...]]]:
    return [(page.name, found.groups()) for page in PAGES for found in pattern.finditer(page.read_text())]


def test_each_command_of_flask_takes_what_is_shown(app: Gatehouse) -> None:
    shown = _shown(_FLASK)
    assert len(shown) > 20
    for page, (group, name, rest) in shown:
        assert group in app.cli.commands, f"{page}: flask {group}"
        commands = app.cli.commands[group]
        assert isinstance(commands, click.Group)
        command = commands.commands.get(name)
        assert command is not None, f"{page}: flask {group} {name}"
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"{page}: flask {group} {name}{rest}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_target_of_make_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_MAKE.findall(page.read_text())) <= targets


def test_each_argument_of_the_benchmarks_is_one() -> None:
    parser = bench.parser()
    shown = _shown(_BENCH)
    assert len(shown) > 4
    for _, (arguments,) in shown:
        parser.parse_args(shlex.split(arguments.strip('"')))  # exits with a message where it knows one not


def test_each_module_that_is_run_is_there() -> None:
    modules = {name for _, (name,) in _shown(re.compile(r"python -m ([a-z.]+)"))}
    assert modules
    assert {name for name in modules if find_spec(name) is None} == set()
