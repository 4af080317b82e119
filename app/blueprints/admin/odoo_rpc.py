"""Odoo's own RPC, a tab of the settings: which of its protocols Odoo refuses. The addon on Odoo's side obeys."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from app.analytics import history
from app.blueprints.admin import transactions
from app.blueprints.admin.confirmation import Confirmation, counted
from app.blueprints.admin.forms import Choices, PanelForm, named
from app.blueprints.admin.guard import current_person
from app.errors import BadRequest
from odoo_bridge import odoo_rpc
from odoo_bridge.odoo_rpc import ADDONS, Addon, Switch
from odoo_bridge.transaction import Environment


class OdooRpcForm(PanelForm):
    """Switches of Odoo's own RPC protocols."""

    refused = Choices("Refuse")


def shown() -> dict[str, Any]:
    """Return the page: the form, or without the addon (``form`` is None) how to install it.

    ``folder`` is the one that belongs into Odoo's ``addons_path``.
    """
    addon, switches = transactions.look(lambda root: (odoo_rpc.addon(root), odoo_rpc.switches(root)))
    form = _form(switches) if addon is Addon.LOADED else None
    return {"form": form, "elsewhere": addon is Addon.ELSEWHERE, "folder": str(ADDONS)}


def save() -> None:
    """Close and open protocols as the form says that was sent; in all processes of Odoo from the next call on.

    Raises BadRequest.
    """
    form = _form(transactions.look(odoo_rpc.switches))
    if not form.validate():
        raise BadRequest("There is no such protocol, or the addon is not installed. Nothing has been changed.")
    transactions.change(lambda root: _switch(root, set(form.refused.data)))


def asked() -> Confirmation | None:
    """Return the confirmation of a form that closes what is open; None where it does not, or has been confirmed."""
    form = _form(transactions.look(odoo_rpc.switches))
    if "confirmed" in request.form or not form.validate():
        return None
    switches = transactions.look(odoo_rpc.switches)
    closing = [each for each in switches if not each.refused and each.key in form.refused.data]
    if not closing:
        return None
    staying = [each.label for each in switches if each.key not in form.refused.data]
    return Confirmation(
        title="Close Odoo's own RPC?",
        effect="Whatever program uses one of these is refused from its next call on, in all of Odoo's processes. "
        "Gatehouse can't tell who that is: these calls go to Odoo itself.",
        facts={
            "Closes": ", ".join(f"{each.label} ({each.path})" for each in closing),
            "Stays open": ", ".join(staying) or "none of these",
        },
        button=f"Close {counted(len(closing), 'protocol')}",
        action=url_for("settings.odoo"),
        back=url_for("settings.odoo"),
        values={"refused": form.refused.data, "confirmed": 1},
    )


def _form(switches: tuple[Switch, ...]) -> OdooRpcForm:
    form = OdooRpcForm(refused=[switch.key for switch in switches if switch.refused])
    form.refused.choices = named({switch.key: f"{switch.label}: {switch.path}" for switch in switches})
    return form


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
