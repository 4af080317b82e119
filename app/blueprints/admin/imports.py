"""The import of a definition file: looked at first, then done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.blueprints.admin import editor, transactions
from app.blueprints.admin.api_questions import facts_of
from app.blueprints.admin.editor import ApiRow
from app.blueprints.admin.findings import Finding
from app.catalog import store
from app.definitions.problems import Problem
from app.editing import files
from app.editing.client_entries import ClientChanges
from app.editing.files import FileError
from app.editing.openings import Openings
from odoo_bridge.errors import Rejected
from odoo_bridge.transaction import Environment

#: What problems are told with: the browser tells no path.
_FILE = "definition file"


@dataclass(frozen=True, slots=True)
class Preview:
    """Preview of an import: its effects, or the problems of the file.

    ``differences`` are the lines that would change of each API, ``opens`` what callers may do then that they may not do
    now, ``deleted`` the facts about each that would go; ``version`` is the catalog that it was looked up in.
    """

    problems: Sequence[Finding]
    changes: store.Changes
    clients: ClientChanges
    defaults: bool
    differences: dict[str, list[tuple[str, str]]]
    opens: Openings
    deleted: dict[str, dict[str, str]]
    version: int
    changes_nothing: bool


def preview(text: str, *, prune: bool) -> Preview:
    """Return the changes that the import of a file would make: it is done, and rolled back."""
    try:
        content = files.parse(text, _FILE)
        return _shown(transactions.look(lambda root: files.import_content(content, _FILE, root, prune=prune)))
    except FileError as error:
        return _refused(error.problems)
    except Rejected as error:
        return _refused([Problem((), error.message)])


def _shown(planned: files.Plan) -> Preview:
    return Preview(
        problems=[],
        changes=planned.changes,
        clients=planned.clients,
        defaults=planned.new_defaults,
        differences={
            name: editor.difference(editor.as_yaml(old), editor.as_yaml(new))
            for name, (old, new) in planned.updates().items()
        },
        opens=planned.opens,
        deleted={
            name: facts_of(ApiRow(api, None))
            for api in planned.stored.apis
            if (name := str(api.document["name"])) in planned.changes.deleted
        },
        version=planned.stored.version,
        changes_nothing=planned.changes_nothing(),
    )


def _refused(problems: Sequence[Problem]) -> Preview:
    findings = [Finding("", str(problem), "text") for problem in problems]
    return Preview(findings, store.Changes((), (), ()), ClientChanges(), False, {}, {}, {}, 0, True)


def apply(text: str, *, prune: bool, version: str) -> str | None:
    """Import a file, and return what to tell the person.

    None where the catalog is no longer the one that the preview was about, or the file is wrong.
    """

    def work(root: Environment) -> str | None:
        if str(store.load(root.cr).version) != version:
            return None
        return _summary(files.import_content(content, _FILE, root, prune=prune))

    try:
        content = files.parse(text, _FILE)
        return transactions.change(work)
    except FileError:  # and with it, its client apps are rolled back
        return None


def _summary(done: files.Plan) -> str:
    apps = done.clients
    parts = [("created", apps.created), ("updated", apps.updated), ("unchanged", apps.unchanged)]
    told = "; ".join(f"{what}: {_some(names)}" for what, names in parts if names)
    return f"The file has been imported.{f' Client apps {told}.' if told else ''}"


def _some(names: list[str]) -> str:
    """Return names for a message, which travels in a cookie and can't be long."""
    shown = ", ".join(name[:60] for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown
