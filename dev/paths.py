"""Paths of what the set-up makes: all of it under the git-ignored `.local/` (and `.venv/`).

GATEHOUSE_LOCAL names another folder than `.local/`, for a second set-up beside the first.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCAL = Path(os.environ.get("GATEHOUSE_LOCAL") or ROOT / ".local").expanduser().resolve()
LOGS = LOCAL / "log"
DEV_ADDONS = ROOT / "dev" / "addons"
BRIDGE_ADDONS = ROOT / "odoo_bridge" / "addons"
TEST_ADDONS = ROOT / "tests" / "addons"
DEMO_DEFINITIONS = ROOT / "dev" / "demo.yaml"
