"""Odoo's own RPC, as a section of the settings: which of its protocols Odoo refuses. The addon on Odoo's side obeys."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from app.admin import transactions
from app.admin.forms import Choices, PanelForm, named
from app.admin.guard import current_person
from app.admin.view import PanelView, page
from app.analytics import history
from app.errors import BadRequest
from odoo_bridge import odoo_rpc
from odoo_bridge.odoo_rpc import ADDONS, Addon, Switch
from odoo_bridge.transaction import Environment


class OdooRpcForm(PanelForm):
    """Which protocols are closed."""

    refused = Choices("Refuse")


@dataclass(frozen=True, slots=True)
class Section:
    """What the settings page shows: the form, or without the addon what to do about that.

    ``folder`` is the one that belongs into Odoo's ``addons_path``.
    """

    form: OdooRpcForm | None
    addon: Addon
    folder: str = str(ADDONS)


def section() -> Section:
    """Return the section as things are."""
    addon, switches = transactions.look(lambda root: (odoo_rpc.addon(root), odoo_rpc.switches(root)))
    if addon is not Addon.LOADED:
        return Section(None, addon)
    # Without what was posted: the rest of the settings page is another form.
    form = OdooRpcForm(formdata=None, refused=[switch.key for switch in switches if switch.refused])
    _offer(form, switches)
    return Section(form, addon)


class OdooRpc(PanelView):
    """Takes the section's form; it stands in no menu."""

    def is_visible(self) -> bool:
        """Stay out of the menu."""
        return False

    @page("/", "GET", "POST")
    def index(self) -> Response:
        """Close and open protocols; in all processes of Odoo from the next call on."""
        form = OdooRpcForm()
        if not form.is_submitted():
            return self.go("settings.index")
        _offer(form, transactions.look(odoo_rpc.switches))
        if not form.validate():
            raise BadRequest("There is no such protocol, or the addon is not installed. Nothing has been changed.")
        transactions.change(lambda root: _switch(root, set(form.refused.data)))
        return self.go("settings.index", "Saved. Odoo obeys from the next call on.")


def _offer(form: OdooRpcForm, switches: tuple[Switch, ...]) -> None:
    form.refused.choices = named({switch.key: f"{switch.label}: {switch.path}" for switch in switches})


def _switch(root: Environment, refused: set[str]) -> None:
    person = current_person()
    before = _described(odoo_rpc.switches(root))
    odoo_rpc.switch(root, refused)
    history.note(
        root.cr,
        actor=person.login if person else "",
        kind="odoo",
        name="RPC",
        before=before,
        after=_described(odoo_rpc.switches(root)),
    )


def _described(switches: tuple[Switch, ...]) -> dict[str, str]:
    return {switch.path: "refused" if switch.refused else "open" for switch in switches}
