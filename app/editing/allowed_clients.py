"""Client apps that an API allows to call it: the key ``clients`` of the definitions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.catalog import store
from app.clients.store import Client
from app.definitions.document import ApiDocument
from app.definitions.problems import Problem


def allow(cr: Any, client: Client, apis: Iterable[str]) -> list[Problem]:
    """Let a client app call APIs by name, in the transaction of ``cr``; returns what is wrong."""
    problems = []
    names = list(dict.fromkeys(apis))
    found = store.named(cr, names)
    for name in names:
        if name not in found:
            problems.append(Problem(("apis",), f"There is no API {name!r}."))
            continue
        document = found[name].document
        if client.name in document["clients"]:
            continue
        problem = unfit(ApiDocument.model_validate(document), client)
        if problem:
            problems.append(Problem(("apis",), f"API {name!r}: {problem}"))
            continue
        store.update(cr, found[name].id, {**document, "clients": [*document["clients"], client.name]})
    return problems


def disallow(cr: Any, client: Client, apis: Collection[str]) -> None:
    """Let a client app call these APIs no more, in the transaction of ``cr``."""
    for api in store.allowing(cr, client.name):
        if api.document["name"] in apis:
            others = [name for name in api.document["clients"] if name != client.name]
            store.update(cr, api.id, {**api.document, "clients": others})


def disallow_all(cr: Any, client: Client) -> list[str]:
    """Let no API name a client app any more, in the transaction of ``cr``; return the names of those that did."""
    names = [str(api.document["name"]) for api in store.allowing(cr, client.name)]
    disallow(cr, client, names)
    return names


def rename(cr: Any, client: Client, name: str) -> None:
    """Let all definitions that name a client app name it so, at the same place, in the transaction of ``cr``."""
    for api in store.allowing(cr, client.name):
        renamed = [name if each == client.name else each for each in api.document["clients"]]
        store.update(cr, api.id, {**api.document, "clients": renamed})


def unfit_now(cr: Any, client: Client) -> list[Problem]:
    """Return the problems of the APIs that a client app may call, after it was changed itself."""
    documents = [ApiDocument.model_validate(api.document) for api in store.allowing(cr, client.name)]
    found = [(document.name, unfit(document, client)) for document in documents]
    return [Problem(("apis",), f"API {name!r}: {problem}") for name, problem in found if problem]


def problems(document: ApiDocument, known: Mapping[str, Client]) -> list[Problem]:
    """Return the problems of the client apps that an API names."""
    found = []
    for name in document.clients:
        client = known.get(name)
        problem = f"there is no client app {name!r}" if client is None else unfit(document, client)
        if problem:
            found.append(Problem(("clients",), problem))
    return found


def unfit(document: ApiDocument, client: Client) -> str | None:
    """Return the reason for which an API can't allow a client app, or None.

    Somebody has to execute its calls: the API's ``run_as``, the client's user, or the person who gives consent.
    """
    if document.run_as is None and client.uid is None and not (client.redirect_uris or client.metadata_hosts):
        return f"client app {client.name!r} acts as no user, and the API names none (run_as)"
    return None
