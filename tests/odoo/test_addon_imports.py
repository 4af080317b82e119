"""Addons whose Python can't be imported at first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import odoo.addons  # noqa: TID251  the tests bring an addon of their own
import pytest
from odoo.modules import loading  # noqa: TID251  what loads it
from odoo.modules.module import Manifest  # noqa: TID251  which it remembers
from odoo.orm.models import MetaModel  # noqa: TID251  where its models are registered

from app.web.routing import Gatehouse
from odoo_bridge import addon_imports
from odoo_bridge.addon_imports import ImportFailed

_ADDON = "gatehouse_half"
_MODELS = """
from odoo import models

class Half(models.AbstractModel):
    _name = "gatehouse.half"
    _description = "Half"

import gatehouse_missing
"""


@pytest.fixture
def addon(app: Gatehouse, tmp_path: Path) -> Iterator[Path]:
    """An addon on the addons path that needs a package which is not there."""
    folder = tmp_path / _ADDON
    folder.mkdir()
    (folder / "__manifest__.py").write_text('{"name": "Half", "author": "x", "license": "LGPL-3"}')
    (folder / "__init__.py").write_text("from . import sound, half\n")
    (folder / "sound.py").write_text("")
    (folder / "half.py").write_text(_MODELS)
    Manifest._get_manifest_from_addons.cache_clear()
    odoo.addons.__path__.append(str(tmp_path))
    yield folder
    odoo.addons.__path__._path.remove(str(tmp_path))
    Manifest._get_manifest_from_addons.cache_clear()
    for name in [name for name in sys.modules if name.startswith(f"odoo.addons.{_ADDON}")]:
        del sys.modules[name]
    MetaModel._module_to_models__.pop(_ADDON, None)
    addon_imports.imported.pop(_ADDON, None)


def test_the_error_names_the_addon_the_package_and_the_place(addon: Path) -> None:
    with pytest.raises(ImportFailed) as caught:
        loading.load_openerp_module(_ADDON)
    assert caught.value.addon == _ADDON
    assert "ModuleNotFoundError: No module named 'gatehouse_missing'" in str(caught.value)
    assert f"({addon / 'half.py'}, line 8)" in str(caught.value)


def test_the_next_try_imports_it_once_and_as_it_is_then(addon: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportFailed):
        loading.load_openerp_module(_ADDON)
    addon_imports.forget_half_imported()
    package = addon.parent / "packages"
    package.mkdir()
    (package / "gatehouse_missing.py").write_text("")
    monkeypatch.syspath_prepend(str(package))
    (addon / "sound.py").write_text("IS_NEW = True")
    loading.load_openerp_module(_ADDON)
    assert [model._name for model in MetaModel._module_to_models__[_ADDON]] == ["gatehouse.half"]
    assert sys.modules[f"odoo.addons.{_ADDON}.sound"].IS_NEW
    assert not addon_imports.imported[_ADDON].is_changed


def test_what_could_help_is_seen_around_it(addon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages, conf = tmp_path / "site-packages", tmp_path / "odoo.conf"
    packages.mkdir()
    conf.write_text("")
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])

    def around() -> bytes:
        return addon_imports.state_around(conf, {_ADDON})

    seen = [around()]
    assert around() == seen[0]
    (packages / "gatehouse_missing.py").write_text("")
    seen.append(around())
    conf.write_text("addons_path = /elsewhere")
    seen.append(around())
    (addon / "half.py").write_text("")
    seen.append(around())
    assert len(set(seen)) == 4


@pytest.mark.parametrize("is_there", [True, False])
def test_an_addon_is_seen_in_a_folder_of_the_addons_path_that_odoo_has_skipped(tmp_path: Path, is_there: bool) -> None:
    conf, folder = tmp_path / "odoo.conf", tmp_path / "later"
    conf.write_text(f"[options]\naddons_path = {tmp_path / 'other'}, {folder}\n")
    if is_there:
        folder.mkdir()
    before = addon_imports.state_around(conf, {_ADDON})
    (folder / _ADDON).mkdir(parents=True)
    there = addon_imports.state_around(conf, {_ADDON})
    (folder / _ADDON / "__init__.py").write_text("")
    assert len({before, there, addon_imports.state_around(conf, {_ADDON})}) == 3


@pytest.mark.parametrize("text", ["addons_path = /of/no/section", "[options]\n", "[options]\n\xff", "[options"])
def test_an_odoo_conf_that_is_just_being_written_is_no_error(tmp_path: Path, text: str) -> None:
    conf = tmp_path / "odoo.conf"
    conf.write_text(text, encoding="latin-1")
    assert addon_imports.state_around(conf, {_ADDON}) == addon_imports.state_around(conf, {_ADDON})
