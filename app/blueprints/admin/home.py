"""The panel's first page: what there is, and what needs a look."""

from __future__ import annotations

from flask import Response

from app.blueprints.admin import editor, transactions
from app.blueprints.admin.view import PanelView, page
from app.clients import store as clients


class Home(PanelView):
    """The overview."""

    @page("/")
    def index(self) -> Response:
        """Show the numbers, and the APIs that can't be served."""
        rows = editor.rows()
        apps = transactions.look(lambda root: clients.every(root.cr))
        return self.show(
            "panel/home.html",
            rows=rows,
            published=[row for row in rows if row.stored.document.get("published")],
            sick=[row for row in rows if row.definition is None or row.definition.problems],
            apps=apps,
            active=[app for app in apps if app.active],
        )
