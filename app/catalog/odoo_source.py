"""Odoo as the compiler asks it, answered by the bridge and remembered as long as the registry lives."""

from __future__ import annotations

from typing import Any

from odoo_bridge import credentials, introspect, methods
from odoo_bridge.changes import following
from odoo_bridge.structure import Structure
from odoo_bridge.transaction import Environment
from odoo_bridge.types import MethodInfo, ModelInfo, User


class OdooSource:
    """Looks up models and users in one environment."""

    def __init__(self, root: Environment, known: dict[str, ModelInfo | None]) -> None:
        """``known`` carries model descriptions over from one compilation to the next, for one registry."""
        self.root = root
        self._known = known
        self.structure = Structure.of(root)

    def model(self, name: str) -> ModelInfo | None:
        """Return a model's description, or None."""
        if name not in self._known:
            self._known[name] = introspect.describe(self.root, name)
        return self._known[name]

    def user(self, login: str) -> User | None:
        """Return a user, active or not, or None."""
        return credentials.user_by_login(self.root, login, active_test=False)

    def method(self, model: str, name: str) -> MethodInfo | None:
        """Return a method that Odoo lets one call from outside, or None."""
        return methods.describe(self.root, model, name)

    def domain_error(self, model: str, domain: list[Any]) -> str | None:
        """Return Odoo's objection to a domain, or None."""
        return introspect.domain_error(self.root, model, domain)

    def untold(self, model: str, domain: list[Any], fields: tuple[str, ...]) -> str | None:
        """Return the reason for which the changes of a model can't be followed, or None."""
        return following.reason_against(self.root, model, domain, fields)
