"""The virtual environment `.venv`: made, repaired and filled. Only the standard library; it runs outside of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev import existing, head_start, installer, locks, odoo_source, odoo_venv, paths, requirements
from dev.bootstrap import NEWEST, OLDEST
from dev.errors import SetupError
from dev.installer import UNFINISHED
from dev.steps import run, say, step

STAMPS = "gatehouse-requirements.json"
FOLDER = ".venv"  # the stamp of the place where it was made: the scripts in it hold its path


@dataclass(frozen=True)
class State:
    """Facts about a `.venv`. `version` is None where its Python or its pip does not run.

    `odoo_packages` is the folder of packages of Odoo's own environment that it sees.
    """

    exists: bool
    unfinished: bool = False
    moved: bool = False
    version: tuple[int, int] | None = None
    system_packages: bool = False
    odoo_packages: Path | None = None


def defect(state: State, *, system_packages: bool, odoo_packages: Path | None = None) -> str:
    """Return the reason for which `.venv` has to be made (anew), or ''.

    `system_packages`: those of the Python itself have to be seen in it. `odoo_packages`: those of this folder.
    """
    if not state.exists:
        return "there is none yet"
    if state.unfinished:
        return "an earlier run did not finish it"
    if state.moved:
        return "its folder has been moved"
    if state.version is None:
        return "its Python or its pip does not run any more"
    if not OLDEST <= state.version <= NEWEST:
        return f"Python {state.version[0]}.{state.version[1]} does not fit"
    if system_packages and not state.system_packages:
        return "the Odoo that is installed for this Python has to be seen in it"
    if odoo_packages not in (None, state.odoo_packages):
        return f"Odoo's packages in {odoo_packages} have to be seen in it"
    if state.odoo_packages is not None and not state.odoo_packages.is_dir():
        return f"Odoo's packages are no longer in {state.odoo_packages}"
    return ""


def ensure(target: str) -> None:
    """Make `.venv` fit for a `make` target; fast when it is. Raises SetupError."""
    # Of the Python that an active virtual environment was made from, where there is one.
    python = Path(getattr(sys, "_base_executable", None) or sys.executable)
    odoo_conf = bool(os.environ.get("GATEHOUSE_ODOO_CONF"))
    packages = None
    if target == "serve" and odoo_conf:
        # What is missing is said before minutes go into packages.
        existing.settings(Path(sys.executable), python, paths.PYTHON)
        packages = odoo_venv.running()
    with fetching_source(target, odoo_conf, python), locks.alone(paths.LOCAL / "venv.lock"), readable():
        system_odoo = odoo_source.installed(python)
        packages = repair(python, system_odoo=system_odoo, packages=packages)
        odoo_installed = bool(packages) or system_odoo or odoo_source.installed(paths.PYTHON)
        # Beside an Odoo that is there pip does it: it heeds what is installed, and compiles for who may not write.
        quick = not odoo_installed and not odoo_conf
        fill(requirements.wanted(target, odoo_installed=odoo_installed, odoo_conf=odoo_conf), packages, quick=quick)
        if packages:
            say(f"- What Odoo and its addons need is taken from {packages}.")


def fetching_source(target: str, odoo_conf: bool, python: Path) -> contextlib.AbstractContextManager[None]:
    """Fetch Odoo's source while the block runs, where the target goes on to do so."""
    demonstration = target in ("serve", "odoo") and not odoo_conf
    if not (demonstration or target == "test") or not odoo_source.wanting(paths.PYTHON, python):
        return contextlib.nullcontext()
    return head_start.of_module(odoo_source.__name__, odoo_source.FETCHING)


def repair(python: Path, *, system_odoo: bool, packages: Path | None) -> Path | None:
    """Make `.venv` anew where it does not fit, and return the folder of Odoo's packages that it sees."""
    system_packages = system_odoo or bool(packages and odoo_venv.sees_system_packages(packages))
    state = inspect()
    if why := defect(state, system_packages=system_packages, odoo_packages=packages):
        create(python, system_packages=system_packages, why=why if state.exists else "")
        return packages
    if state.version != sys.version_info[:2]:
        version = ".".join(map(str, state.version or ()))
        say(f".venv has Python {version}; to change to that of {python}, delete .venv first.")
    return state.odoo_packages


