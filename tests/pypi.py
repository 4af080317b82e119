"""Command-line tools from PyPI that a test needs: each in a venv of its own below ``.local/pypi``, never skipped.

They are no requirements of ours, so that what they depend on is nobody else's matter.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dev import locks
from dev.paths import LOCAL

#: What is installed for each, with the versions that the tests were made with.
VERSIONS = {
    "openapi-python-client": ["openapi-python-client==0.29.1"],
    # The last four are what the clients that it makes depend on.
    "openapi-generator-cli": [
        "openapi-generator-cli==7.26.0",
        "urllib3==2.8.0",
        "python-dateutil==4.0.0",
        "pydantic==2.14.4",
        "typing-extensions==4.16.0",
    ],
    "mcp": ["mcp==2.3.0", "mcp-types==2.3.0"],
    "dlt": ["dlt[duckdb]==1.31.0", "duckdb==2.0.1", "pandas==3.1.1", "pyarrow==26.0.1", "requests==2.34.2"],
    "svix": ["svix==2.9.1", "standardwebhooks==1.1.0", "flask==3.1.3", "requests==2.34.2"],
    "singer-sdk": ["singer-sdk==0.54.9", "dlt[duckdb]==1.31.0", "duckdb==2.0.1", "requests==2.34.2"],
}


def python(package: str) -> Path:
    """Return the Python of a tool's venv, which is made first where need be; its commands stand beside it."""
    wanted = "\n".join(VERSIONS[package])
    home = LOCAL / "pypi" / package
    found, done = home / "bin" / "python", home / "installed.txt"
    with locks.alone(LOCAL / "pypi.lock"):  # tests run beside each other
        if not done.exists() or done.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, capture_output=True)
            pip = [str(found), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([*pip, *VERSIONS[package]], check=True, capture_output=True, timeout=600)
            done.write_text(wanted)
    return found
