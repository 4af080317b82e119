"""Try it: choose an endpoint, fill in what it takes, and see what a client would see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from app.blueprints.admin import editor
from app.blueprints.admin.console import callers, dispatch
from app.blueprints.admin.console import trial_request as form
from app.blueprints.admin.console.callers import ME, PUBLIC, TrialCaller
from app.blueprints.admin.console.dispatch import TrialAnswer
from app.blueprints.admin.console.inputs import Inputs, inputs_of
from app.blueprints.admin.console.snippets import snippets
from app.blueprints.admin.console.targets import Target, find, targets_of
from app.blueprints.admin.console.trial_request import TrialRequest
from app.blueprints.admin.guard import current_person
from app.blueprints.admin.view import PanelView, page
from app.errors import NotFound, Unauthorized
from app.operations.trial import Trial
from app.web.current import current_report
from app.web.services import services
from odoo_bridge import sessions
from odoo_bridge.sessions import COOKIE


class Console(PanelView):
    """The test console."""

    @page("/", "GET", "POST")
    def index(self) -> Response:
        """Show the form of an endpoint; a form that is sent makes the call, and shows its answer too."""
        rows, key = editor.rows(), request.args.get("target", "")
        target = find(rows, key)
        if key and target is None:
            raise NotFound("There is no such endpoint, or its API no longer fits Odoo.")
        groups = [(row.name, targets) for row in rows if (targets := targets_of(row))]
        if target is None:
            return self.show("panel/try.html", groups=groups, target=None)
        inputs, apps = inputs_of(target), callers.client_apps(target.definition.document.clients)
        values: dict[str, Any] = {"caller": ME, "run": "real" if target.logs_in else "test", "body": _example(inputs)}
        shown: dict[str, Any] = {}
        if request.method == "POST":
            shown = _call(target, inputs, apps, request.form)
            values |= {"body": "", **form.short(request.form)}
        if target.logs_in:
            values["body"] = _example(inputs)  # what was sent holds a key
        status = 400 if shown.get("problems") else 200
        return self.show(
            "panel/try.html", status, groups=groups, target=target, inputs=inputs, apps=apps, values=values, **shown
        )


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
    if wrong := _run_problem(target, run):
        problems["run"] = wrong
    if problems:
        return {"problems": problems}
    answer = _send(target, asked, caller, Trial(_current_uid(), run == "test", able.get(caller)))
    return {"answer": answer, "programs": _programs(target, inputs, asked, caller), "most": dispatch.MOST_SHOWN}


def _run_problem(target: Target, run: str) -> str | None:
    if run not in ("test", "real"):
        return "As a test, or for real?"
    if run == "test" and target.logs_in:
        return "A login can't be taken back, so there is no test of it."
    return None


def _send(target: Target, asked: TrialRequest, caller: str, mark: Trial) -> TrialAnswer:
    services().catalog.refresh()  # another worker may just have saved what is tried here
    # Without the session where the call logs in: that would end it.
    answer = dispatch.send(asked, mark, _own_session() if caller == ME and not target.logs_in else None)
    if target.logs_in and answer.session_id:
        sessions.close_session(answer.session_id)
    return answer


def _current_uid() -> int:
    person = current_person()
    if person is None:
        raise Unauthorized("Please log in.")  # the guard has seen to it already
    return person.uid


def _own_session() -> str | None:
    """Return the session of who sits in front of the panel; the guard may just have renewed it."""
    renewal = current_report().session
    return renewal.sid if renewal is not None else request.cookies.get(COOKIE)


def _programs(target: Target, inputs: Inputs, asked: TrialRequest, caller: str) -> dict[str, str]:
    if target.logs_in:  # no key that was typed goes into a program
        asked = TrialRequest(asked.method, asked.path, asked.query, asked.headers, _example(inputs))
    return snippets(asked, request.host_url.rstrip("/"), caller)
