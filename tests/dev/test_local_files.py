"""The files of the local set-up: odoo.conf, Odoo's source, and what makes the template be made anew."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from dev import cluster, odoo_conf, odoo_source, testbed
from dev.errors import SetupError
from dev.odoo_source import OdooSource
from dev.postgres import PostgresServer

SERVER = PostgresServer(5432, "odoo", "pass%word")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like a checkout of Odoo."""
    for file in ("odoo/release.py", "odoo/addons/base/__manifest__.py", "addons/web/__manifest__.py"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text("")
    return tmp_path


def test_an_odoo_conf_reads_back_as_it_was_meant(checkout: Path, tmp_path: Path) -> None:
    path = tmp_path / "odoo.conf"
    odoo_conf.write(path, SERVER, odoo_source.at(checkout, "X"), data_dir=tmp_path / "data", database="demo")
    parser = configparser.RawConfigParser()
    parser.read(path)
    options = dict(parser["options"])
    assert options["db_password"] == "pass%word"
    assert options["db_name"] == "demo"
    assert options["data_dir"] == str(tmp_path / "data")
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_an_odoo_conf_for_tests_leaves_the_database_open(checkout: Path, tmp_path: Path) -> None:
    path = tmp_path / "odoo.conf"
    odoo_conf.write(path, SERVER, odoo_source.at(checkout, "X"), data_dir=tmp_path / "data", database=None)
    assert "db_name" not in path.read_text()


def test_an_odoo_conf_that_would_not_change_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    path, source = tmp_path / "odoo.conf", odoo_source.at(checkout, "X")
    odoo_conf.write(path, SERVER, source, data_dir=tmp_path / "data", database="demo")
    before = path.stat().st_ino
    odoo_conf.write(path, SERVER, source, data_dir=tmp_path / "data", database="demo")
    assert path.stat().st_ino == before


def test_folders_without_an_addon_are_left_out_of_the_path(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    path = odoo_conf.addons_path(odoo_source.at(checkout, "X"), (tmp_path / "empty", tmp_path / "none"))
    assert path == f"{checkout}/odoo/addons,{checkout}/addons"


def test_a_checkout_is_recognised(checkout: Path) -> None:
    assert odoo_source.at(checkout, "X") == OdooSource(checkout, checkout / "odoo")


def test_debians_package_unpacked_is_recognised(tmp_path: Path) -> None:
    package = tmp_path / odoo_source.UNPACKED / "odoo"
    (package / "addons" / "web").mkdir(parents=True)
    (package / "addons" / "web" / "__manifest__.py").touch()
    (package / "release.py").touch()
    source = odoo_source.at(tmp_path, "X")
    assert source.path == tmp_path / odoo_source.UNPACKED
    assert source.addons == (package / "addons",)


def test_a_folder_that_is_no_source_is_refused_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"GATEHOUSE_ODOO_SOURCE=.* is not Odoo's source"):
        odoo_source.at(tmp_path, "GATEHOUSE_ODOO_SOURCE")


def test_a_source_without_addons_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo" / "release.py").touch()
    with pytest.raises(SetupError, match="not its addons"):
        odoo_source.at(tmp_path, "X")


def test_the_template_is_made_anew_when_an_addon_or_odoo_changes(checkout: Path, tmp_path: Path) -> None:
    addons = tmp_path / "mine"
    (addons / "one").mkdir(parents=True)
    (addons / "one" / "models.py").write_text("a = 1\n")
    source = odoo_source.at(checkout, "X")

    def note(modules: tuple[str, ...] = ("base",)) -> str:
        return testbed.fingerprint((source.version, *modules), (addons,))

    first = note()
    (addons / "one" / "models.pyc").write_text("compiled")
    assert note() == first
    assert note(("base", "web")) != first
    (addons / "one" / "models.py").write_text("a = 2\n")
    second = note()
    assert second != first
    (checkout / "odoo" / "release.py").write_text("version = 2\n")
    assert note() != second


def test_a_private_file_is_closed_to_others_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("old")
    path.chmod(0o644)
    cluster.write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
