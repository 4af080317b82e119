"""Callers to choose from in the console: oneself, the public, or a client app."""

from __future__ import annotations

from dataclasses import dataclass

from app.blueprints.admin import transactions
from app.clients import store as clients
from odoo_bridge.transaction import Environment

ME, PUBLIC = "me", "public"


@dataclass(frozen=True, slots=True)
class TrialCaller:
    """A client app as a caller. ``able`` is False for one without a secret, which gets no token of its own.

    ``client_id`` is its OAuth2 id; ``uid`` the Odoo user that it acts as where the API names none.
    """

    id: int
    name: str
    client_id: str
    uid: int | None
    active: bool
    connected: bool
    able: bool

    @property
    def key(self) -> str:
        """Its value in the form."""
        return f"client-{self.id}"

    @property
    def label(self) -> str:
        """Its name, and why its calls will be refused."""
        reasons = []
        if not self.able:
            reasons.append("calls for persons alone")
        elif not self.active:
            reasons.append("switched off")
        elif not self.connected:
            reasons.append("not connected")
        return f"{self.name} ({reasons[0]})" if reasons else self.name


def client_apps(connected: list[str]) -> list[TrialCaller]:
    """Return all client apps by name; ``connected`` are those of the API."""

    def work(root: Environment) -> list[TrialCaller]:
        able = clients.with_secret(root.cr)
        return [
            TrialCaller(
                id=client.id,
                name=client.name,
                client_id=client.client_id,
                uid=client.uid,
                active=client.active,
                connected=client.name in connected,
                able=client.id in able,
            )
            for client in clients.every(root.cr)
        ]

    return transactions.look(work)
