"""Scopes: what a client app may be allowed to do, each with its meaning for people (RFC 6749 3.3)."""

from __future__ import annotations

from enum import Enum


class Scope(str, Enum):
    """One scope. Its value stands in tokens and definitions; ``meaning`` completes "it may …"."""

    meaning: str

    CREATE = "create", "create records"
    READ = "read", "read records that it knows"
    UPDATE = "update", "change records"
    DELETE = "delete", "delete records"
    SEARCH = "search", "search and list records"
    RPC = "rpc", "call methods"
    EXPORT = "export", "export all records at once"

    def __new__(cls, value: str, meaning: str) -> Scope:
        """Make a member of its value and its meaning."""
        scope = str.__new__(cls, value)
        scope._value_ = value
        scope.meaning = meaning
        return scope

    @property
    def changes_records(self) -> bool:
        """True if it is of no use where records can only be read."""
        return self in (Scope.CREATE, Scope.UPDATE, Scope.DELETE)


#: All scopes as text, in the order in which they are shown.
SCOPES = tuple(scope.value for scope in Scope)
#: Those that a client app has unless it is said which.
DEFAULT_SCOPES = tuple(scope for scope in SCOPES if scope != Scope.EXPORT)
