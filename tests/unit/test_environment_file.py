"""GATEHOUSE_ENV_FILE: settings from a file."""

from pathlib import Path

import pytest

from serving import environment_file


def test_a_file_adds_settings_and_the_environment_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "gatehouse.env"
    file.write_text("# a comment\nGATEHOUSE_WORKERS=3\nGATEHOUSE_THREADS=5\nGATEHOUSE_REDIS_URL='a $B # c'\n")
    environ = {"GATEHOUSE_ENV_FILE": str(file), "GATEHOUSE_THREADS": "7"}
    environment_file.load(environ)
    assert environ["GATEHOUSE_WORKERS"] == "3"
    assert environ["GATEHOUSE_THREADS"] == "7"
    assert environ["GATEHOUSE_REDIS_URL"] == "a $B # c"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"GATEHOUSE_ENV_FILE=.*none\.env can't be read"):
        environment_file.load({"GATEHOUSE_ENV_FILE": str(tmp_path / "none.env")})
