"""Tests for what a server says about its own version."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from app.version import ROOT, VERSION, revision


def _commit(folder: Path) -> str:
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_version_is_that_of_the_changelog() -> None:
    assert re.findall(r"(?m)^## (\S+)$", (ROOT / "CHANGELOG.md").read_text())[0] == VERSION


def test_the_revision_of_a_checkout_is_its_commit(tmp_path: Path) -> None:
    assert revision(tmp_path) == "" != _commit(tmp_path) == revision(tmp_path)


def test_the_revision_of_an_image_stands_in_a_file(tmp_path: Path) -> None:
    _commit(tmp_path)
    (tmp_path / "REVISION").write_text("4d95473\n")
    assert revision(tmp_path) == "4d95473"


def test_the_revision_of_a_copy_is_not_that_of_a_checkout_around_it(tmp_path: Path) -> None:
    _commit(tmp_path)
    (tmp_path / "copy").mkdir()
    assert revision(tmp_path / "copy") == ""


def test_a_checkout_without_a_commit_has_no_revision(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert revision(tmp_path) == ""
