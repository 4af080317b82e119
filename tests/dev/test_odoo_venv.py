"""Odoo's virtual environment, seen from Gatehouse's own."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest

from dev import existing, odoo_source, odoo_venv, virtualenv
from dev.errors import SetupError
from dev.virtualenv import State


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An empty virtual environment."""
    venv.create(tmp_path / "own", with_pip=False, symlinks=True)
    return tmp_path / "own"


@pytest.fixture
def odoos(tmp_path: Path) -> Path:
    """The folder of packages of Odoo's environment: one of its own, one that both have, and an editable Odoo."""
    folder = tmp_path / "odoo's packages"
    (tmp_path / "source" / "odoo").mkdir(parents=True)
    (tmp_path / "source" / "odoo" / "release.py").write_text("")
    folder.mkdir()
    (folder / "needed.py").write_text("WHOSE = 'Odoo'")
    (folder / "both.py").write_text("WHOSE = 'Odoo'")
    (folder / "editable.pth").write_text(f"{tmp_path / 'source'}\n")
    return folder


def _says(own: Path, script: str) -> str:
    done = subprocess.run([own / "bin" / "python", "-E", "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr


def test_odoos_packages_are_seen_behind_our_own(own: Path, odoos: Path) -> None:
    (site,) = own.glob("lib/python3*/site-packages")
    (site / "both.py").write_text("WHOSE = 'Gatehouse'")
    odoo_venv.link(own, odoos)
    assert _says(own, "import both, needed; print(both.WHOSE, needed.WHOSE)") == "Gatehouse Odoo"
    assert odoo_venv.linked(own) == odoos


def test_an_odoo_installed_in_place_is_found(own: Path, odoos: Path) -> None:
    assert not odoo_source.installed(own / "bin" / "python")
    odoo_venv.link(own, odoos)
    assert odoo_source.installed(own / "bin" / "python")


def test_a_python_that_does_not_run_has_no_odoo(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("no program")
    assert odoo_source.importable(tmp_path / "python") is None
    assert odoo_source.importable(tmp_path / "missing") is None


def test_without_the_link_nothing_is_seen(own: Path, odoos: Path) -> None:
    odoo_venv.link(own, odoos)
    odoo_venv.unlink(own)
    assert odoo_venv.linked(own) is None
    assert "ModuleNotFoundError" in _says(own, "import needed")


@pytest.mark.parametrize("sees", [True, False])
def test_packages_that_odoos_environment_has_from_the_system_are_known_of(sees: bool, tmp_path: Path) -> None:
    venv.create(tmp_path / "odoo", with_pip=False, system_site_packages=sees)
    (packages,) = (tmp_path / "odoo").glob("lib/python3*/site-packages")
    assert odoo_venv.sees_system_packages(packages) is sees


def test_an_environment_that_sees_another_odoo_or_none_any_more_is_made_anew(odoos: Path, tmp_path: Path) -> None:
    sound = State(True, version=(3, 13), odoo_packages=odoos)
    assert virtualenv.defect(sound, system_packages=False, odoo_packages=odoos) == ""
    # Run with another Python: it goes on seeing what it sees.
    assert virtualenv.defect(sound, system_packages=False) == ""
    assert "have to be seen" in virtualenv.defect(sound, system_packages=False, odoo_packages=tmp_path / "other")
    gone = State(True, version=(3, 13), odoo_packages=tmp_path / "gone")
    assert "no longer" in virtualenv.defect(gone, system_packages=False)


def test_a_source_that_is_not_named_is_asked_for_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf = tmp_path / "odoo.conf"
    conf.write_text("[options]\n")
    monkeypatch.setenv("GATEHOUSE_ODOO_CONF", str(conf))
    monkeypatch.delenv("GATEHOUSE_ODOO_SOURCE", raising=False)
    monkeypatch.setattr(odoo_source, "importable", lambda *_: None)
    for name in ("create", "install"):
        monkeypatch.setattr(virtualenv, name, lambda *_, **__: pytest.fail("something is made"))
    with pytest.raises(SetupError, match="Set GATEHOUSE_ODOO_SOURCE to the folder"):
        virtualenv.ensure("serve")


@pytest.mark.parametrize("addons", ["source/addons", "source/odoo/addons"])
def test_the_question_for_the_source_names_the_one_of_addons_path(
    addons: str, own: Path, odoos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf = tmp_path / "odoo.conf"
    conf.write_text(f"[options]\naddons_path = /srv/addons, {tmp_path / addons}\n")
    monkeypatch.setenv("GATEHOUSE_ODOO_CONF", str(conf))
    monkeypatch.delenv("GATEHOUSE_ODOO_SOURCE", raising=False)
    with pytest.raises(SetupError, match=f"GATEHOUSE_ODOO_SOURCE={tmp_path / 'source'}\n"):
        existing.settings(own / "bin" / "python")
    odoo_venv.link(own, odoos)  # this Python can import it: nothing to ask
    assert existing.settings(own / "bin" / "python") == {"GATEHOUSE_ODOO_CONF": str(conf)}
