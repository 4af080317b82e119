"""Errors of the set-up say what went wrong and what to do; none is a traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys

import click
import pytest

from dev import command, errors, flask_app, steps
from dev.errors import SetupError


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "Free about 2 GB"),
        ("E: Temporary failure resolving 'mirror.test'", "Check the network"),
        ("Failed to establish a new connection: [Errno 101] Network is unreachable", "Check the network"),
        ("initdb: could not look up effective user ID 12345: user does not exist", "/etc/passwd"),
        ("ERROR: No matching distribution found", ""),
        ("", ""),
    ],
)
def test_outputs_are_diagnosed(output: str, advice: str) -> None:
    found = errors.diagnose(output)
    assert advice in found
    assert bool(found) == bool(advice)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "The disk is full (/srv/x)"),
        (errno.EDQUOT, "The disk is full (/srv/x)"),
        (errno.EACCES, "No permission: Permission denied (/srv/x)"),
        (errno.EROFS, "No permission: Read-only file system (/srv/x)"),
        (errno.EIO, "The operating system refused: Input/output error (/srv/x)"),
    ],
)
def test_errors_of_the_system_are_put_into_words(number: int, text: str) -> None:
    assert text in str(errors.from_os_error(OSError(number, os.strerror(number), "/srv/x")))


def test_a_failed_command_shows_its_last_lines_and_the_advice() -> None:
    error = steps.failed("Making tea", 3, "one\n\ntwo\n", "Buy some.")
    assert str(error) == "Making tea: the command ended with exit code 3. Its last lines:\n    one\n    two\nBuy some."


def test_a_command_that_was_killed_names_the_signal() -> None:
    assert "was ended by signal SIGKILL" in str(steps.failed("Making tea", -signal.SIGKILL, ""))


def test_a_missing_command_is_named() -> None:
    with pytest.raises(SetupError, match="the command no-such-command was not found"):
        steps.run(["no-such-command"], log=None, what="Making tea")


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (SetupError("It broke.", "Mend it."), 1, "\nIt broke.\nMend it.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "The disk is full"),
    ],
)
def test_a_command_ends_with_the_message_alone(
    error: Exception, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def job() -> None:
        raise error

    assert command.run(job) == code
    assert text in capsys.readouterr().err


@pytest.mark.usefixtures("handlers")
def test_a_command_that_is_asked_to_end_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(lambda: os.kill(os.getpid(), signal.SIGTERM)) == 128 + signal.SIGTERM
    assert "Interrupted" in capsys.readouterr().err


def test_a_flask_command_that_cannot_begin_has_another_status_than_one_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["flask", "api", "import", "--check", "apis.yaml"])
    refused = flask_app.told(SetupError("There is no database."))
    assert isinstance(refused, click.ClickException)
    assert (refused.exit_code, refused.format_message()) == (2, "There is no database.")


def test_an_application_that_breaks_while_it_is_loaded_is_no_finding_of_a_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(flask_app, "_create_app", fail)
    monkeypatch.setattr(sys, "argv", ["flask", "api", "import", "--check", "apis.yaml"])
    with pytest.raises(SystemExit) as caught:
        flask_app.create_app()
    assert (caught.value.code, "by zero" in capsys.readouterr().err) == (2, True)
    monkeypatch.setattr(sys, "argv", ["flask", "api", "list"])
    with pytest.raises(ZeroDivisionError):
        flask_app.create_app()