def fill(files: tuple[str, ...], packages: Path | None, *, quick: bool) -> None:
    """Install requirements files where they have changed since, by uv if it may be `quick`."""
    stamps = requirements.read_stamps(paths.VENV / STAMPS)
    if requirements.stale(files, stamps, paths.ROOT):
        install(files, packages, quick=quick)
        new = {name: requirements.digest(paths.ROOT / name) for name in files}
        requirements.write_stamps(paths.VENV / STAMPS, {**stamps, **new, FOLDER: str(paths.VENV)})


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """Let others read what is made, whatever root's umask: who installs need not be who serves."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def inspect() -> State:
    """Return the state of `.venv`."""
    if not os.path.lexists(paths.VENV):
        return State(exists=False)
    script = "import sys, pip; print(*sys.version_info[:2])"
    try:
        result = subprocess.run([paths.PYTHON, "-c", script], capture_output=True, text=True, cwd="/", check=False)
        major, minor = result.stdout.split()
        version = (int(major), int(minor))
        settings = (paths.VENV / "pyvenv.cfg").read_text()
    except (OSError, ValueError):
        version, settings = None, ""
    stamps = requirements.read_stamps(paths.VENV / STAMPS)
    return State(
        exists=True,
        unfinished=(paths.VENV / UNFINISHED).exists(),
        moved=stamps.get(FOLDER, str(paths.VENV)) != str(paths.VENV),
        version=version,
        system_packages="include-system-site-packages = true" in settings.lower(),
        odoo_packages=odoo_venv.linked(paths.VENV),
    )


def create(python: Path, *, system_packages: bool, why: str) -> None:
    """Make `.venv` with a Python, whatever is left of an earlier one removed. Raises SetupError."""
    check_venv(python)
    with step(f"Making .venv anew, as {why}" if why else "Making .venv"):
        if paths.VENV.is_dir():
            # First the mark: a removal that is interrupted leaves something that could pass for whole.
            (paths.VENV / UNFINISHED).touch()
            shutil.rmtree(paths.VENV)
        paths.VENV.mkdir()
        (paths.VENV / UNFINISHED).touch()
        options = ["--system-site-packages"] if system_packages else []
        todo = "Run the same command again, or try another Python: make serve PYTHON=python3.12"
        run([python, "-m", "venv", *options, paths.VENV], log=paths.LOGS / "venv.log", what="Making .venv", todo=todo)
        (paths.VENV / UNFINISHED).unlink()


def check_venv(python: Path) -> None:
    """Raise SetupError where Python comes without what it takes to make virtual environments, as on Debian."""
    script = "import sys, venv, ensurepip"
    if subprocess.run([python, "-c", script], capture_output=True, cwd="/", check=False).returncode:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"{python} can't make virtual environments: its modules venv and ensurepip are not installed.",
            f"Install them (on Debian: apt install python{version}-venv), then run the same command again.",
        )


def install(files: tuple[str, ...], odoo_packages: Path | None = None, *, quick: bool = False) -> None:
    """Install requirements files into `.venv`, which then sees Odoo's folder of packages. Raises SetupError."""
    options: list[str | Path] = []
    for name in files:
        options += ["-r", paths.ROOT / name]
    if odoo_packages:
        # What both need (Werkzeug, Jinja2) in the versions that Gatehouse was tested with.
        options += ["-c", paths.ROOT / requirements.ODOO]
    with step(f"Installing Python packages ({', '.join(files)}; up to a minute)"):
        # pip does not see Odoo's packages, and so leaves out nothing that Odoo could take away later.
        odoo_venv.unlink(paths.VENV)
        try:
            installer.install(options, quick=quick)
        finally:
            if odoo_packages:
                odoo_venv.link(paths.VENV, odoo_packages)
