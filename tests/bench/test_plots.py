"""Pictures made of figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from bench import distance, results
from dev.errors import SetupError
from tests.bench.test_curve import points
from tests.bench.test_distance import point


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    """A folder with made-up figures of a load and of distances."""
    curve = points("gatehouse", "json2", "jsonrpc", "floor", "fastapi")
    (tmp_path / "bench-load.json").write_text(json.dumps(curve))
    far = [
        point(workload, seconds * 1000, workers)
        for workload in distance.CALLS
        for seconds in distance.DISTANCES
        for workers in distance.WORKERS
    ]
    (tmp_path / "bench-distance.json").write_text(json.dumps(far))
    return tmp_path


def test_the_same_figures_make_the_same_pictures(figures: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    results.draw(one, figures)
    results.draw(two, figures)
    for name in results.DRAWN:
        text = (one / f"{name}.svg").read_bytes()
        assert text == (two / f"{name}.svg").read_bytes()
        root = etree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        # Letters are shapes; what they say stands beside them.
        said = {comment.text.strip() for comment in root.iter(etree.Comment)}
        assert {"Gatehouse", "/json/2", "/jsonrpc"} <= said


def test_without_figures_there_is_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no figures"):
        results.draw(tmp_path, tmp_path)


def test_each_picture_of_the_pages_is_one_that_is_drawn() -> None:
    assert {file.stem for file in results.PICTURES.iterdir()} == set(results.DRAWN)
