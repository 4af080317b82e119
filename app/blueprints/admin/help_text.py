"""The pages in docs/, as the panel shows them: HTML made of Markdown, with links that lead on inside the panel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

#: Where the pages are.
FOLDER = Path(__file__).resolve().parents[3] / "docs"
#: The pages that most people look for, in this order; others follow by name.
_FIRST = ("panel", "definitions", "api", "oauth2", "security")
#: What is wide is scrolled, by keyboard too.
_BOXES = {
    "<table>": '<div class="box" tabindex="0" role="group" aria-label="Table"><table>',
    "</table>": "</table></div>",
    "<pre>": '<pre class="code" tabindex="0">',
}


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading of a page: its text, the id that it is linked by, and its level from 1."""

    text: str
    anchor: str
    level: int


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One page: its title, its body as HTML without the title, and the headings in it."""

    name: str
    title: str
    html: str
    headings: tuple[Heading, ...]


def names() -> list[str]:
    """Return the names of all pages, as they are listed; none where the folder is not there."""
    found = sorted(file.stem for file in FOLDER.glob("*.md"))
    return [*(name for name in _FIRST if name in found), *(name for name in found if name not in _FIRST)]


@lru_cache
def load(name: str) -> HelpPage:
    """Return a page; raises LookupError for a name that is none of a page's."""
    known = names()
    if name not in known:
        raise LookupError(name)
    return render(name, (FOLDER / f"{name}.md").read_text(encoding="utf-8"), known)


def picture(name: str) -> Path:
    """Return the file of a picture; raises LookupError for a name that is none of a picture's."""
    return {file.stem: file for file in (FOLDER / "img").glob("*.svg")}[name]


def render(name: str, text: str, known: Iterable[str]) -> HelpPage:
    """Return a page made of Markdown. HTML in it is shown as text; ``known`` are the pages that it can lead to."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  no call of an API needs it

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    headings = list(_with_anchors(tokens))
    for token in tokens:
        if "style" in token.attrs:  # of a column of numbers: the panel allows no inline style
            del token.attrs["style"]
            token.attrSet("class", "number")
        if token.children:
            token.children = list(_with_links(token.children, set(known)))
    title = headings.pop(0).text if headings and headings[0].level == 1 else name
    tokens = tokens[3:] if tokens and tokens[0].tag == "h1" else tokens  # shown by the panel's page itself
    html = markdown.renderer.render(tokens, markdown.options, {})
    for plain, boxed in _BOXES.items():  # where HTML is shown as text, these are of our own making
        html = html.replace(plain, boxed)
    return HelpPage(name, title, html, tuple(headings))


def _with_anchors(tokens: list[Token]) -> Iterator[Heading]:
    """Give each heading an id, made as GitHub makes it."""
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            anchor = re.sub(r"[^\w -]", "", text).lower().replace(" ", "-")
            token.attrSet("id", anchor)
            yield Heading(text, anchor, int(token.tag[1:]))


def _with_links(tokens: list[Token], known: set[str]) -> Iterator[Token]:
    """Lead links to where the panel shows other pages; one that leads to no page is left as text."""
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            href = _led(str(token.attrGet("href")), known)
            dropped = href is None
            if href is not None:
                token.attrSet("href", href)
        if not (dropped and token.type in ("link_open", "link_close")):
            yield token


def _led(href: str, known: set[str]) -> str | None:
    """Return an address relative to the pages' own, or one that leads out; None for other files of the project."""
    if href.startswith(("#", "https://", "http://")):
        return href
    file, mark, anchor = href.partition("#")
    name = file.removesuffix(".md")
    return f"{name}{mark}{anchor}" if file.endswith(".md") and name in known else None
