"""Version of Gatehouse."""

from __future__ import annotations

import subprocess
from pathlib import Path

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent.parent


def revision(root: Path = ROOT) -> str:
    """Return the commit that the code in ``root`` is of, '' where nobody knows.

    The file ``REVISION``, which images have, says it; else git does where it is a checkout.
    """
    try:
        return (root / "REVISION").read_text().strip()
    except OSError:
        return _checked_out(root)


def _checked_out(root: Path) -> str:
    if not (root / ".git").exists():  # git would look on in the folders above
        return ""
    # The code may be root's while another user runs it, which git refuses unless told.
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)  # noqa: S603  all ours
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
