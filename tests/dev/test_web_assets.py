"""What Odoo's web client needs and Debian's package only links to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev import web_assets
from dev.odoo_source import UNPACKED, OdooSource

JQUERY = "usr/share/javascript/jquery"


@pytest.fixture
def unpacked(tmp_path: Path) -> OdooSource:
    """A tree such as Debian's package has, with a link to another package and one that is whole."""
    path = tmp_path / UNPACKED
    lib = path / "odoo" / "addons" / "web" / "static" / "lib"
    lib.mkdir(parents=True)
    (lib / "own.js").touch()
    (lib / "whole.js").symlink_to("own.js")
    (lib / "jquery.js").symlink_to(Path(os.path.relpath(tmp_path / JQUERY, lib), "jquery.js"))
    return OdooSource(path, path / "odoo")


def test_a_link_to_nothing_needs_the_package_that_has_its_target(unpacked: OdooSource, tmp_path: Path) -> None:
    assert web_assets.tree(unpacked) == tmp_path
    assert web_assets.needed(unpacked.package, tmp_path) == {JQUERY: "libjs-jquery"}


def test_nothing_is_fetched_for_links_whose_targets_are_there(unpacked: OdooSource, tmp_path: Path) -> None:
    (tmp_path / JQUERY).mkdir(parents=True)
    (tmp_path / JQUERY / "jquery.js").touch()
    assert web_assets.needed(unpacked.package, tmp_path) == {}


def test_a_checkout_needs_nothing(tmp_path: Path) -> None:
    assert web_assets.tree(OdooSource(tmp_path, tmp_path / "odoo")) is None
    assert web_assets.tree(OdooSource(None, tmp_path / "odoo")) is None
