"""The sums that ``/metrics`` gives, of files that other processes write meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from app.observe.counted import counted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a server's counts, in which one process has counted three."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    file = MmapedDict(str(tmp_path / "counter_1.db"))
    file.write_value(mmap_key("calls", "calls_total", [], [], "help"), 3, 0)
    file.close()
    return tmp_path


def test_counts_are_added_up(folder: Path) -> None:
    (folder / "counter_2.db").write_bytes((folder / "counter_1.db").read_bytes())
    assert counted().get_sample_value("calls_total") == 6


def test_a_file_that_is_just_being_made_is_passed_over(folder: Path) -> None:
    (folder / "counter_2.db").touch()
    assert counted().get_sample_value("calls_total") == 3


def test_a_file_that_goes_meanwhile_is_passed_over(folder: Path) -> None:
    (folder / "gauge_livesum_2.db").symlink_to(folder / "gone")
    assert counted().get_sample_value("calls_total") == 3
