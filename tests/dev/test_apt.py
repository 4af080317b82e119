"""Which mirror Odoo's package is fetched from, and how apt is told to leave the machine alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import apt
from dev.apt import Mirror
from dev.errors import SetupError

DEBIAN = """MetaKey: main/binary-amd64/Packages
Repo-URI: http://mirror.test/debian/
Site: http://mirror.test/debian
Release: trixie
Codename: trixie
Label: Debian
Origin: Debian
Component: main
Created-By: Packages
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp
"""


def changed(**fields: str) -> str:
    """Return the block above with other values."""
    lines = DEBIAN.splitlines()
    for name, value in fields.items():
        key = name.replace("_", "-")
        lines = [f"{key}: {value}" if line.startswith(f"{key}: ") else line for line in lines]
    return "\n".join(lines) + "\n"


def test_stanzas_are_blocks_of_fields() -> None:
    first, second = apt.stanzas(f"W:something is odd\n\n{DEBIAN}\n\nA: 1\nB: 2: 3\n")
    assert first["Repo-URI"] == "http://mirror.test/debian/"
    assert second == {"A": "1", "B": "2: 3"}


def test_the_mirror_of_the_main_archive_is_chosen() -> None:
    expected = Mirror("http://mirror.test/debian/", "/usr/share/keyrings/debian-archive-keyring.pgp")
    assert apt.choose_mirror(DEBIAN) == expected


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"Label": "Debian-Security", "Repo_URI": "http://mirror.test/debian-security/"}, id="security"),
        pytest.param({"Repo_URI": "http://mirror.test/debian-security/"}, id="security by its address"),
        pytest.param({"Release": "trixie-security"}, id="security by its release"),
        pytest.param({"Origin": "Docker", "Label": "Docker CE"}, id="another archive"),
        pytest.param({"Label": "Ubuntu", "Origin": "Ubuntu"}, id="a derivative"),
        pytest.param({"Repo_URI": "file:/srv/debian"}, id="a folder"),
        pytest.param({"Component": "contrib"}, id="another component"),
        pytest.param({"Created_By": "Translations"}, id="translations"),
    ],
)
def test_other_archives_are_passed_over(fields: dict[str, str]) -> None:
    assert apt.choose_mirror(changed(**fields)) is None
    chosen = apt.choose_mirror(f"{changed(**fields)}\n{changed(Repo_URI='https://second.test/debian')}")
    assert chosen is not None
    assert chosen.uri == "https://second.test/debian"


def test_a_machine_without_lists_names_no_mirror() -> None:
    assert apt.choose_mirror("") is None


def test_the_keyring_is_the_one_of_the_source() -> None:
    assert apt.keyring(Mirror("http://mirror.test", "/etc/apt/keyrings/own.gpg")) == "/etc/apt/keyrings/own.gpg"


def test_a_keyring_written_into_the_source_is_replaced_by_debians_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "debian.pgp").touch()
    monkeypatch.setattr(apt, "KEYRINGS", (tmp_path / "missing.pgp", tmp_path / "debian.pgp"))
    inline = Mirror("http://mirror.test", "-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert apt.keyring(inline) == str(tmp_path / "debian.pgp")


def test_without_a_keyring_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "KEYRINGS", ())
    with pytest.raises(SetupError, match="debian-archive-keyring"):
        apt.keyring(Mirror("http://mirror.test", None))


def test_apt_keeps_its_files_in_our_folder(tmp_path: Path) -> None:
    env = apt.environment(tmp_path, "deb http://mirror.test sid main")
    text = Path(env["APT_CONFIG"]).read_text()
    for option in ("Dir::State::lists", "Dir::Cache", "Dir::Etc::sourcelist"):
        assert f'{option} "{tmp_path}/' in text
    assert (tmp_path / "sources.list").read_text() == "deb http://mirror.test sid main\n"


def test_the_machines_own_sources_are_used_to_find_the_mirror(tmp_path: Path) -> None:
    env = apt.environment(tmp_path)
    assert "Dir::Etc" not in Path(env["APT_CONFIG"]).read_text()


def test_without_apt_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="no apt-get") as caught:
        apt.fetch(["odoo-19"], "sid", tmp_path / "odoo", log=tmp_path / "log", todo="Set the variable.")
    assert caught.value.todo == "Set the variable."
