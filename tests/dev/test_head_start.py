"""What another process does while `.venv` is made."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from dev import head_start, odoo_source, paths, virtualenv
from dev.odoo_source import UNPACKED

#: Says who it is, waits for the word, and says that it has heard it.
MODULE = """
import os, pathlib, time
here = pathlib.Path(__file__).parent
(here / "new").write_text(str(os.getpid()))
(here / "new").rename(here / "pid")
while not (here / "word").exists():
    time.sleep(0.02)
(here / "heard").touch()
"""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the module `early`, from which modules are run."""
    (tmp_path / "early.py").write_text(MODULE)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path


def _pid(folder: Path) -> int:
    deadline = time.monotonic() + 20
    while not (folder / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int((folder / "pid").read_text())


def test_it_runs_beside_the_block_and_is_waited_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with head_start.of_module("early", "Fetching"):
        _pid(folder)
        (folder / "word").touch()
    assert (folder / "heard").exists()
    assert capsys.readouterr().out.startswith("- Fetching, beside what follows ...\n")


@pytest.mark.parametrize("why", [KeyboardInterrupt, ValueError])
def test_it_ends_with_the_block_where_that_fails(why: type[BaseException], folder: Path) -> None:
    def fail() -> None:
        with head_start.of_module("early", "Fetching"):
            _pid(folder)
            raise why

    with pytest.raises(why):
        fail()
    with pytest.raises(ProcessLookupError):
        os.kill(_pid(folder), 0)
    assert not (folder / "heard").exists()


def test_what_goes_wrong_in_it_is_left_to_who_needs_it(folder: Path) -> None:
    with head_start.of_module("missing", "Fetching"):
        pass


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout in which nothing has been made, on a machine without Odoo."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.delenv("GATEHOUSE_ODOO_SOURCE", raising=False)
    monkeypatch.setattr(odoo_source, "importable", lambda *_: None)
    return tmp_path


def _begins(target: str, *, odoo_conf: bool = False) -> bool:
    block = virtualenv.fetching_source(target, odoo_conf, Path("python"))
    return not isinstance(block, contextlib.nullcontext)


@pytest.mark.parametrize(
    ("target", "odoo_conf", "expected"),
    [
        ("serve", False, True),
        ("odoo", False, True),
        ("test", False, True),
        ("test", True, True),  # its PostgreSQL and its database are its own all the same
        ("serve", True, False),
        ("odoo", True, False),
        ("unit", False, False),
        ("check", False, False),
    ],
)
def test_the_source_is_fetched_by_the_targets_that_need_it(
    target: str, odoo_conf: bool, expected: bool, fresh: Path
) -> None:
    assert _begins(target, odoo_conf=odoo_conf) is expected


def test_a_source_that_is_there_is_not_fetched(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_ODOO_SOURCE", "/opt/odoo")
    assert not _begins("serve")
    monkeypatch.delenv("GATEHOUSE_ODOO_SOURCE")
    assert _begins("serve")
    (fresh / "odoo" / UNPACKED / "odoo").mkdir(parents=True)
    assert not _begins("serve")


def test_an_odoo_that_a_python_has_is_not_fetched(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odoo_source, "importable", lambda python: python == Path("python"))
    assert not _begins("serve")
