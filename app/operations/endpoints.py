"""The endpoints of a definition: a method, a path and a view for each operation that it has switched on."""

from __future__ import annotations

from app.definitions.definition import Definition, Endpoint, Operation

#: (operation, method, path below the model's base, view, is a bulk form)
_REST = (
    (Operation.SEARCH, "GET", "", "rest.search", False),
    (Operation.CREATE, "POST", "", "rest.create", False),
    (Operation.UPDATE, "PATCH", "", "rest.update_many", True),
    (Operation.DELETE, "DELETE", "", "rest.delete_many", True),
    (Operation.READ, "GET", "/bulk", "rest.read_many", True),
    (Operation.READ, "GET", "/<public_id>", "rest.read", False),
    (Operation.UPDATE, "PATCH", "/<public_id>", "rest.update", False),
    (Operation.DELETE, "DELETE", "/<public_id>", "rest.delete", False),
)

_CHANGES = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE})


def endpoints(definition: Definition) -> list[Endpoint]:
    """Return every endpoint that a published API serves; what is switched off is not among them."""
    document = definition.document
    if document.type == "key_authentication":
        return [Endpoint(definition, Operation.LOGIN, "POST", document.route, "session.authenticate_with_key")]
    if document.type == "rpc":
        return _rpc_endpoints(definition)
    several = len(document.models) > 1
    found = []
    for entry in document.models:
        base = f"{document.route}/{entry.model}" if several else document.route
        exposure = definition.exposures.get(entry.model)
        for operation, method, suffix, view, bulk in _REST:
            served = getattr(document.endpoints, operation.value) and (document.bulk or not bulk)
            if served and not (exposure and exposure.read_only and operation in _CHANGES):
                found.append(Endpoint(definition, operation, method, base + suffix, view, exposure))
    return found


def _rpc_endpoints(definition: Definition) -> list[Endpoint]:
    document = definition.document
    exposure = definition.exposures.get(document.models[0].model)
    forms = [("", "rpc.call_model"), ("/<public_id>", "rpc.call_record")]
    if document.bulk:
        forms.append(("/bulk", "rpc.call_many"))
    return [
        Endpoint(definition, Operation.RPC, method, document.route + suffix, view, exposure)
        for method in document.http_methods
        for suffix, view in forms
    ]
