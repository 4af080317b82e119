"""What differs between the database's addons and the code of a process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from odoo_bridge.addon_differences import AddonRow, Difference, Kind, compare
from odoo_bridge.addon_imports import Imported, state_of

_OLD, _NEW = "2026-11-01 10:00:00", "2026-11-02 10:00:00"


@pytest.fixture
def sale(tmp_path: Path) -> Imported:
    """An addon that was imported."""
    folder = tmp_path / "sale"
    (folder / "models").mkdir(parents=True)
    (folder / "__manifest__.py").write_text("{}")
    (folder / "models" / "order.py").write_text("old = 1")
    return Imported("19.0.1.2", folder, state_of(folder))


def row(state: str = "installed", version: str | None = "19.0.1.2", changed: str = _OLD) -> AddonRow:
    """The database's row of the addon."""
    return AddonRow("sale", state, version, changed)


def found(code: Imported | None, *rows: AddonRow, loaded: bool = True, ever: bool = True) -> tuple[Difference, ...]:
    """Compare with a process that imported the addon when its row was the one of old."""
    names = {"sale"} if loaded else set()
    imported = {"sale": code} if code is not None else {}
    return compare(rows, names, {"sale"} if ever else names, imported, {"sale": row()}, lambda name: "Why not.")


def kinds(differences: tuple[Difference, ...]) -> list[Kind]:
    """The kinds of differences."""
    return [difference.kind for difference in differences]


def change(code: Imported) -> None:
    """Put another version of the addon's code on the disk."""
    (code.folder / "models" / "order.py").write_text("new_and_longer = 1")


def test_what_was_loaded_and_has_not_changed_does_not_differ(sale: Imported) -> None:
    assert found(sale, row()) == ()


def test_an_installed_addon_that_is_not_loaded_differs() -> None:
    assert found(None, row(), loaded=False, ever=False) == (Difference("sale", Kind.NOT_LOADED, "Why not."),)


@pytest.mark.parametrize("state", ["to install", "to upgrade", "to remove"])
def test_which_version_comes_of_what_odoo_is_at_work_on_is_waited_for(sale: Imported, state: str) -> None:
    change(sale)
    assert found(sale, row(state, "19.0.2.0", _NEW)) == ()


def test_an_addon_that_is_to_be_installed_need_not_be_loaded_yet() -> None:
    assert found(None, row("to install"), loaded=False) == ()


@pytest.mark.parametrize("state", ["to upgrade", "to remove"])
def test_an_addon_that_is_to_be_upgraded_or_removed_is_installed_and_has_to_be_loaded(state: str) -> None:
    assert kinds(found(None, row(state), loaded=False, ever=False)) == [Kind.NOT_LOADED]


def test_an_upgraded_addon_with_other_files_has_changed(sale: Imported) -> None:
    change(sale)
    assert kinds(found(sale, row(changed=_NEW))) == [Kind.CHANGED]
    assert kinds(found(sale, row(version="19.0.1.3", changed=_NEW))) == [Kind.CHANGED]


def test_an_addon_that_is_only_put_on_the_disk_has_not_changed_yet(sale: Imported) -> None:
    change(sale)
    assert found(sale, row()) == ()


def test_an_upgrade_without_other_files_changes_nothing(sale: Imported) -> None:
    assert found(sale, row(changed=_NEW)) == ()


def test_code_that_is_older_than_the_database_differs_and_newer_code_does_not(sale: Imported) -> None:
    older = found(sale, row(version="19.0.1.10", changed=_NEW))
    assert kinds(older) == [Kind.OLDER]
    assert "19.0.1.10" in older[0].reason
    assert "19.0.1.2" in older[0].reason
    assert found(sale, row(version="19.0.1.1")) == ()
    assert found(sale, row(version=None)) == ()


def test_an_uninstalled_addon_is_still_imported_until_it_is_installed_again(sale: Imported) -> None:
    assert kinds(found(sale, loaded=False)) == [Kind.REMOVED]
    assert found(sale, row()) == ()
    assert found(None, loaded=False, ever=False) == ()


def test_the_state_of_an_addon_is_that_of_its_python(sale: Imported) -> None:
    for name, text in (("static/app.py", "x"), ("tests/test_order.py", "x"), ("views.xml", "<odoo/>")):
        (sale.folder / name).parent.mkdir(exist_ok=True)
        (sale.folder / name).write_text(text)
    assert not sale.is_changed
    file = sale.folder / "models" / "order.py"
    before = file.stat()
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert sale.is_changed
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not sale.is_changed
    file.unlink()
    assert sale.is_changed
