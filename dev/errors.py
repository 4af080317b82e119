"""The one error of the set-up: what went wrong, and what to do about it."""

from __future__ import annotations

import errno


class SetupError(Exception):
    """A step of the set-up failed.

    `what` says what went wrong, `todo` what the user can do about it; both are whole sentences.
    """

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}\n{self.todo}" if self.todo else self.what


def from_os_error(error: OSError) -> SetupError:
    """Return the SetupError for an operating system error that no step expected."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(where)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SetupError(
            f"No permission: {error.strerror}{where}.",
            "An earlier run as another user may have made these files: run as that user, or delete .local and .venv.",
        )
    return SetupError(f"The operating system refused: {error.strerror or error}{where}.")


def disk_full(where: str = "") -> SetupError:
    """Return the SetupError for a full disk."""
    return SetupError(
        f"The disk is full{where}.",
        "Free about 2 GB where this folder and the temporary folder are, then run the same command again.",
    )


def diagnose(output: str) -> str:
    """Return advice for the failures that a command's output tells by itself, or ''."""
    text = output.lower()
    if "no space left on device" in text or "disk quota exceeded" in text:
        return disk_full().todo
    if any(sign in text for sign in NO_NETWORK):
        return (
            "The package registry could not be reached. Check the network (and http_proxy, https_proxy, PIP_INDEX_URL "
            "where your network needs them), then run the same command again."
        )
    if "could not look up effective user id" in text:
        return "This user has no entry in /etc/passwd, which PostgreSQL needs: run as a user that has one, or as root."
    return ""


NO_NETWORK = (
    "temporary failure in name resolution",
    "temporary failure resolving",
    "name or service not known",
    "network is unreachable",
    "failed to establish a new connection",
    "connection refused",
    "connection timed out",
    "could not connect to",
    "could not resolve",
    "no route to host",
    "read timed out",
)
