"""The actions: each kind of endpoint that an API can have, named once. All that differs by kind is registered with it.

A new one is its operation, an ``Action`` in ``ACTIONS``, and a registration for each aspect: ``serves`` (the view),
``describes`` (its part of the OpenAPI document, from which the console takes its form) and ``requests`` (Postman).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from app.definitions.document import BULK
from app.definitions.scopes import Scope

T = TypeVar("T")
Kind = Literal["rest", "rpc", "key_authentication"]
#: The id of a record, where a path has one; and a key with its value, where that names the record.
PUBLIC_ID, KEY, VALUE = "<public_id>", "<key>", "<value>"
#: The blueprint that serves the APIs of each type.
_DOORS: dict[Kind, str] = {"rest": "rest", "rpc": "rpc", "key_authentication": "session"}


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of endpoint of the APIs of one type.

    ``scope`` is what a token needs; None where no token helps. ``second_scope`` is needed besides.
    ``method`` None stands for those that the definition names, ``suffix`` comes behind the route (and the model).
    ``bulk`` is served where the definition has bulk forms, ``takes_many`` says that an array in place of an object is
    its bulk form, ``reads`` that it changes nothing, and so that a replica can do it unless it is ``on_primary``.
    ``also`` are further methods that do the same at the same path: an endpoint each, with the same view, switches and
    scope. ``switch`` is its own, where it has not that of its scope.
    """

    kind: Kind
    name: str
    scope: Scope | None
    method: str | None
    suffix: str = ""
    bulk: bool = False
    takes_many: bool = False
    reads: bool = False
    also: tuple[str, ...] = ()
    switch: str | None = None
    second_scope: Scope | None = None
    on_primary: bool = False

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """All scopes that a token needs; none where no token helps."""
        return tuple(scope for scope in (self.scope, self.second_scope) if scope is not None)

    @property
    def view(self) -> str:
        """The name of its view in Flask: that of a blueprint comes first."""
        return f"{_DOORS[self.kind]}.{self.name}"

    @property
    def words(self) -> str:
        """Its name for people."""
        return self.name.replace("_", " ")

    @property
    def switches(self) -> tuple[str, ...]:
        """The switches in ``endpoints`` of its forms: it is served with the first; only REST has any."""
        if self.kind != "rest" or self.scope is None:
            return ()
        one, many = self.switch or self.scope.value, f"{BULK}{self.scope.value}"
        return (many,) if self.bulk else (one, many) if self.takes_many else (one,)

    @property
    def needed_switches(self) -> tuple[str, ...]:
        """The switches that all have to be on for it to be served."""
        return (*self.switches[:1], *((self.second_scope.value,) if self.second_scope else ()))

    @property
    def may_write(self) -> bool:
        """True if a call may change something that a rollback takes back, as it does not a log-in."""
        return not self.reads and self.kind != "key_authentication"

    @property
    def changes_records(self) -> bool:
        """True if it is of no use where records can only be read."""
        return self.scope is not None and self.scope.changes_records

    @property
    def on_one_record(self) -> bool:
        """True if the path names a record by its id."""
        return PUBLIC_ID in self.suffix

    @property
    def by_key(self) -> bool:
        """True if the path names a record by the value of a key: it is served for each key of the model."""
        return KEY in self.suffix


SEARCH = Action("rest", "search", Scope.SEARCH, "GET", reads=True, also=("QUERY",))
CREATE = Action("rest", "create", Scope.CREATE, "POST", takes_many=True)
#: What a create does with a body of lines too, at an address that has a description of its own.
IMPORT = Action("rest", "import", Scope.CREATE, "POST", "/import", bulk=True)
UPDATE_MANY = Action("rest", "update_many", Scope.UPDATE, "PATCH", bulk=True)
DELETE_MANY = Action("rest", "delete_many", Scope.DELETE, "DELETE", bulk=True)
AGGREGATE = Action(
    "rest", "aggregate", Scope.SEARCH, "GET", "/aggregate", reads=True, also=("QUERY",), switch="aggregate"
)
EXPORT = Action("rest", "export", Scope.EXPORT, "GET", "/export", reads=True)
#: On the primary: only there is known which transactions are under way.
DELTA = Action("rest", "delta", Scope.SEARCH, "GET", "/delta", reads=True, switch="delta", on_primary=True)
READ_MANY = Action("rest", "read_many", Scope.READ, "GET", "/bulk", bulk=True, reads=True)
READ = Action("rest", "read", Scope.READ, "GET", f"/{PUBLIC_ID}", reads=True)
UPDATE = Action("rest", "update", Scope.UPDATE, "PATCH", f"/{PUBLIC_ID}")
DELETE = Action("rest", "delete", Scope.DELETE, "DELETE", f"/{PUBLIC_ID}")
_BY_KEY = f"/by/{KEY}/{VALUE}"
READ_BY_KEY = Action("rest", "read_by_key", Scope.READ, "GET", _BY_KEY, reads=True)
UPSERT = Action("rest", "upsert", Scope.CREATE, "PUT", _BY_KEY, second_scope=Scope.UPDATE)
DELETE_BY_KEY = Action("rest", "delete_by_key", Scope.DELETE, "DELETE", _BY_KEY)

CALL = Action("rpc", "call", Scope.RPC, None)
CALL_ON_RECORD = Action("rpc", "call_on_record", Scope.RPC, None, f"/{PUBLIC_ID}")
CALL_ON_RECORDS = Action("rpc", "call_on_records", Scope.RPC, None, "/bulk", bulk=True)

LOG_IN = Action("key_authentication", "log_in", None, "POST")

#: All of them; those of one type in the order in which its endpoints are listed.
ACTIONS: tuple[Action, ...] = (
    SEARCH,
    CREATE,
    UPDATE_MANY,
    DELETE_MANY,
    AGGREGATE,
    EXPORT,
    DELTA,
    IMPORT,
    READ_MANY,
    READ,
    UPDATE,
    DELETE,
    READ_BY_KEY,
    UPSERT,
    DELETE_BY_KEY,
    CALL,
    CALL_ON_RECORD,
    CALL_ON_RECORDS,
    LOG_IN,
)


class Aspect(Generic[T]):
    """Registry of one aspect of the actions: a decorator that registers it, and a mapping that finds it."""

    def __init__(self, name: str) -> None:
        """``name`` is a verb: what is registered ``serves`` an action."""
        self.name = name
        self._registered: dict[Action, T] = {}
        ASPECTS.append(self)

    def __call__(self, *actions: Action) -> Callable[[T], T]:
        """Register the decorated function for these actions."""

        def register(value: T) -> T:
            self._registered.update(dict.fromkeys(actions, value))
            return value

        return register

    def __getitem__(self, action: Action) -> T:
        """Return the function that is registered for an action; raises LookupError that names the missing aspect."""
        if action not in self._registered:
            raise LookupError(f"Nothing {self.name} the action {action.view}.")
        return self._registered[action]

    def place(self, action: Action) -> int:
        """Return an action's place in the order of registration; raises LookupError that names what is missing."""
        self[action]  # which raises
        return list(self._registered).index(action)

    def missing(self) -> list[str]:
        """Return the views of the actions for which nothing is registered."""
        return [action.view for action in ACTIONS if action not in self._registered]


#: All aspects: each registers itself.
ASPECTS: list[Aspect[Any]] = []


def check_aspects() -> None:
    """Raise LookupError that names what is missing of any action: no call is to find it out."""
    missing = [f"Nothing {aspect.name} the action {view}." for aspect in ASPECTS for view in aspect.missing()]
    if missing:
        raise LookupError(" ".join(missing))
