"""The import of a definition file: looked at first, then done."""

from __future__ import annotations

from dataclasses import dataclass

from app.admin import editor, transactions
from app.catalog import editing, files, store
from app.catalog.client_entries import ClientChanges
from app.catalog.files import FileError
from odoo_bridge.transaction import Environment

#: What problems are told with: the browser tells no path.
_FILE = "definition file"


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do, or what is wrong with the file.

    ``differences`` are the lines that would change of each API; ``version`` is the catalog that it was looked up in.
    """

    problems: list[str]
    changes: store.Changes
    clients: ClientChanges
    defaults: bool
    differences: dict[str, list[tuple[str, str]]]
    version: int

    @property
    def changes_nothing(self) -> bool:
        """Whether all is as the file says."""
        apis = self.changes.created or self.changes.updated or self.changes.deleted
        return not (apis or self.clients.created or self.clients.updated or self.defaults)


def preview(text: str, *, prune: bool) -> Preview:
    """Return what the import of a file would change; nothing is kept."""

    def work(root: Environment) -> Preview:
        stored = editing.load(root.cr)
        try:
            planned = files.plan(files.parse(text, _FILE), _FILE, stored, root, prune=prune)
        except FileError as error:
            return Preview(error.problems, store.Changes((), (), ()), ClientChanges(), False, {}, stored.version)
        old = {str(api.document["name"]): api.document for api in stored.apis}
        new = {str(document["name"]): document for document in planned.documents}
        return Preview(
            problems=[],
            changes=planned.changes,
            clients=planned.clients,
            defaults=planned.new_defaults,
            differences={
                name: editor.difference(editor.as_yaml(old[name]), editor.as_yaml(new[name]))
                for name in planned.changes.updated
            },
            version=stored.version,
        )

    return transactions.look(work)


def apply(text: str, *, prune: bool, version: str) -> str | None:
    """Import a file, and return what to tell the person.

    None where the catalog is no longer the one that the preview was about, or the file is wrong.
    """

    def work(root: Environment) -> str | None:
        if str(editing.load(root.cr).version) != version:
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
