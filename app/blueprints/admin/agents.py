"""AI agents: how they are connected, which APIs have tools for them, and what of theirs waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response, request

from app.blueprints.admin import people, transactions
from app.blueprints.admin.view import PanelView, page
from app.clients import resources
from app.clients.document import LOOPBACK
from app.definitions.definition import Definition
from app.mcp import approvals, askers
from app.mcp.approvals import Approval
from app.mcp.tools import Tool
from app.web.routing import served_endpoints
from app.web.services import services
from odoo_bridge.transaction import Environment

#: What comes before a write, by the key of a definition.
_BEFORE = {
    "none": "done at once",
    "ask": "shown and asked for first",
    "person": "approved by a person who is logged in",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """An API with tools: those that read, those that write, and what comes before a write."""

    definition: Definition
    reading: list[Tool]
    writing: list[Tool]

    @property
    def before(self) -> str:
        """The way a write is approved, in words."""
        return _BEFORE[self.definition.document.mcp_approval]


@dataclass(frozen=True, slots=True)
class Question:
    """Something that an agent wants to change and a person has to approve, and who asks."""

    approval: Approval
    asker: str


class Agents(PanelView):
    """Everything about AI agents."""

    help = "mcp"

    @page("/")
    def index(self) -> Response:
        """Show the tools, the approvals that wait, and how agents are connected."""
        root = request.host_url.rstrip("/")
        return self.show(
            "panel/agents.html",
            address=resources.of(root),
            opened=_opened(),
            questions=transactions.look(_questions),
            is_local=urlsplit(root).hostname in LOOPBACK,
        )


def _opened() -> list[Opened]:
    """Return the APIs that have tools, by name."""
    served = served_endpoints()
    found: dict[int, list[Tool]] = {}
    for tool in services().toolbox.of(served, served).listed:
        found.setdefault(tool.endpoint.definition.id, []).append(tool)
    opened = [
        Opened(tools[0].endpoint.definition, [t for t in tools if t.reads], [t for t in tools if not t.reads])
        for tools in found.values()
    ]
    return sorted(opened, key=lambda each: each.definition.name)


def _questions(root: Environment) -> list[Question]:
    """Return the approvals that wait for a person, the oldest first."""
    found = approvals.pending(root.cr)
    names, logins = askers.of(root.cr, found), people.logins({each.uid for each in found if each.uid is not None})
    return [
        Question(each, " for ".join(filter(None, (names[each.lookup], logins.get(each.uid or 0))))) for each in found
    ]
