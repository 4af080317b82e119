"""The README and the pages in docs/: what they link to is there, and the README leads to each page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))


def _links(page: Path) -> list[tuple[Path, str]]:
    """Return the files of this repository that a page links to, each with the heading's name or nothing."""
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in link]
    parts = [link.partition("#") for link in links]
    return [((page.parent / file).resolve() if file else page, heading) for file, _, heading in parts]


def _headings(page: Path) -> set[str]:
    """Return the names that a page's headings are linked by."""
    texts = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in texts}


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target, heading in _links(page):
        assert target.exists()
        assert not heading or heading in _headings(target), f"{target.name} has no heading {heading}"


def test_the_readme_leads_to_each_page() -> None:
    assert PAGES
    assert set(PAGES) <= {target for target, _ in _links(README)}


def test_the_readme_is_one_screen_or_three() -> None:
    assert len(README.read_bytes()) < 8_000
