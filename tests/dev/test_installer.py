"""Who installs packages: uv, told what pip has been told, or pip, and what is left where that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dev import installer, paths
from dev.errors import SetupError
from dev.installer import UNFINISHED

LISTED = """:env:.cert='/etc/ca.crt'
:env:.find-links='/opt/wheels /opt/more'
global.find-links='/else'
global.timeout='60'
download.platform='any'
install.index-url='https://index.test/simple'
"""


def test_of_pips_settings_those_of_its_installing_count_and_the_environments_win() -> None:
    assert installer.settings(f"WARNING: something\n{LISTED}") == {
        "find-links": "/opt/wheels /opt/more",
        "timeout": "60",
        "index-url": "https://index.test/simple",
        "cert": "/etc/ca.crt",
    }


def test_uv_is_told_of_the_same_index() -> None:
    assert installer.told(installer.settings(LISTED)) == [
        *("--find-links", "/opt/wheels", "--find-links", "/opt/more"),
        *("--default-index", "https://index.test/simple"),
        *("--cert", "/etc/ca.crt"),
    ]


@pytest.mark.parametrize("option", ["extra-index-url", "no-index", "proxy", "trusted-host", "only-binary", "target"])
def test_with_settings_that_uv_is_not_told_of_pip_installs(option: str) -> None:
    assert installer.told({"timeout": "60", option: "1"}) is None


class Commands:
    """What is run instead: each command is written down, and does and answers what the test says."""

    def __init__(self, venv: Path) -> None:
        self.site = venv / "lib" / "python3.12" / "site-packages"
        self.site.mkdir(parents=True)
        self.ran: list[str] = []
        self.failing: dict[str, Callable[[], object]] = {}
        self.settings = ""

    def __call__(self, command: list[str | Path], **_: object) -> str:
        name = " ".join(Path(str(part)).name for part in command[:4])
        name = "get uv" if any(str(part).endswith("installer.txt") for part in command) else name.replace(" -m ", " ")
        self.ran.append(name)
        if name in self.failing:
            self.failing[name]()
            raise SetupError(f"{name} failed")
        return self.settings


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commands:
    """An environment of no files, in which commands are only written down."""
    found = Commands(tmp_path)
    monkeypatch.setattr(paths, "VENV", tmp_path)
    monkeypatch.setattr(installer, "run", found)
    return found


ASK, GET, UV, PIP = "python pip config", "get uv", "uv pip install --python", "python pip install"


def nothing() -> None:
    """Fail before anything is touched."""


def test_uv_installs_where_it_may(commands: Commands, tmp_path: Path) -> None:
    installer.install(["-r", "requirements.txt"], quick=True)
    assert commands.ran == [ASK, GET, UV]
    assert not (tmp_path / UNFINISHED).exists()


def test_pip_installs_where_uv_may_not(commands: Commands) -> None:
    installer.install(["-r", "requirements.txt"], quick=False)
    assert commands.ran == [PIP]


def test_pip_installs_where_it_is_set_up_in_its_own_way(commands: Commands) -> None:
    commands.settings = "global.extra-index-url='https://index.test/simple'\n"
    installer.install(["-r", "requirements.txt"], quick=True)
    assert commands.ran == [ASK, PIP]


@pytest.mark.parametrize(("failing", "ran"), [(ASK, [ASK, PIP]), (GET, [ASK, GET, PIP]), (UV, [ASK, GET, UV, PIP])])
def test_pip_installs_where_uv_is_not_to_be_had_or_does_not_get_through(
    failing: str, ran: list[str], commands: Commands, tmp_path: Path
) -> None:
    commands.failing = {failing: nothing}
    installer.install(["-r", "requirements.txt"], quick=True)
    assert commands.ran == ran
    assert not (tmp_path / UNFINISHED).exists()


@pytest.mark.parametrize("quick", [True, False])
def test_what_fails_before_it_touches_anything_leaves_a_sound_environment(
    quick: bool, commands: Commands, tmp_path: Path
) -> None:
    commands.failing = dict.fromkeys((GET, UV, PIP), nothing)
    with pytest.raises(SetupError, match="python pip install failed"):
        installer.install(["-r", "requirements.txt"], quick=quick)
    assert not (tmp_path / UNFINISHED).exists()


@pytest.mark.parametrize("failing", [GET, UV, PIP])
def test_what_fails_half_way_is_not_gone_on_with_and_leaves_the_mark(
    failing: str, commands: Commands, tmp_path: Path
) -> None:
    commands.failing = {failing: (commands.site / "flask-3.1.3.dist-info").mkdir}
    with pytest.raises(SetupError, match=f"{failing} failed"):
        installer.install(["-r", "requirements.txt"], quick=failing != PIP)
    assert (tmp_path / UNFINISHED).exists()
    assert commands.ran[-1] == failing


def test_an_interruption_leaves_the_mark(commands: Commands, tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    commands.failing = {UV: interrupted}
    with pytest.raises(KeyboardInterrupt):
        installer.install(["-r", "requirements.txt"], quick=True)
    assert (tmp_path / UNFINISHED).exists()
