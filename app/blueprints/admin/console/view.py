"""Try it: choose an endpoint, fill in what it takes, and see what a client would see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from app.analytics import history, log_pages
from app.blueprints.admin import editor
from app.blueprints.admin.console import callers, dispatch
from app.blueprints.admin.console import trial_request as form
from app.blueprints.admin.console.callers import ME, PUBLIC, TrialCaller
from app.blueprints.admin.console.dispatch import TrialAnswer
from app.blueprints.admin.console.filling import can_be_filled, fill
from app.blueprints.admin.console.inputs import Inputs, inputs_of
from app.blueprints.admin.console.replay import key_of, replay
from app.blueprints.admin.console.snippets import NOBODY, Entrance, snippets
from app.blueprints.admin.console.targets import Target, find, targets_of
from app.blueprints.admin.console.trial_request import TrialRequest
from app.blueprints.admin.guard import current_person
from app.blueprints.admin.view import PanelView, page
from app.errors import ApiError, Forbidden, NotFound, Unauthorized
from app.operations.trial import Trial
from app.principal import Person
from app.web.current import current_report
from app.web.services import services
from odoo_bridge import sessions
from odoo_bridge.errors import BridgeError
from odoo_bridge.sessions import COOKIE


class Console(PanelView):
    """The test console."""

    help = "panel#try-it"

    @page("/", "GET", "POST")
    def index(self) -> Response:
        """Show the form of an endpoint; a form that is sent makes the call, and shows its answer too.

        ``?log=`` names a call of the log, to be tried again.
        """
        rows, logged = editor.rows(), _logged()
        key = key_of(logged) if logged else request.args.get("target", "")
        target = find(rows, key)
        if key and target is None:
            raise NotFound("There is no such endpoint, or its API no longer fits Odoo.")
        groups = [(row.name, targets) for row in rows if (targets := targets_of(row))]
        if target is None:
            return self.show("panel/try.html", groups=groups, target=None)
        inputs, apps = inputs_of(target), callers.client_apps(target.definition.document.clients)
        shown: dict[str, Any] = {}
        values: dict[str, Any] = {"caller": ME, "run": "real" if target.logs_in else "test", "body": _example(inputs)}
        if request.method == "POST":
            shown = _call(target, inputs, apps, request.form)
            values |= {"body": "", **form.short(request.form)}
        else:
            values |= _filled(target, inputs, apps, logged, shown)
        if target.logs_in:
            values["body"] = _example(inputs)  # what was sent holds a key
        status = 400 if shown.get("problems") else 200
        return self.show(
            "panel/try.html",
            status,
            groups=groups,
            target=target,
            inputs=inputs,
            apps=apps,
            values=values,
            fillable=can_be_filled(target),
            **shown,
        )


def _logged() -> dict[str, Any] | None:
    """Return the call of the log that the address names; raises NotFound."""
    call_id = request.args.get("log", "")
    if not call_id:
        return None
    names = (call_id, request.args.get("request", ""))
    found = log_pages.call(services().database, *(name.replace("\x00", "") for name in names))
    if found is None:
        raise NotFound("This call is not in the log yet, or no longer.")
    return found


def _filled(
    target: Target, inputs: Inputs, apps: list[TrialCaller], logged: dict[str, Any] | None, shown: dict[str, Any]
) -> Mapping[str, str]:
    """Return values to begin with: those of a call of the log, or a record; ``shown`` takes what to say about them."""
    if logged is not None:
        again = replay(logged, target, inputs, apps, _person())
        shown["notes"] = [f"Filled in from the call of {logged['at']:%Y-%m-%d %H:%M:%S %Z}.", *again.notes]
        return again.values
    if "fill" not in request.args:
        return {}
    caller = request.args.get("caller", ME)
    try:
        values = fill(target, inputs, _executing(target, apps, caller))
    except (ApiError, BridgeError) as error:
        shown["notes"] = [f"No record: {error.message}"]
        return {"caller": caller}
    shown["notes"] = ["Filled in with a record that the caller finds."] if values else ["The caller finds no record."]
    return {"caller": caller, **values}


def _executing(target: Target, apps: list[TrialCaller], caller: str) -> int | None:
    """Return the uid of who would execute a call, None for Odoo's public user; raises Forbidden for nobody."""
    definition = target.definition
    if definition.document.authentication == "public":
        return definition.run_as
    users = {ME: _person().uid, **{app.key: app.uid for app in apps if app.able}}
    uid = definition.run_as if caller in users and definition.run_as is not None else users.get(caller)
    if uid is None:
        raise Forbidden("this caller is refused here.")
    return uid


