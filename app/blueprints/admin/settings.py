"""System-wide settings: the defaults for new APIs, what holds for all APIs, and Odoo's own RPC. Each page is a tab."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Response, request

from app.blueprints.admin import editor, odoo_rpc, transactions
from app.blueprints.admin.api_form import OptionsForm, options_of
from app.blueprints.admin.system_form import SystemForm
from app.blueprints.admin.view import PanelView, page
from app.catalog import store
from app.definitions.problems import Problem
from app.definitions.system import SystemSettings
from app.editing.defaults import default_problems, sample_api, stored_defaults
from app.editing.executors import executor
from app.web.services import services


class SettingsForm(OptionsForm):
    """Form of the defaults for new APIs. Each API has a type and an end of its own."""

    type = None
    deprecated = None
    sunset = None


class Settings(PanelView):
    """Settings."""

    help = "panel#settings"
    help_of = MappingProxyType({"odoo": "operations#on-odoos-side"})

    @page("/", "GET", "POST")
    def index(self) -> Response:
        """Show and change the defaults for new APIs; APIs that are there stay as they are."""
        form = SettingsForm(data=options_of(editor.default_document())) if request.method == "GET" else SettingsForm()
        if form.is_submitted():
            values = form.options()
            problems = _problems(values)
            if form.validate() and not problems:
                _save_defaults(values)
                return self.go("settings.index", "Saved. New APIs begin with these values.")
            form.refuse(problems)
        return self.show("panel/settings.html", 400 if form.is_submitted() else 200, form=form)

    @page("/system", "GET", "POST")
    def system(self) -> Response:
        """Show and change the settings of the log, of sizes, and of tries with wrong credentials."""
        most_body = services().settings.max_body_size
        form = SystemForm(data=_system().model_dump()) if request.method == "GET" else SystemForm()
        wanted = form.wanted(most_body) if form.is_submitted() else None
        if wanted is not None:
            _save_system(wanted)
            return self.go("settings.system", "Saved. Every worker on every host knows within a second.")
        status = 400 if form.is_submitted() else 200
        return self.show("panel/system.html", status, form=form, most_body=most_body)

    @page("/odoo", "GET", "POST")
    def odoo(self) -> Response:
        """Show and change which protocols of its own Odoo refuses."""
        if request.method == "POST":
            asked = odoo_rpc.asked()
            if asked is not None:
                return self.ask(asked)
            odoo_rpc.save()
            return self.go("settings.odoo", "Saved. Odoo obeys from the next call on.")
        return self.show("panel/odoo_rpc.html", **odoo_rpc.shown())


def _problems(values: dict[str, Any]) -> list[Problem]:
    found = default_problems(values)
    login = values["run_as"]
    if login is not None:
        user = transactions.look(lambda root: executor(root, "run_as", login))
        if isinstance(user, Problem):
            found.append(user)
    return found


def _save_defaults(values: dict[str, Any]) -> None:
    """Save the defaults that differ from the built-in values, and keys that this form does not show."""
    built_in = sample_api({}).model_dump(mode="json")
    differing = {name: value for name, value in values.items() if value != built_in[name]}

    def work(root: Any) -> None:
        before = stored_defaults(store.load(root.cr))
        others = {name: value for name, value in before.items() if name not in values}
        store.set_defaults(root.cr, {**others, **differing})

    transactions.change(work)


def _system() -> SystemSettings:
    """Return the settings as they are stored, which another worker may just have changed."""
    return transactions.look(lambda root: SystemSettings.of(store.load(root.cr).settings))


def _save_system(wanted: Mapping[str, Any]) -> None:
    """Write the settings that have changed, a row of the history for each."""

    def work(root: Any) -> None:
        before = SystemSettings.of(store.load(root.cr).settings).model_dump()
        for name, value in wanted.items():
            if before[name] != value:
                store.set_setting(root.cr, name, value)

    transactions.change(work)
