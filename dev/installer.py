"""Packages into `.venv`: by uv, which is several times as quick as pip, or by pip where uv is not to be had."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev import paths, requirements
from dev.errors import SetupError
from dev.steps import run

UNFINISHED = "gatehouse-unfinished"  # a mark in `.venv` while it is changed
PIP = (paths.PYTHON, "-m", "pip")
QUIET = ("--no-input", "--disable-pip-version-check")
TODO = (
    "Run the same command again. If a package could not be built, a compiler helps (on Debian: apt install "
    "build-essential python3-dev), or another Python: delete .venv, then make serve PYTHON=python3.12"
)
#: Options of pip that uv has too, by these names. With any other pip is set up in a way that uv does not know.
SAME = {"cert": "--cert", "constraint": "--constraints", "find-links": "--find-links", "index-url": "--default-index"}
LISTS = ("constraint", "find-links")  # values with blanks between them
#: What matters neither for which packages are installed, nor for where they come from.
NO_MATTER = {
    "break-system-packages", "cache-dir", "default-timeout", "disable-pip-version-check", "no-cache-dir", "no-color",
    "no-input", "no-warn-script-location", "progress-bar", "quiet", "require-virtualenv", "retries", "root-user-action",
    "timeout", "verbose",
}  # fmt: skip
SECTIONS = ("global", "install", ":env:")  # later ones win; others are about other commands


def install(options: Sequence[str | Path], *, quick: bool) -> None:
    """Install the packages that options of `pip install` name: by uv where it may be `quick`. Raises SetupError."""
    if not (quick and _by_uv(options)):
        _change([*PIP, "install", *QUIET, *options], "pip.log")


def _by_uv(options: Sequence[str | Path]) -> bool:
    """Install by uv; return whether that could be done."""
    try:
        same = told(settings(run([*PIP, "config", "list"], log=None, what="Asking pip for its settings")))
        if same is None:
            return False
        # One try: where there is no way to the index, pip says so itself.
        one = ("--retries=0", "--only-binary=:all:", "--no-compile", "-r", paths.ROOT / requirements.INSTALLER)
        _change([*PIP, "install", *QUIET, *one], "uv.log")
        plain = ("--no-progress", "--color=never", "--no-python-downloads")
        uv = (paths.VENV / "bin" / "uv", "pip", "install", "--python", paths.PYTHON)
        _change([*uv, *plain, *same, *options], "uv.log")
    except SetupError:
        if (paths.VENV / UNFINISHED).exists():  # what has been begun is not for pip to go on with
            raise
        return False
    return True


def _change(command: Sequence[str | Path], log: str) -> None:
    """Run a command that changes `.venv`, which is marked until it is sound again. Raises SetupError."""
    mark = paths.VENV / UNFINISHED
    mark.touch()
    before = contents(paths.VENV)
    try:
        run(command, log=paths.LOGS / log, what="Installing Python packages", todo=TODO)
    except SetupError:
        # What fails before anything is touched, like a network that is down, leaves a sound .venv.
        if contents(paths.VENV) == before:
            mark.unlink()
        raise
    mark.unlink()


def contents(venv: Path) -> set[str]:
    """Return the names in the folders of packages, which change with the first package: its version is in one."""
    return {path.name for path in venv.glob("lib/python3*/site-packages/*")}


def settings(listed: str) -> dict[str, str]:
    """Return the options for `pip install` in what `pip config list` says."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        if section in found and value[:1] in ("'", '"'):
            found[section][option] = str(ast.literal_eval(value))
    return {option: value for section in SECTIONS for option, value in found[section].items()}


def told(configured: Mapping[str, str]) -> list[str] | None:
    """Return the options that tell uv what pip has been told by its settings, or None where uv has none for them."""
    options: list[str] = []
    for name, value in configured.items():
        if name in SAME:
            for each in value.split() if name in LISTS else [value]:
                options += [SAME[name], each]
        elif name not in NO_MATTER:
            return None
    return options
