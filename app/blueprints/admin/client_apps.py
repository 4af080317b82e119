"""Client apps for the panel: what is shown of them, and what is changed, each in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from app.analytics import history
from app.blueprints.admin import transactions
from app.blueprints.admin.confirmation import listed
from app.catalog import store
from app.clients import consents, live_tokens
from app.clients import store as clients
from app.clients.document import ClientDocument
from app.clients.store import Client
from app.definitions.definition import Definition
from app.definitions.problems import Problem
from app.editing import allowed_clients, client_apps
from app.editing.client_apps import Refused
from app.errors import NotFound
from app.openapi.first_call import FirstCall, first_call
from app.operations.endpoints import Endpoint, endpoints
from app.web.services import services
from odoo_bridge import users
from odoo_bridge.transaction import Environment

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Details:
    """A client app, its user's login, its APIs, tokens and consents; ``people`` maps uids to logins."""

    client: Client
    user: str
    apis: list[str]
    has_secret: bool
    tokens: list[live_tokens.LiveToken]
    consents: list[tuple[int, tuple[str, ...], Any]]
    people: dict[int, str]

    @property
    def version(self) -> str:
        """Text that tells this state from others: a form says with it what its reader has seen."""
        return _version(self.client, self.apis)

    @property
    def last_used(self) -> datetime | None:
        """The last use of any of its live tokens, right to a minute."""
        return max((token.last_used for token in self.tokens if token.last_used), default=None)


class Changed(Exception):
    """Somebody else has changed the client app since the form was opened."""


def listing() -> list[tuple[Client, str, list[str]]]:
    """Return all client apps with the login of their user and the APIs that they may call."""

    def work(root: Environment) -> list[tuple[Client, str, list[str]]]:
        apis, found = _apis_by_client(root), clients.every(root.cr)
        logins = _logins(root, (client.uid for client in found))
        return [(client, logins.get(client.uid or 0, ""), apis.get(client.name, [])) for client in found]

    return transactions.look(work)


def details(client_id: int) -> Details:
    """Return all about one client app; raises NotFound."""

    def work(root: Environment, client: Client) -> Details:
        tokens = live_tokens.live_tokens(root.cr, client)
        consents = live_tokens.consents_of(root.cr, client)
        people = _logins(root, (client.uid, *(token.uid for token in tokens), *(uid for uid, _, _ in consents)))
        return Details(
            client=client,
            user=people.get(client.uid or 0, ""),
            apis=_apis_by_client(root).get(client.name, []),
            has_secret=clients.has_secret(root.cr, client),
            tokens=tokens,
            consents=consents,
            people=people,
        )

    return with_client(client_id, work, keep=False)


def api_choices() -> dict[str, str]:
    """Return the APIs that a client app can be connected to: labels by name."""

    def work(root: Environment) -> dict[str, str]:
        documents = [api.document for api in store.load(root.cr).apis]
        found = {str(document["name"]): document for document in documents if document["type"] != "key_authentication"}
        return {name: _label(name, found[name]) for name in sorted(found)}

    return transactions.look(work)


def create(document: ClientDocument, apis: Iterable[str], *, public: bool) -> tuple[int, str | None]:
    """Create a client app and return its id and secret; raises Refused."""
    if public and not document.redirect_uris:
        raise Refused(Problem(("public",), "without a secret an app can't act by itself: it needs a redirect address"))

    def work(root: Environment) -> tuple[int, str | None]:
        client = client_apps.create(root, document, apis)
        return client.id, None if public else clients.new_secret(root.cr, services().hasher(), client, overlap=0)

    return transactions.change(work)


def idle_reasons(scopes: Iterable[str], apis: Sequence[str], *, acts: bool) -> list[str]:
    """Return the reasons for which a client app can't call anything with its token; none where it can.

    ``acts`` says that there is an Odoo user to act as, its own or a person who gives consent.
    """
    if not apis:
        reasons = ["It is connected to no API."]
        if not acts:
            reasons.append("It acts as no Odoo user: APIs that name none either answer client_without_user.")
        return reasons
    known = {each.name: each for each in services().catalog.snapshot.definitions.values()}
    definitions = [known[name] for name in apis if name in known]
    if all(each.document.authentication == "public" for each in definitions):
        return [f"It is connected to public APIs alone ({listed(apis)}), which look at no token."]
    if not any(_opened(each, scopes) for each in definitions):
        return [f"None of its scopes opens an endpoint of {listed(apis)}."]
    return []


