"""The request that makes several calls at once."""

from __future__ import annotations

from app.operations.actions import CREATE, DELETE, READ
from app.postman.requests import Items, Tried
from app.postman.scripts import answer_test


def of_model(tried: Tried) -> Items:
    """Return a batch that creates a record, reads it and deletes it, where it is sure to be found in between."""
    create, read, delete = (tried.endpoint(action) for action in (CREATE, READ, DELETE))
    if create is None or read is None or delete is None or tried.exposure is None or tried.exposure.domain:
        return []
    steps = [
        {"ref": "new", "method": create.method, "path": create.path, "body": tried.body(creating=True)},
        {"method": read.method, "path": read.path_with("@{new.id}")},
        {"method": delete.method, "path": delete.path_with("@{new.id}")},
    ]
    test = answer_test([200], refusable=bool(tried.unwritable))
    return [tried.request("Create, read and delete in one batch", create, "/api/batch", test, body={"steps": steps})]
