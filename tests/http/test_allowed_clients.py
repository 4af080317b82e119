"""Client apps that an API allows: admins who change the list at once lose nothing of each other's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from app.catalog import store
from app.clients.document import ClientDocument
from app.editing import client_apps
from app.web.routing import Gatehouse
from tests import stored_apis


def test_two_client_apps_that_are_allowed_at_once_are_both(
    app: Gatehouse, publish: Callable[..., str], sql: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish(fields=["name"])
    (api,) = (each for each in stored_apis.load(app).apis if each.document["route"] == route)
    both_have_read = threading.Barrier(2, timeout=30)
    tries: list[str] = []
    named = store.named

    def read_together(cr: Any, names: Iterable[str]) -> dict[str, store.StoredApi]:
        found = named(cr, names)
        tries.append(threading.current_thread().name)
        if len(tries) <= 2:
            both_have_read.wait()  # what each writes is made from the same state
        return found

    monkeypatch.setattr(store, "named", read_together)
    apps = [ClientDocument(name=f"{uuid.uuid4()}", user="demo") for _ in range(2)]

    def allow(document: ClientDocument) -> None:
        app.services.transactions.run(lambda root: client_apps.create(root, document, [api.document["name"]]))

    threads = [threading.Thread(target=allow, args=(document,)) for document in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (now,) = (each for each in stored_apis.load(app).apis if each.id == api.id)
    assert set(now.document["clients"]) == {document.name for document in apps}
    assert now.revision == api.revision + 2
    assert len(tries) == 3  # the second of them was begun anew
    sql("DELETE FROM gatehouse.client WHERE name = ANY(%s)", [document.name for document in apps])
