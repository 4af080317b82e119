"""Files that a run leaves below ``.local``: figures as JSON, tables as Markdown; and the pictures of docs/ of them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from bench import packages
from dev import paths
from dev.errors import SetupError
from dev.steps import run, say, step

PICTURES = paths.ROOT / "docs" / "img"
#: What there are pictures of.
DRAWN = ("load", "distance")


def write(name: str, entries: object, text: str) -> None:
    """Print the tables of a run and keep them, as text and as figures."""
    figures, tables = _files(name)
    figures.write_text(json.dumps(entries, indent=1) + "\n")
    tables.write_text(text + "\n")
    say(f"\n{text}\n\nAlso in {tables}; the figures in {figures}.")


def draw(pictures: Path = PICTURES, figures: Path = paths.LOCAL) -> None:
    """Draw the pictures of the figures that are there. Raises SetupError."""
    there = [file for file in (figures / _files(name)[0].name for name in DRAWN) if file.exists()]
    if not there:
        raise SetupError("There are no figures to draw.", "Run `make bench ARGS=load` or `make bench ARGS=distance`.")
    env = {**os.environ, "PYTHONPATH": str(packages.folder("matplotlib"))}
    pictures.mkdir(exist_ok=True)
    for file in there:
        picture = pictures / f"{file.stem.removeprefix('bench-')}.svg"
        with step(f"Drawing {picture}"):
            command: list[str | Path] = [sys.executable, "-m", "bench.drawing", file, picture]
            run(command, log=None, what="Drawing", env=env, cwd=paths.ROOT)


def _files(name: str) -> tuple[Path, Path]:
    stem = f"bench-{name}" if name else "bench"
    return paths.LOCAL / f"{stem}.json", paths.LOCAL / f"{stem}.md"
