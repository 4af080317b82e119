"""The panel's console, as a person uses it: a page with an answer, and the form that leads to it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from lxml import html

from app.web.routing import Gatehouse
from tests.http.panel import Panel, texts


class Tried:
    """The console's page after a call."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.tree = html.fromstring(page.text)
        self.text = texts(page)

    @property
    def status(self) -> int:
        (tag,) = self.tree.xpath("//section[@id='answer']//h2/span[1]/text()")
        return int(tag.split()[0])

    @property
    def body(self) -> Any:
        return json.loads(self.tree.get_element_by_id("answer-body").text)

    @property
    def headers(self) -> dict[str, str]:
        names = self.tree.xpath("//section[@id='answer']//dt/text()")
        return dict(zip(names, self.tree.xpath("//section[@id='answer']//dd/code/text()"), strict=True))


class Console:
    """The console of an app, used by who sits in front of its panel."""

    def __init__(self, panel: Panel, app: Gatehouse) -> None:
        self.panel, self.app = panel, app

    def address(self, route: str, method: str = "GET", suffix: str = "") -> str:
        """Return the page of an endpoint."""
        definitions = self.app.services.catalog.snapshot.definitions.values()
        (api_id,) = (each.id for each in definitions if each.document.route == route)
        return f"/admin/try/?target={quote(f'{api_id} {method} {route}{suffix}')}"

    def __call__(self, route: str, method: str = "GET", suffix: str = "", status: int = 200, **fields: Any) -> Tried:
        """Fill in the form of an endpoint and send it; what is not named stays as the form begins.

        A field is named ``query__limit`` for ``query-limit``.
        """
        given = {name.replace("__", "-"): value for name, value in fields.items()}
        answer = self.panel.send(self.address(route, method, suffix), "#answer", **given)
        assert answer.status_code == status, answer.text[-3000:]
        return Tried(answer)
