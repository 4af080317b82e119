"""Fetch Debian packages without installing it, and without touching the machine's own lists.

Only the standard library: the bootstrap uses it before there is a virtual environment.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dev.errors import SetupError
from dev.steps import run

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
)


@dataclass(frozen=True)
class Mirror:
    """A mirror of the Debian main archive; `signed_by` is the keyring's path, or None when the machine names none."""

    uri: str
    signed_by: str | None


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Yield the blocks of `apt-get indextargets` as dictionaries."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields:
            yield fields


def choose_mirror(indextargets: str) -> Mirror | None:
    """Return the mirror of the Debian main archive from the output of `apt-get indextargets`, or None.

    Archives of security updates, backports of others, local folders and derivatives are passed over: they carry no
    suite `sid`.
    """
    for fields in stanzas(indextargets):
        uri = fields.get("Repo-URI") or fields.get("Site") or ""
        if fields.get("Created-By", "Packages") != "Packages" or fields.get("Component") != "main":
            continue
        if fields.get("Label", "Debian") != "Debian" or fields.get("Origin", "Debian") != "Debian":
            continue
        if urlsplit(uri).scheme in ("", "file", "cdrom", "copy") or uri.rstrip("/").endswith("-security"):
            continue
        if "security" in fields.get("Release", "") or "security" in fields.get("Codename", ""):
            continue
        return Mirror(uri, fields.get("Signed-By") or None)
    return None


def keyring(mirror: Mirror) -> str:
    """Return the value of `signed-by`: a file, or fingerprints that apt knows already."""
    if mirror.signed_by and not mirror.signed_by.startswith("-----"):
        return mirror.signed_by.replace("\n", ",").replace(" ", "")
    for path in KEYRINGS:
        if path.is_file():
            return str(path)
    raise SetupError(
        "The keyring that Debian's archive is signed with is missing.",
        "Install the package debian-archive-keyring, or set GATEHOUSE_ODOO_SOURCE to a folder with Odoo's source.",
    )


def find_mirror(work: Path, *, log: Path, what: str, todo: str) -> Mirror | None:
    """Return the mirror that the machine's own configuration names, or None. Raises SetupError."""
    # Warnings are among the output; they match no field that is read.
    if mirror := choose_mirror(run(["apt-get", "indextargets"], log=log, what=what, todo=todo)):
        return mirror
    # apt tells only of lists that it has, and images for containers come without: they are fetched, to our folder.
    env = environment(work / "machine")
    run(["apt-get", "update"], log=log, what=what, todo=todo, env=env)
    return choose_mirror(run(["apt-get", "indextargets"], log=log, what=what, todo=todo, env=env))


def environment(folder: Path, source: str | None = None) -> dict[str, str]:
    """Return the environment in which apt keeps its lists and its cache in `folder`, made for it.

    `source` is the one source to use, None for those of the machine.
    """
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "apt.conf").write_text(configuration(folder, own_source=source is not None))
    (folder / "sources.list").write_text(f"{source}\n")
    return {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C.UTF-8"}


def configuration(folder: Path, *, own_source: bool) -> str:
    """Return an apt configuration whose lists and cache lie in `folder`, with `own_source` its sources too."""
    lines = [
        f'Dir::State::lists "{folder}/lists";',
        f'Dir::Cache "{folder}/cache";',
        'Acquire::Languages "none";',
        'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";',
        'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
        'Acquire::Retries "3";',
    ]
    if own_source:
        lines += [
            f'Dir::Etc::sourcelist "{folder}/sources.list";',
            'Dir::Etc::sourceparts "/dev/null";',
            'Dir::Etc::preferences "/dev/null";',
            'Dir::Etc::preferencesparts "/dev/null";',
        ]
    if os.geteuid() == 0:
        # apt would read and write as the user _apt, who may not be able to reach this folder.
        lines.append('APT::Sandbox::User "root";')
    return "\n".join(lines) + "\n"


def fetch(packages: Sequence[str], suite: str, target: Path, *, log: Path, todo: str) -> None:
    """Download `packages` from Debian's `suite` and unpack them together to the new folder `target`.

    `target` appears whole or not at all. `todo` is what to do where there is no apt or no network.
    Raises SetupError.
    """
    for command in ("apt-get", "dpkg-deb"):
        if shutil.which(command) is None:
            names = ", ".join(packages)
            raise SetupError(f"{names} can't be fetched: there is no {command} on this machine.", todo)
    work = target.with_name(f"{target.name}.new")
    shutil.rmtree(work, ignore_errors=True)
    try:
        unpacked = _download(packages, suite, work, log=log, todo=todo)
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(packages: Sequence[str], suite: str, work: Path, *, log: Path, todo: str) -> Path:
    """Return the folder in `work` with what is in the packages."""
    names = ", ".join(packages)
    what = f"Fetching from Debian: {names}"
    (work / "deb").mkdir(parents=True)
    mirror = find_mirror(work, log=log, what=what, todo=todo)
    if mirror is None:
        raise SetupError(f"{names} can't be fetched: apt on this machine knows no mirror of Debian's archive.", todo)
    env = environment(work / "apt", f"deb [signed-by={keyring(mirror)}] {mirror.uri} {suite} main")
    run(["apt-get", "update", "--error-on=any"], log=log, what=what, todo=todo, env=env)
    run(["apt-get", "download", *packages], log=log, what=what, todo=todo, env=env, cwd=work / "deb")
    for archive in sorted((work / "deb").glob("*.deb")):
        run(["dpkg-deb", "-x", archive, work / "root"], log=log, what=f"Unpacking {archive.name}", todo=todo)
    return work / "root"