def first_call_of(details: Details) -> FirstCall | None:
    """Return a call that a client app may make by itself, with a record that is there, or None.

    That of a published API comes first, and of these one that changes nothing.
    """
    client = details.client
    found = [each for each in services().catalog.snapshot.definitions.values() if each.name in details.apis]
    asking = [each for each in found if each.document.authentication == "user" and not each.problems]
    acting = [each for each in sorted(asking, key=lambda each: each.name) if (each.run_as or client.uid) is not None]
    served = [endpoint for each in acting for endpoint in _opened(each, client.scopes)]
    return first_call(services().transactions, served, client.uid, harmless=False)


def update(client_id: int, seen: str, document: ClientDocument, apis: Iterable[str]) -> None:
    """Change a client app's name and rights as of a version; raises Refused and Changed."""

    def work(root: Environment, client: Client) -> None:
        _check_version(root, client, seen)
        renamed = client_apps.rename(root, client, document.name)
        changed = client_apps.change(root, renamed, document.model_copy(update={"active": client.active}))
        _connect(root, changed, apis)

    with_client(client_id, work)


def delete(client_id: int, seen: str) -> str:
    """Delete a client app as of a version, and return its name; raises Changed."""

    def work(root: Environment, client: Client) -> str:
        _check_version(root, client, seen)
        client_apps.delete(root, client)
        return client.name

    return with_client(client_id, work)


def withdraw(client_id: int, uid: int) -> None:
    """Withdraw a person's consent; the history knows."""

    def work(root: Environment, client: Client) -> None:
        given = {person: list(scopes) for person, scopes, _ in live_tokens.consents_of(root.cr, client)}
        if uid not in given:
            raise NotFound("There is no such consent.")
        consents.withdraw(root.cr, client.id, uid)
        login = _logins(root, [uid])[uid]
        history.note_client(root.cr, client.name, {f"consent of {login}": given[uid]}, {f"consent of {login}": []})

    with_client(client_id, work)


def with_client(client_id: int, work: Callable[[Environment, Client], T], *, keep: bool = True) -> T:
    """Run work on a client app in a transaction; raises NotFound."""

    def within(root: Environment) -> T:
        client = clients.by_id(root.cr, client_id)
        if client is None:
            raise NotFound("There is no such client app.")
        return work(root, client)

    return transactions.change(within) if keep else transactions.look(within)


def _opened(definition: Definition, scopes: Iterable[str]) -> list[Endpoint]:
    """Return the endpoints of an API that a token with these scopes opens."""
    held = set(scopes)
    return [
        each
        for each in endpoints(definition)
        if each.action.scopes and all(scope.value in held for scope in each.action.scopes)
    ]


def _label(name: str, document: Mapping[str, Any]) -> str:
    if document["authentication"] == "public":
        return f"{name} (public: looks at no token)"
    return name if document["published"] else f"{name} (draft)"


def _version(client: Client, apis: Iterable[str]) -> str:
    return hashlib.sha256(repr((client, sorted(apis))).encode()).hexdigest()[:32]


def _check_version(root: Environment, client: Client, seen: str) -> None:
    if _version(client, _apis_by_client(root).get(client.name, [])) != seen:
        raise Changed


def _connect(root: Environment, client: Client, apis: Iterable[str]) -> None:
    """Let a client app call these APIs and no others."""
    wanted = list(apis)
    before = _apis_by_client(root).get(client.name, [])
    allowed_clients.disallow(root.cr, client, [name for name in before if name not in wanted])
    problems = allowed_clients.allow(root.cr, client, wanted) + allowed_clients.unfit_now(root.cr, client)
    if problems:
        raise Refused(*dict.fromkeys(problems))


def _apis_by_client(root: Environment) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for api in store.load(root.cr).apis:
        for name in api.document["clients"]:
            found.setdefault(name, []).append(str(api.document["name"]))
    return found


def _logins(root: Environment, uids: Iterable[int | None]) -> dict[int, str]:
    """Return the logins of users by uid; one that is gone is called by its number."""
    wanted = {uid for uid in uids if uid}
    known = users.logins(root, wanted)
    return {uid: known.get(uid, f"user {uid}") for uid in wanted}
