"""Help: the pages in docs/, read in the panel."""

from __future__ import annotations

from flask import Response, redirect, send_file, url_for
from markupsafe import Markup

from app.blueprints.admin import help_text
from app.blueprints.admin.view import PanelView, page
from app.errors import NotFound


class Help(PanelView):
    """The pages of help. They stand in no menu: each page leads to what is said about it."""

    def is_visible(self) -> bool:
        """Stay out of the menu."""
        return False

    @page("/")
    def index(self) -> Response:
        """Lead to the page about the panel."""
        return redirect(url_for("help.read", topic="panel"))  # type: ignore[return-value]  # Werkzeug's own class

    @page("/<topic>")
    def read(self, topic: str) -> Response:
        """Show a page."""
        try:
            found = help_text.load(topic)
        except LookupError:
            raise NotFound("There is no such page of help.") from None
        listed = [help_text.load(each) for each in help_text.names()]
        body = Markup(found.html)  # noqa: S704  made of a file of ours, in which HTML is text
        return self.show("panel/help.html", found=found, body=body, listed=listed)

    @page("/img/<stem>.svg")
    def picture(self, stem: str) -> Response:
        """Send a picture of a page."""
        try:
            file = help_text.picture(stem)
        except LookupError:
            raise NotFound("There is no such picture.") from None
        return send_file(file)
