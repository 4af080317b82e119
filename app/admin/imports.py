"""The import of a definition file: looked at first, then done."""

from __future__ import annotations

from dataclasses import dataclass

from app.admin import editor, transactions
from app.auth.client_document import ClientDocument
from app.catalog import editing, files, store
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
    clients: list[str]
    defaults: bool
    differences: dict[str, list[tuple[str, str]]]
    version: int

    @property
    def changes_nothing(self) -> bool:
        """Whether all is as the file says."""
        changed = self.changes.created or self.changes.updated or self.changes.deleted
        return not (changed or self.clients or self.defaults)


def preview(text: str, *, prune: bool) -> Preview:
    """Return what the import of a file would change; nothing is kept."""

    def work(root: Environment) -> Preview:
        stored = editing.load(root.cr)
        before = files.client_documents(root)
        try:
            planned = files.plan(text, _FILE, stored, root, prune=prune)
        except FileError as error:
            return Preview(error.problems, store.Changes((), (), ()), [], False, {}, stored.version)
        changes = store.changes(stored, planned.documents, prune=prune)
        old = {str(api.document["name"]): api.document for api in stored.apis}
        new = {str(document["name"]): document for document in planned.documents}
        return Preview(
            problems=[],
            changes=changes,
            clients=_changed_clients(before, files.client_documents(root)),
            defaults=planned.defaults is not None and planned.defaults != editor.default_values(stored),
            differences={
                name: editor.difference(editor.as_yaml(old[name]), editor.as_yaml(new[name]))
                for name in changes.updated
            },
            version=stored.version,
        )

    return transactions.look(work)


def apply(text: str, *, prune: bool, version: str) -> bool:
    """Import a file; False where the catalog is no longer the one that the preview was about, or the file is wrong."""

    def work(root: Environment) -> bool:
        stored = editing.load(root.cr)
        if str(stored.version) != version:
            return False
        planned = files.plan(text, _FILE, stored, root, prune=prune)
        editing.write(root.cr, planned.documents, defaults=planned.defaults, prune=prune)
        return True

    try:
        return transactions.change(work)
    except FileError:  # and with it, its client apps are rolled back
        return False


def _changed_clients(before: list[ClientDocument], after: list[ClientDocument]) -> list[str]:
    known = {document.name: document for document in before}
    return [document.name for document in after if known.get(document.name) != document]