def _example(inputs: Inputs) -> str:
    """Return the example that the body begins with: the one that is asked for, or the first."""
    wanted = request.args.get("example", "")
    return inputs.examples.get(wanted, next(iter(inputs.examples.values()), ""))


def _call(target: Target, inputs: Inputs, apps: list[TrialCaller], values: Mapping[str, str]) -> dict[str, Any]:
    """Make the call that the form asks for; return what the page shows of it, or what is wrong by field."""
    asked, problems = form.read(values, target, inputs)
    caller, run = values.get("caller", ""), values.get("run", "")
    able = {app.key: app.id for app in apps if app.able}
    if caller not in (ME, PUBLIC, *able):
        problems["caller"] = "Nobody can call as this."
    elif target.is_draft and caller != ME:
        problems["caller"] = "A draft is tried by yourself alone."
    if wrong := _run_problem(target, run):
        problems["run"] = wrong
    if problems:
        return {"problems": problems, "findings": form.findings(problems, inputs)}
    draft = target.definition if target.is_draft else None
    answer = _send(target, asked, caller, Trial(_person().uid, run == "test", able.get(caller), draft))
    programs = _programs(target, inputs, asked, _entrance(target, apps, caller))
    return {"answer": answer, "programs": programs, "most": dispatch.MOST_SHOWN}


def _run_problem(target: Target, run: str) -> str | None:
    if run not in ("test", "real"):
        return "As a test, or for real?"
    if target.is_draft and (run != "test" or target.logs_in):
        return "A draft is tried as a test alone, and a login can't be: publish the API first."
    if run == "test" and target.logs_in:
        return "A login can't be taken back, so there is no test of it."
    return None


def _send(target: Target, asked: TrialRequest, caller: str, mark: Trial) -> TrialAnswer:
    services().catalog.refresh()  # another worker may just have saved what is tried here
    # Without the session where the call logs in: that would end it.
    answer = dispatch.send(asked, mark, _own_session() if caller == ME and not target.logs_in else None)
    if target.logs_in and answer.session_id:
        sessions.close_session(answer.session_id)
    if not target.counts:
        history.note_first_try(services().database, _person().login, f"{target.endpoint.method} {target.path}")
    return answer


def _person() -> Person:
    person = current_person()
    if person is None:
        raise Unauthorized("Please log in.")  # the guard has seen to it already
    return person


def _own_session() -> str | None:
    """Return the session of who sits in front of the panel; the guard may just have renewed it."""
    renewal = current_report().session
    return renewal.sid if renewal is not None else request.cookies.get(COOKIE)


def _entrance(target: Target, apps: list[TrialCaller], caller: str) -> Entrance:
    """Return the way in for a program that makes the same call."""
    if caller == PUBLIC or target.logs_in or target.definition.document.authentication == "public":
        return NOBODY
    if caller == ME:
        return Entrance("person", _person().login, services().transactions.database)
    return Entrance("client", next(app.client_id for app in apps if app.key == caller))


def _programs(target: Target, inputs: Inputs, asked: TrialRequest, entrance: Entrance) -> dict[str, str]:
    if target.logs_in:  # no key that was typed goes into a program
        asked = TrialRequest(asked.method, asked.path, asked.query, asked.headers, _example(inputs), asked.media_type)
    return snippets(asked, request.host_url.rstrip("/"), entrance)
