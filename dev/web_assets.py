"""Assets of the web client that Debian's package of Odoo only links to: other packages, unpacked into the same tree.

`make serve` does without; Odoo's own server answers 500 where jquery.js is a link into nowhere.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from dev import apt, locks, paths
from dev.odoo_source import SUITE, UNPACKED, OdooSource
from dev.steps import step

# What the links point to, seen from the tree's root, and the package that holds it. Not here are fonts-font-awesome and
# fonts-inconsolata, whose files have other names by now: the web client has icons of its own, and the other is for
# the point of sale.
PACKAGES = {
    "usr/share/javascript/jquery": "libjs-jquery",
    "usr/share/javascript/jquery-form": "libjs-jquery-form",
    "usr/share/javascript/underscore": "libjs-underscore",
    "usr/share/fonts/truetype/montserrat": "fonts-montserrat",
    "usr/share/fonts/truetype/roboto/unhinted": "fonts-roboto-unhinted",
    "usr/share/fonts/opentype/ocr-b": "fonts-ocr-b",
}
TODO = "Run the same command again, or set GATEHOUSE_ODOO_SOURCE to a checkout of Odoo 19, which has no such links."


def ensure(source: OdooSource) -> None:
    """Fetch missing assets; fast when none is. Raises SetupError."""
    root = tree(source)
    if root is None or not needed(source.package, root):
        return
    with locks.alone(root.with_name(f"{root.name}.lock")):
        _fetch(needed(source.package, root), root)


def _fetch(missing: Mapping[str, str], root: Path) -> None:
    if not missing:  # another process was quicker
        return
    names = sorted(set(missing.values()))
    with step(f"Fetching what Odoo's web client needs ({', '.join(names)}; 10 MB)"):
        fetched = paths.LOCAL / "odoo-web"
        apt.fetch(names, SUITE, fetched, log=paths.LOGS / "odoo-web.log", todo=TODO)
        for folder in missing:
            (root / folder).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(fetched / folder, root / folder)
        shutil.rmtree(fetched)


def tree(source: OdooSource) -> Path | None:
    """Return the folder that Debian's package was unpacked to; None for an Odoo that came another way."""
    if source.path is None or not source.path.as_posix().endswith(f"/{UNPACKED.as_posix()}"):
        return None
    return source.path.parents[len(UNPACKED.parts) - 1]


def needed(package: Path, root: Path) -> dict[str, str]:
    """Return those of PACKAGES that links in `package` point to and that are not in the tree yet."""
    targets = {link.resolve() for link in dangling(package)}
    return {
        folder: name
        for folder, name in PACKAGES.items()
        if not (root / folder).exists() and any(target.is_relative_to(root / folder) for target in targets)
    }


def dangling(folder: Path) -> Iterator[Path]:
    """Yield the links below a folder that point to nothing."""
    for place, _, files in os.walk(folder):
        for name in files:
            path = Path(place, name)
            if path.is_symlink() and not path.exists():
                yield path
