"""Client apps for the panel: what is shown of them, and what is changed, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.analytics import history
from app.blueprints.admin import transactions
from app.catalog import store
from app.clients import consents, live_tokens
from app.clients import store as clients
from app.clients.document import ClientDocument
from app.clients.store import Client
from app.definitions.problems import Problem
from app.editing import allowed_clients, client_apps
from app.editing.client_apps import Refused
from app.errors import NotFound
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


def api_names() -> list[str]:
    """Return the names of the APIs that a client app can be connected to."""

    def work(root: Environment) -> list[str]:
        documents = [api.document for api in store.load(root.cr).apis]
        return sorted(str(document["name"]) for document in documents if document["type"] != "key_authentication")

    return transactions.look(work)


def create(document: ClientDocument, apis: Iterable[str], *, public: bool) -> tuple[int, str | None]:
    """Create a client app and return its id and secret; raises Refused."""
    if public and not document.redirect_uris:
        raise Refused(Problem(("public",), "without a secret an app can't act by itself: it needs a redirect address"))

    def work(root: Environment) -> tuple[int, str | None]:
        client = client_apps.create(root, document, apis)
        return client.id, None if public else clients.new_secret(root.cr, services().hasher(), client, overlap=0)

    return transactions.change(work)


def update(client_id: int, document: ClientDocument, apis: Iterable[str]) -> None:
    """Change a client app's rights; its name stays. Raises Refused."""

    def work(root: Environment, client: Client) -> None:
        changed = client_apps.change(root, client, document.model_copy(update={"active": client.active}))
        _connect(root, changed, apis)

    with_client(client_id, work)


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
