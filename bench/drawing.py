"""The pictures of docs/performance.md, where matplotlib is found: ``python -m bench.drawing FIGURES.json PICTURE.svg``.

The figures are those that ``python -m bench load`` or ``distance`` has written. The same figures make the same file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Name, colour (of Okabe and Ito, which everybody can tell apart) and mark of each line, in the order of the legend.
LINES = {
    "floor": ("floor", "#999999", "s"),
    "gatehouse": ("Gatehouse", "#0072b2", "o"),
    "fastapi": ("OCA fastapi", "#cc79a7", "D"),
    "jsonrpc": ("/jsonrpc", "#e69f00", "^"),
    "json2": ("/json/2", "#d55e00", "v"),
}
_STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    # Letters as shapes: they look the same where the font is not there.
    "svg.fonttype": "path",
    "svg.hashsalt": "gatehouse",
}
_NUMBERS = ticker.StrMethodFormatter("{x:,g}")
Points: TypeAlias = list[dict[str, Any]]


def load(curve: dict[str, Points]) -> Figure:
    """Draw throughput over more and more connections, and latency against requests that are offered a second."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    answered, slowest = figure.subplots(1, 2)
    for line in _lines({point["line"] for point in curve["closed"]}):
        closed, offered = ([point for point in curve[kind] if point["line"] == line] for kind in ("closed", "open"))
        _plot(answered, line, [point["load"] for point in closed], [point["answered"] for point in closed])
        _plot(slowest, line, [point["offered"] for point in offered], [point["p99_ms"] for point in offered])
    answered.set_title("requests a second", loc="left")
    answered.set_xlabel("connections, each asks when it has its answer")
    answered.set_ylim(bottom=0)
    answered.set_xscale("log")
    answered.set_xticks([point["load"] for point in closed])
    answered.yaxis.set_major_formatter(_NUMBERS)
    slowest.set_title("99th percentile, ms", loc="left")
    slowest.set_xlabel("requests offered a second, whatever is answered")
    slowest.set_xscale("log")
    slowest.set_yscale("log")
    slowest.yaxis.set_major_locator(_steps())
    slowest.xaxis.set_major_locator(_steps())
    for axis in (answered.xaxis, slowest.xaxis, slowest.yaxis):
        axis.set_minor_locator(ticker.NullLocator())
        axis.set_major_formatter(_NUMBERS)
    _legend(figure, answered)
    return figure


def distance(points: Points) -> Figure:
    """Draw requests a second against the distance to PostgreSQL, with two workers and with eight."""
    calls = list(dict.fromkeys((point["workload"], point["title"]) for point in points))
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    for axes, (workload, title) in zip(figure.subplots(1, len(calls), squeeze=False)[0], calls, strict=True):
        for line in _lines(set(points[0]["per_second"])):
            for workers, style in ((2, "-"), (8, ":")):
                mine = [point for point in points if (point["workload"], point["workers"]) == (workload, workers)]
                by_distance = [point["distance_ms"] for point in mine]
                _plot(axes, line, by_distance, [point["per_second"][line] for point in mine], style)
        axes.set_ylim(bottom=0)
        axes.set_xticks(sorted({point["distance_ms"] for point in points}))
        axes.xaxis.set_major_formatter(_NUMBERS)
        axes.yaxis.set_major_formatter(_NUMBERS)
        axes.set_xlabel("ms to PostgreSQL and back")
        axes.set_title(title, loc="left")
    figure.axes[0].set_ylabel("requests a second; dotted: 8 workers")
    _legend(figure, figure.axes[0])
    return figure


#: By the name of the file of figures.
PICTURES: dict[str, Callable[[Any], Figure]] = {"bench-load": load, "bench-distance": distance}


def draw(figures: Path, picture: Path) -> None:
    """Draw the picture of a file of figures."""
    with mpl.rc_context(_STYLE):
        figure = PICTURES[figures.stem](json.loads(figures.read_text()))
        figure.savefig(picture, format="svg", metadata={"Date": None, "Creator": None})


def _lines(there: set[str]) -> list[str]:
    return [line for line in LINES if line in there]


def _plot(axes: Axes, line: str, x: list[float], y: list[float], style: str = "-") -> None:
    name, colour, mark = LINES[line]
    width = 2.4 if line == "gatehouse" else 1.4
    label = name if style == "-" else "_"
    axes.plot(x, y, style, color=colour, marker=mark, markersize=4.5, linewidth=width, label=label)


def _steps() -> ticker.LogLocator:
    return ticker.LogLocator(subs=(1, 2, 5))


def _legend(figure: Figure, axes: Axes) -> None:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=len(LINES))


if __name__ == "__main__":
    draw(*map(Path, sys.argv[1:]))
