"""Code blocks of the README and the pages in docs/, for the tests that run them as they stand there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))


def page(name: str) -> Path:
    """Return the file of a page, ``README`` or one of docs/."""
    return README if name == "README" else ROOT / "docs" / f"{name}.md"


def every_block(file: Path, *languages: str) -> list[tuple[str, str]]:
    """Return the blocks of a page in these languages, each with the heading that it stands below."""
    pattern = rf"^#+ ([^\n]+)$|^ *```(?:{'|'.join(languages)})\n(.*?)^ *```$"
    found, heading = [], ""
    for title, block in re.findall(pattern, file.read_text(), re.MULTILINE | re.DOTALL):
        if title:
            heading = title
        else:
            found.append((heading, textwrap.dedent(block)))
    return found


def blocks(name: str, language: str, heading: str) -> list[str]:
    """Return the blocks of a language below a heading of a page."""
    return [block for below, block in every_block(page(name), language) if below == heading]
