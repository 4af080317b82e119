"""The panel's first page: how it goes, what needs a look, and what is to be done next."""

from __future__ import annotations

from flask import Response

from app.analytics import history, recent
from app.blueprints.admin import editor, overview, transactions, webhook_facts
from app.blueprints.admin.analytics import api_names
from app.blueprints.admin.view import PanelView, page
from app.clients import store as clients
from app.web.services import services


class Home(PanelView):
    """The overview."""

    help = "panel#overview"

    @page("/")
    def index(self) -> Response:
        """Show the last hour and day, and what is out of service; a new system is shown its first steps."""
        rows = editor.rows()
        apps = transactions.look(lambda root: clients.every(root.cr))
        called = recent.was_called(services().database)
        return self.show(
            "panel/home.html",
            rows=rows,
            published=[row for row in rows if row.stored.document.get("published")],
            sick=[row for row in rows if row.definition is None or row.definition.problems],
            hooks=[row for row in webhook_facts.listing() if row.needs_a_look],
            apps=apps,
            active=[app for app in apps if app.active],
            steps=overview.steps(rows, apps, tried=called or history.was_tried(services().database)),
            spans=overview.spans() if called else [],
            failures=overview.failures() if called else [],
            limited=overview.limited() if called else [],
            names=api_names(),
        )
