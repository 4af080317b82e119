"""The addon's own tests, as Odoo runs them."""

from __future__ import annotations

import re

import pytest

from tests.addon.conftest import Installed

pytestmark = pytest.mark.live


def test_the_addon_installs_and_its_own_tests_pass(installed: Installed) -> None:
    assert installed.code == 0, installed.output[-5000:]
    counts = re.search(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", installed.output)
    assert counts is not None, installed.output[-5000:]
    failed, errors, number = map(int, counts.groups())
    assert (failed, errors) == (0, 0), installed.output
    assert number >= 20
