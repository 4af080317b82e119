"""What happens before there is a virtual environment, and what makes it be made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev import bootstrap, requirements, virtualenv
from dev.requirements import DEV, INSTALLER, LOCAL, ODOO, SERVER
from dev.virtualenv import State

SOUND = State(exists=True, version=(3, 11))


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12), (3, 13)])
def test_these_pythons_fit(version: tuple[int, int]) -> None:
    assert bootstrap.refusal(version, []) == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 9), (3, 14), (4, 0)])
def test_other_pythons_are_refused_with_what_to_do(version: tuple[int, int]) -> None:
    text = bootstrap.refusal(version, ["python3.12", "python3.11"])
    assert f"this is {version[0]}.{version[1]}" in text
    assert "make serve PYTHON=python3.12" in text


def test_where_no_python_fits_the_refusal_says_what_to_install() -> None:
    assert "apt install" in bootstrap.refusal((3, 14), [])


def test_the_bootstrap_reads_on_old_pythons() -> None:
    # Annotations are all that a newer Python would evaluate: here they are texts, and there is no future import.
    text = Path(bootstrap.__file__).read_text()
    assert "__future__" not in text
    compile(text, "bootstrap.py", "exec", dont_inherit=True)


@pytest.mark.parametrize("arguments", [[], ["deploy"], ["serve", "test"]])
def test_an_unknown_target_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "odoo_installed", "odoo_conf", "expected"),
    [
        ("serve", False, False, (SERVER, ODOO, LOCAL)),
        ("serve", True, False, (SERVER, LOCAL)),
        ("serve", False, True, (SERVER, ODOO)),
        ("serve", True, True, (SERVER,)),
        ("test", False, False, (SERVER, ODOO, LOCAL, DEV)),
        ("test", True, True, (SERVER, LOCAL, DEV)),
        ("unit", False, False, (SERVER, ODOO, LOCAL, DEV)),
        ("check", False, False, (SERVER, DEV)),
        ("check", True, True, (SERVER, DEV)),
    ],
)
def test_each_target_installs_what_it_needs(
    target: str, odoo_installed: bool, odoo_conf: bool, expected: tuple[str, ...]
) -> None:
    assert requirements.wanted(target, odoo_installed=odoo_installed, odoo_conf=odoo_conf) == expected


def test_a_file_is_stale_until_it_is_stamped_and_again_when_it_changes(tmp_path: Path) -> None:
    file, stamps = tmp_path / SERVER, tmp_path / "stamps.json"
    file.write_text("flask==1\n")
    assert requirements.stale([SERVER], requirements.read_stamps(stamps), tmp_path)
    requirements.write_stamps(stamps, {SERVER: requirements.digest(file)})
    assert not requirements.stale([SERVER], requirements.read_stamps(stamps), tmp_path)
    file.write_text("flask==2\n")
    assert requirements.stale([SERVER], requirements.read_stamps(stamps), tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "\0"])
def test_damaged_stamps_count_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "stamps.json").write_text(content)
    assert requirements.read_stamps(tmp_path / "stamps.json") == {}


def test_a_sound_environment_is_kept() -> None:
    assert virtualenv.defect(SOUND, system_packages=False) == ""
    assert virtualenv.defect(State(True, version=(3, 13), system_packages=True), system_packages=True) == ""


@pytest.mark.parametrize(
    ("state", "system_packages", "why"),
    [
        (State(exists=False), False, "none yet"),
        (State(True, unfinished=True, version=(3, 11)), False, "did not finish"),
        (State(True, moved=True, version=(3, 11)), False, "moved"),
        (State(True, version=None), False, "does not run"),
        (State(True, version=(3, 9)), False, "3.9 does not fit"),
        (SOUND, True, "Odoo that is installed"),
    ],
)
def test_what_does_not_work_is_made_anew(state: State, system_packages: bool, why: str) -> None:
    assert why in virtualenv.defect(state, system_packages=system_packages)


def test_requirements_are_pinned_and_name_no_registry() -> None:
    for name in (SERVER, ODOO, LOCAL, DEV, INSTALLER):
        lines = (Path(bootstrap.ROOT) / name).read_text().splitlines()
        for line in filter(None, (line.partition("#")[0].strip() for line in lines)):
            assert "==" in line, f"{name}: {line}"
            assert "://" not in line, f"{name}: {line}"
            assert not line.startswith("-"), f"{name}: {line}"


def test_what_root_installs_can_be_read_by_others_whatever_its_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with virtualenv.readable():
            (tmp_path / "package").mkdir()
        (tmp_path / "later").mkdir()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"package": 0o755, "later": 0o700}
