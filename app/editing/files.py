"""Definition files: YAML in, all or nothing, and back out. Errors name the file, the API and the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from app.catalog import store
from app.catalog.odoo_source import OdooSource
from app.clients import store as clients
from app.clients.document import ClientDocument
from app.clients.store import Client
from app.definitions.compiler import compile_document
from app.definitions.definition import Definition
from app.definitions.document import ApiDocument
from app.definitions.problems import Problem, shape_problems
from app.editing import allowed_clients, client_entries, opened, yaml_text
from app.editing.client_entries import ClientChanges
from app.editing.conflicts import conflicts
from app.editing.defaults import default_problems, effective_values, stored_defaults
from app.editing.openings import Openings
from app.editing.partial import readable
from odoo_bridge import users
from odoo_bridge.transaction import Environment

D = TypeVar("D", ApiDocument, ClientDocument)
_TOP_LEVEL = ("defaults", "clients", "apis")
#: The subject of problems with defaults.
_DEFAULTS = "defaults"
#: Keys that belong to one API alone and can have no default.
_OWN_KEYS = frozenset({"name", "route", "method", "models"})
_BUILT_IN = {
    name: field.get_default(call_default_factory=True)
    for name, field in ApiDocument.model_fields.items()
    if name not in _OWN_KEYS
}


class FileError(Exception):
    """A definition file cannot be imported; each line of the text is one problem."""

    def __init__(self, file: Path | str, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{file}: {problem}" for problem in self.problems))


@dataclass(frozen=True)
class _Section(Generic[D]):
    """A list of a file: its key, and what its entries are; ``short`` names one of them in a problem."""

    key: str
    kind: type[D]
    short: str
    noun: str

    def title(self, index: int, entry: Any) -> str:
        """Return the title of an entry in problems: its name, else its place."""
        name = entry.get("name") if isinstance(entry, dict) else None
        return f"{self.short} {name!r}" if isinstance(name, str) else f"{self.key}[{index}]"


@dataclass(frozen=True, slots=True)
class _Entries(Generic[D]):
    """Entries of a section: documents by name, keys of those that are none by title, and what is wrong with them."""

    documents: dict[str, D]
    faulty: dict[str, dict[str, Any]]
    problems: list[Problem]


_APIS = _Section("apis", ApiDocument, "API", "API")
_CLIENTS = _Section("clients", ClientDocument, "client", "client app")


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan of an import, against what is ``stored``: everything in it has been checked.

    ``defaults`` are None where the file has none; ``new_defaults`` says that they differ from those that are stored.
    ``opens`` has, by the name of an API that is new or changed, what callers may do then and may not do now.
    """

    stored: store.Stored
    documents: list[dict[str, Any]]
    changes: store.Changes
    clients: ClientChanges
    defaults: dict[str, Any] | None
    new_defaults: bool
    opens: Openings

    def changes_nothing(self) -> bool:
        """True if all is as the file says."""
        apis = self.changes.created or self.changes.updated or self.changes.deleted
        return not (apis or self.clients.created or self.clients.updated or self.new_defaults)

    def unchanged(self) -> list[str]:
        """Return the names of the file's APIs that are stored as they are."""
        changed = {*self.changes.created, *self.changes.updated}
        return [document["name"] for document in self.documents if document["name"] not in changed]

    def updates(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """Return the stored and the file's document of each API that is updated."""
        old = {str(api.document["name"]): api.document for api in self.stored.apis}
        new = {str(document["name"]): document for document in self.documents}
        return {name: (old[name], new[name]) for name in self.changes.updated}

    def differing_keys(self) -> dict[str, list[str]]:
        """Return the keys that change of each API that is updated."""
        return {
            name: [key for key in {**new, **old} if old.get(key) != new.get(key)]
            for name, (old, new) in self.updates().items()
        }


def read(file: Path) -> str:
    """Return the text of a definition file; raises FileError."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileError(file, Problem((), f"is not YAML: {error}")) from error


def parse(text: str, file: Path | str) -> dict[str, Any]:
    """Parse a definition file, of which only the keys at the top are checked; raises FileError."""
    try:
        content = yaml_text.parse(text)
    except yaml_text.NotYaml as error:
        raise FileError(file, Problem((), f"is not YAML: {error}")) from error
    if not isinstance(content, dict):
        raise FileError(file, Problem((), "must be a mapping with the key apis"))
    unknown = [str(key) for key in content if key not in _TOP_LEVEL]
    if unknown:
        known = ", ".join(_TOP_LEVEL)
        raise FileError(file, *(Problem((), f"unknown key {key!r}; known are {known}") for key in unknown))
    return content


def import_content(content: dict[str, Any], file: Path | str, root: Environment, *, prune: bool) -> Plan:
    """Create or update the APIs, client apps and defaults of a file, all in the transaction of ``root``.

    ``content`` is what ``parse`` returns, which takes seconds that nobody else should wait for. With ``prune``, APIs
    that it does not name are deleted. Nobody else writes definitions meanwhile. Raises FileError with every problem
    found, as what the transaction is to be rolled back for; who only wants to know what would change rolls it back too.
    """
    store.claim(root.cr)
    planned = _plan(content, file, _in_present_form(store.load(root.cr)), root, prune=prune)
    store.write(root.cr, planned.stored, planned.documents, planned.changes, defaults=planned.defaults)
    return planned


def _in_present_form(stored: store.Stored) -> store.Stored:
    """Stored definitions with all keys that an API has by now: to name a new one with its default is no change."""

    def present(document: dict[str, Any]) -> dict[str, Any]:
        try:
            return ApiDocument.model_validate(document).model_dump(mode="json")
        except ValidationError:  # of another version: a file can only replace it
            return document

    return replace(stored, apis=tuple(replace(api, document=present(api.document)) for api in stored.apis))


def _plan(content: dict[str, Any], file: Path | str, stored: store.Stored, root: Environment, *, prune: bool) -> Plan:
    """Check a definition file against the stored definitions, and write its client apps."""
    file_defaults = _defaults(file, content.get("defaults"))
    defaults_before = stored_defaults(stored)
    defaults = defaults_before if file_defaults is None else file_defaults
    apps = _read(file, _CLIENTS, content.get("clients", []))
    apis = _read(file, _APIS, content.get("apis", [] if content.get("clients") else None), defaults)
    others = () if prune else tuple(api for api in stored.apis if api.document["name"] not in apis.documents)
    client_changes, problems = client_entries.write(root, apps.documents.values())
    known = None if apps.faulty else {client.name: client for client in clients.every(root.cr)}
    source = OdooSource(root, {})
    definitions = {name: compile_document(each, source, importing=True) for name, each in apis.documents.items()}
    problems = [*apps.problems, *apis.problems, *problems, *_misfits(apis, source)]
    problems += _problems(definitions, others, known, source)
    if problems:
        raise FileError(file, *problems)
    documents = apis.documents
    dumped = [document.model_dump(mode="json") for document in documents.values()]
    changes = store.changes(stored, dumped, prune=prune)
    return Plan(
        stored=stored,
        documents=dumped,
        changes=changes,
        clients=client_changes,
        defaults=file_defaults,
        new_defaults=defaults != defaults_before,
        opens=opened.of_apis(
            [definitions[name] for name in (*changes.created, *changes.updated)], stored.apis, root, source
        ),
    )


def export_text(stored: store.Stored, known_clients: Iterable[ClientDocument]) -> str:
    """Return the YAML that imports into the same; keys that have their default value are left out."""
    defaults = stored_defaults(stored)
    apis = [_shown(ApiDocument.model_validate(api.document), defaults) for api in stored.apis]
    content: dict[str, Any] = {"defaults": defaults} if defaults else {}
    if shown_clients := [client.model_dump(mode="json", exclude_defaults=True) for client in known_clients]:
        content["clients"] = shown_clients
    content["apis"] = apis
    return yaml_text.dump(content)


def _shown(document: ApiDocument, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an API that have another value than by default."""
    shown = document.model_dump(mode="json")
    for name, value in {**_BUILT_IN, **effective_values(defaults)}.items():
        if getattr(document, name) == value:
            del shown[name]
    if document.method is None:
        del shown["method"]
    if "endpoints" in shown:  # those that are as they are by themselves need not be named
        shown["endpoints"] = document.endpoints.model_dump(exclude_defaults=True) or shown["endpoints"]
    shown["models"] = [entry.model_dump(mode="json", exclude_defaults=True) for entry in document.models]
    if not document.models:
        del shown["models"]
    return shown


def text_of(values: Mapping[str, Any]) -> str:
    """Return one API as ``export_text`` writes it, whether it is valid or not: what can't be read stands as it is."""
    part = readable(values)
    if part is None:
        return yaml_text.dump({"apis": [dict(values)]})
    shown = _shown(part.document, {})
    for place in part.left_out:
        if len(place) == 3:
            shown["models"][place[1]][place[2]] = values["models"][place[1]][place[2]]
        elif len(place) == 2:
            shown["models"][place[1]] = values["models"][place[1]]
        elif place[0] in values:
            shown[str(place[0])] = values[str(place[0])]
    known = [name for name in ApiDocument.model_fields if name in shown]
    return yaml_text.dump({"apis": [{name: shown[name] for name in dict.fromkeys([*known, *shown])}]})


def client_documents(root: Environment) -> list[ClientDocument]:
    """Return the client apps as a file would name them."""
    found = clients.every(root.cr)
    logins = users.logins(root, {client.uid for client in found if client.uid})
    return [
        ClientDocument(
            name=client.name,
            active=client.active,
            lifetime=client.lifetime,
            scopes=list(client.scopes),
            # One whose user is gone: an import says so, and does not take the client app to have none.
            user=logins.get(client.uid, f"user {client.uid}") if client.uid else None,
            redirect_uris=list(client.redirect_uris),
            resource_optional=client.resource_optional,
            metadata_hosts=list(client.metadata_hosts),
        )
        for client in found
    ]


def _defaults(file: Path | str, given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise FileError(file, Problem(("defaults",), "must be a mapping"))
    own = sorted(str(key) for key in given if key in _OWN_KEYS)
    if own:
        raise FileError(
            file, *(Problem((key,), "belongs to each API and can have no default", _DEFAULTS) for key in own)
        )
    wrong = default_problems(given)
    if wrong:
        raise FileError(file, *(problem.of(_DEFAULTS) for problem in wrong))
    return given


def _read(
    file: Path | str, section: _Section[D], entries: Any, defaults: Mapping[str, Any] = MappingProxyType({})
) -> _Entries[D]:
    """Return the entries of a section, and all that is wrong in them by themselves; raises FileError for no list."""
    if not isinstance(entries, list):
        raise FileError(file, Problem((section.key,), f"must be a list of {section.noun}s"))
    found: _Entries[D] = _Entries({}, {}, [])
    for index, entry in enumerate(entries):
        title = section.title(index, entry)
        if not isinstance(entry, dict):
            found.problems.append(Problem((section.key, index), "must be a mapping of keys to values"))
            continue
        try:
            document = section.kind.model_validate({**defaults, **entry})
        except ValidationError as error:
            found.problems.extend(problem.of(title) for problem in shape_problems(error))
            found.faulty[title] = {**defaults, **entry}
            continue
        if document.name in found.documents:
            message = f"another {section.noun} of this file has the same name"
            found.problems.append(Problem(("name",), message, title))
        found.documents[document.name] = document
    return found


def _misfits(apis: _Entries[ApiDocument], source: OdooSource) -> list[Problem]:
    """Return misfits with Odoo of what can be read of APIs with other mistakes."""
    found = []
    for title, values in apis.faulty.items():
        part = readable(values)
        if part is not None:
            misfits = compile_document(part.document, source, importing=True).problems
            found += [problem.of(title) for problem in misfits if part.is_about(problem)]
    return found


def _problems(
    definitions: Mapping[str, Definition],
    others: Iterable[store.StoredApi],
    known_clients: Mapping[str, Client] | None,
    source: OdooSource,
) -> list[Problem]:
    """Return misfits with Odoo, and routes that are claimed twice, also by APIs that are there already.

    ``known_clients`` is None where some of the file's can't be read: nobody can say then which are missing.
    """
    found: list[Problem] = []
    for name, definition in definitions.items():
        unfit = [] if known_clients is None else allowed_clients.problems(definition.document, known_clients)
        found += [problem.of(f"API {name!r}") for problem in (*definition.problems, *unfit)]
    published = list(definitions.values())
    for other in others:
        published.append(compile_document(ApiDocument.model_validate(other.document), source))
    return found + [
        Problem(("route",), f"{path} is also claimed by API {second.name!r}", f"API {first.name!r}")
        for first, second, path in conflicts(published)
    ]
