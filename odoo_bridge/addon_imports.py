"""The Python of Odoo's addons that this process has imported, and how it stood on disk then.

Python is imported once in a process: a registry that is loaded anew has the database's new modules, and of those that
were upgraded the old code. So the state of an addon's files is noted just before they are imported.
"""

from __future__ import annotations

import configparser
import functools
import hashlib
import os
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odoo.modules import loading
from odoo.modules.module import Manifest
from odoo.orm.models import MetaModel

_PREFIX = "odoo.addons."
#: Folders of an addon whose Python no server imports.
_SKIPPED = frozenset({"static", "i18n", "tests", "migrations", "upgrades", "node_modules", "__pycache__", ".git"})


class ImportFailed(Exception):
    """An addon's Python can't be imported; the message says where and why, for operators."""

    def __init__(self, addon: str, reason: str) -> None:
        super().__init__(f"The addon {addon!r} cannot be imported: {reason}")
        self.addon = addon


@dataclass(frozen=True, slots=True)
class Imported:
    """An addon as it was when it was imported: its version, its folder, and the state of the files in it."""

    version: str
    folder: Path
    state: bytes

    @property
    def is_changed(self) -> bool:
        """True if the files on disk are others by now."""
        return state_of(self.folder) != self.state


#: By name; also what was uninstalled since.
imported: dict[str, Imported] = {}


class _Here(threading.local):
    """True if this thread loads a registry in order to install, upgrade or uninstall addons."""

    updates = False


_here = _Here()


def install() -> None:
    """Note imports from now on, and change nothing in the database where a registry can't be loaded."""
    if hasattr(loading.load_modules, "__wrapped__"):
        return
    loading.load_openerp_module = _noting(loading.load_openerp_module)
    loading.load_modules = _knowing(loading.load_modules)
    loading.reset_modules_state = _only_of_updates(loading.reset_modules_state)


def state_of(folder: Path) -> bytes:
    """Return a digest of the Python files below a folder: their paths, sizes and times. No folder has one, too."""
    digest = hashlib.blake2b(digest_size=16)
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(files):
            if name.endswith(".py"):
                path = os.path.join(place, name)
                digest.update(f"{os.path.relpath(path, folder)}\0{_stand(path)}\0".encode())
    return digest.digest()


def state_around(conf: Path, addons: set[str]) -> bytes:
    """Return a digest of what decides whether other addons could be imported: odoo.conf, Python's path, some addons.

    It changes when an addon or a package of Python is put in place, mended or taken away.
    """
    from odoo import addons as namespace  # noqa: PLC0415  its path is complete only once Odoo has been configured

    digest = hashlib.blake2b(digest_size=16)
    folders = [*namespace.__path__, *_configured_folders(conf)]
    for path in [str(conf), *sys.path, *folders]:
        digest.update(f"{path}\0{_stand(path)}\0".encode())
    for folder in folders:
        for addon in sorted(addons):
            digest.update(state_of(Path(folder, addon)))
    return digest.digest()


def forget_half_imported() -> None:
    """Forget the modules of addons that failed to import: they would be there twice after the next try."""
    there = {name for name in sys.modules if name.startswith(_PREFIX)}
    for name in there:
        if _PREFIX + name.removeprefix(_PREFIX).partition(".")[0] not in there:
            del sys.modules[name]
    for addon in [addon for addon in MetaModel._module_to_models__ if _PREFIX + str(addon) not in there]:
        del MetaModel._module_to_models__[addon]


def describe(error: BaseException) -> str:
    """Return an error on one line, with the place that it comes from: an addon's, or else the last one."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return text
    folders = tuple(f"{found.folder}{os.sep}" for found in imported.values())
    frame = next((frame for frame in reversed(frames) if frame.filename.startswith(folders)), frames[-1])
    return f"{text} ({frame.filename}, line {frame.lineno})"


def _configured_folders(conf: Path) -> list[str]:
    """Return all of ``addons_path``: Odoo skips a folder that has no addon yet, or is not there."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(conf)
    except (configparser.Error, OSError, UnicodeDecodeError):
        return []
    text = os.environ.get("ODOO_ADDONS_PATH") or parser.get("options", "addons_path", fallback=None) or ""
    return [os.path.expanduser(os.path.expandvars(path.strip())) for path in text.split(",") if path.strip()]


def _stand(path: str) -> str:
    try:
        stat = os.stat(path)
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _noting(load: Any) -> Any:
    @functools.wraps(load)
    def wrapped(addon: str) -> None:
        manifest = Manifest.for_addon(addon, display_warning=False)
        if addon not in imported and manifest is not None:
            folder = Path(manifest.path)
            imported[addon] = Imported(str(manifest.version), folder, state_of(folder))
        try:
            load(addon)
        except Exception as error:
            reason = describe(error)
            imported.pop(addon, None)
            raise ImportFailed(addon, reason) from error

    return wrapped


def _knowing(load: Any) -> Any:
    @functools.wraps(load)
    def wrapped(registry: Any, *, update_module: bool = False, **options: Any) -> None:
        before, _here.updates = _here.updates, update_module
        load(registry, update_module=update_module, **options)
        _here.updates = before  # and where it fails after ``reset_modules_state``, which is called next

    return wrapped


def _only_of_updates(reset: Any) -> Any:
    """Odoo takes back all that is "to install" or "to upgrade" where a load fails: it may be under way elsewhere."""

    @functools.wraps(reset)
    def wrapped(database: str) -> None:
        updates, _here.updates = _here.updates, False
        if updates:
            reset(database)

    return wrapped
