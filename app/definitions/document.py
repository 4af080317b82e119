"""The API definition as an admin writes it: contract section 1, key by key.

These models check the shape alone; whether models, fields and users exist is the compiler's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from app import literals
from app.definitions.problems import refuse_contradictions

#: How deep ``related`` may go.
MAX_DEPTH = 3
#: What ``arguments`` says of an argument that can do no harm, in place of a model.
HARMLESS = "harmless"
#: What the names of the switches of bulk forms begin with; the operation follows.
BULK = "bulk_"
#: The key of Odoo's own external ids, among ``upsert_keys``; all others are fields.
EXTERNAL_ID = "external_id"
#: First parts of a path below /api/ that are Gatehouse's own.
RESERVED = ("docs", "openapi.json", "oauth2", "image", "binary", "batch", "webhooks", "mcp")
#: Context of a validation that looks at each key by itself, and not at what several say together.
EACH_KEY_ALONE = {"each_key_alone": True}

_ROUTE = re.compile(r"/api(/[A-Za-z0-9_.~-]+)+")
_RATE = re.compile(r"[1-9][0-9]{0,8}/(second|minute|hour|day)")
_NAME = re.compile(r"[^\s.]{1,200}")
_ORIGIN = re.compile(r"https?://[^/?#\s@*]+")


class Strict(BaseModel):
    """Frozen, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _related(value: Any) -> Any:
    """Bring ``related`` into its one form: nested mappings in lists; ``a.b: [c]`` is short for that."""
    if not isinstance(value, dict):
        raise ValueError("must map fields to lists of fields")
    tree: dict[str, list[Any]] = {}
    for key, items in value.items():
        if not isinstance(items, list) or not items:
            raise ValueError(f"{key}: must be a list of field names")
        first, _, rest = str(key).partition(".")
        tree.setdefault(first, []).extend([{rest: items}] if rest else items)
    return {key: _merge(items) for key, items in tree.items()}


def _merge(items: list[Any]) -> list[Any]:
    """Return field names, then one mapping per nested field."""
    names = list(dict.fromkeys(item for item in items if isinstance(item, str)))
    nested: dict[str, list[Any]] = {}
    for item in items:
        if isinstance(item, dict):
            for key, below in _related(item).items():
                nested.setdefault(key, []).extend(below)
        elif not isinstance(item, str):
            raise ValueError(f"{item!r} is neither a field name nor a mapping")
    return [*names, *({key: _merge(below)} for key, below in nested.items())]


class EndpointSwitches(Strict):
    """Switches of the operations, and of their bulk forms, each of which is served where its operation is."""

    search: bool = True
    read: bool = True
    create: bool = True
    update: bool = True
    delete: bool = True
    aggregate: bool = False
    export: bool = False
    delta: bool = False
    bulk_read: bool = True
    bulk_create: bool = True
    bulk_update: bool = True
    bulk_delete: bool = True


#: Switches of what shows single records, and so tells what groups of few records are left out for.
TELLING = ("search", "read", "export", "delta")
#: The names of all switches, in the order in which they are shown.
SWITCHES = tuple(EndpointSwitches.model_fields)


class ModelDocument(Strict):
    """One entry of ``models``. Its ``endpoints`` are the switches in which it differs from its API."""

    model: str = Field(min_length=1)
    fields: Literal["all"] | list[str] = []
    search_fields: list[str] | None = None
    writable_fields: list[str] | None = None
    upsert_keys: list[str] = []
    min_group_size: int = Field(default=1, ge=1, le=1_000_000)
    domain: list[Any] = []
    related: Annotated[dict[str, list[Any]], BeforeValidator(_related)] = {}
    endpoints: dict[str, bool] = {}

    @field_validator("endpoints")
    @classmethod
    def _known_switches(cls, switches: dict[str, bool]) -> dict[str, bool]:
        unknown = [name for name in switches if name not in SWITCHES]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; known are {', '.join(SWITCHES)}")
        return switches

    @field_validator("fields", "search_fields", "writable_fields", "upsert_keys")
    @classmethod
    def _no_duplicates(cls, names: Any) -> Any:
        if isinstance(names, list):
            twice = sorted(name for name, count in Counter(names).items() if count > 1)
            if twice:
                raise ValueError(f"named twice: {', '.join(twice)}")
            if "id" in names:
                raise ValueError("id is always part of a record and need not be named")
        return names

    @model_validator(mode="after")
    def _subsets(self, info: ValidationInfo) -> ModelDocument:
        if info.context != EACH_KEY_ALONE:
            refuse_contradictions(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[tuple[str, str]]:
        """Yield the contradictions between keys: the key at fault, and the message."""
        if self.fields != "all":
            exposed = set(self.fields)
            for key in ("search_fields", "writable_fields", "related"):
                extra = [name for name in getattr(self, key) or () if name not in exposed]
                if extra:
                    yield key, f"not among fields: {', '.join(extra)}"
        if _depth(self.related) > MAX_DEPTH:
            yield "related", f"goes deeper than {MAX_DEPTH} levels"


def _depth(related: dict[str, list[Any]]) -> int:
    below = [_depth(item) for items in related.values() for item in items if isinstance(item, dict)]
    return (1 + max(below, default=0)) if related else 0


class ApiDocument(Strict):
    """One API."""

    name: str = Field(min_length=1, max_length=200)
    route: str
    type: Literal["rest", "rpc", "key_authentication"] = "rest"
    mode: Literal["production", "test"] = "production"
    published: bool = False
    authentication: Literal["public", "user"] = "user"
    run_as: str | None = None
    clients: list[str] = []
    statistics: bool = True
    log_bodies: bool = False
    masked_fields: list[str] = []
    id_obfuscation: bool = True
    bulk: bool = True
    binary: Literal["url", "base64"] = "url"
    empty_values: Literal["blank", "null"] = "blank"
    application_errors: Literal[200, 422] = 200
    page_size: int = Field(default=80, ge=1)
    max_page_size: int = Field(default=1000, ge=1, le=100_000)
    max_bulk: int = Field(default=1000, ge=1, le=100_000)
    chatter: bool = True
    webhooks: bool = False
    mcp: Literal[False, "read", "write"] = False
    mcp_approval: Literal["none", "ask", "person"] = "ask"
    rate_limit: str | None = None
    cors_origins: list[str] = []
    deprecated: str | None = None
    sunset: str | None = None
    http_methods: list[Literal["GET", "POST"]] = ["POST"]
    method: str | None = None
    arguments: dict[str, str] = {}
    endpoints: EndpointSwitches = EndpointSwitches()
    models: list[ModelDocument] = []

    @field_validator("route")
    @classmethod
    def _route_form(cls, route: str) -> str:
        if not _ROUTE.fullmatch(route) or any(part in (".", "..") for part in route.split("/")):
            raise ValueError("must start with /api/ and go on with letters, digits and _.~- between slashes")
        if route.split("/")[2] in RESERVED:
            raise ValueError(f"/api/{route.split('/')[2]} is Gatehouse's own")
        return route

    @field_validator("rate_limit")
    @classmethod
    def _rate_form(cls, rate: str | None) -> str | None:
        if rate is not None and not _RATE.fullmatch(rate):
            raise ValueError('must look like "100/minute" (second, minute, hour or day)')
        return rate

    @field_validator("deprecated", "sunset")
    @classmethod
    def _day_form(cls, day: str | None) -> str | None:
        found = literals.to_date(day)
        # Text, as files and the database keep it. Clients reckon in seconds since 1970 (RFC 9745 2.1).
        if day is not None and (found is None or found.isoformat() != day or found.year < 1970):
            raise ValueError("must be a date like 2026-12-31")
        return day

    @field_validator("masked_fields")
    @classmethod
    def _name_form(cls, names: list[str]) -> list[str]:
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a field: name it by itself, it is masked at any depth")
        return names

    @field_validator("cors_origins")
    @classmethod
    def _origin_form(cls, origins: list[str]) -> list[str]:
        if "*" in origins and len(origins) > 1:
            raise ValueError('"*" stands alone')
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin: scheme, host and port, without a path")
        return origins

    @cached_property
    def argument_models(self) -> dict[str, str]:
        """The arguments that are ids, and of which model; what is declared harmless is passed as it is."""
        return {name: model for name, model in self.arguments.items() if model != HARMLESS}

    def switched_on(self, entry: ModelDocument | None = None) -> frozenset[str]:
        """Return the names of the switches that let something be served: of one model, or of the API by itself.

        A model's own go before those of the API. A bulk form needs its operation's too, and ``bulk``.
        """
        switches = self.endpoints.model_dump() | (entry.endpoints if entry else {})
        on = {name for name, is_on in switches.items() if is_on}
        return frozenset(
            name for name in on if not name.startswith(BULK) or (self.bulk and name.removeprefix(BULK) in on)
        )

    def _that_tell_of_small_groups(self) -> list[str]:
        """Return the switches that are on and show single records of a model whose small groups are left out."""
        on = {name for entry in self.models if entry.min_group_size > 1 for name in self.switched_on(entry)}
        return [name for name in TELLING if name in on] + ["webhooks"] * (self.webhooks and bool(on))

    def is_followed(self, switches: Collection[str]) -> bool:
        """True if the changes of a model that has these switches can be asked for, or are sent."""
        return "delta" in switches or self.webhooks

    @property
    def keeps_nothing(self) -> bool:
        """True if nothing of a call remains, as the API is in test mode; a log-in can't be taken back."""
        return self.mode == "test" and self.type != "key_authentication"

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> ApiDocument:
        if info.context != EACH_KEY_ALONE:
            refuse_contradictions(self.contradictions())
        return self

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Yield the contradictions between keys, without those within ``models``: the key at fault, and the message."""
        return ((key, message) for is_wrong, key, message in self._possible_contradictions() if is_wrong)

    def _possible_contradictions(self) -> Iterator[tuple[bool, str, str]]:
        """Yield possible contradictions between keys: True where there is one, the key at fault, and the message."""
        count, is_rpc = len(self.models), self.type == "rpc"
        yield self.type == "key_authentication" and count > 0, "models", "an API of type key_authentication has none"
        yield self.type == "rest" and count == 0, "models", "an API of type rest needs at least one"
        yield is_rpc and count != 1, "models", "an API of type rpc has exactly one"
        named = self.method is not None
        yield is_rpc != named, "method", "names the one method of an API of type rpc, and is left out elsewhere"
        yield not is_rpc and bool(self.arguments), "arguments", "only a method has arguments"
        empty = any(entry.fields == [] for entry in self.models)
        yield not is_rpc and empty, "models", "fields: name at least one field, or all"
        switched = any(entry.endpoints for entry in self.models)
        yield is_rpc and switched, "models", "endpoints: a method has no operations to switch"
        keys = [key for entry in self.models for key in entry.upsert_keys]
        yield is_rpc and bool(keys), "models", "upsert_keys: a method names no records by keys"
        nobodys = self.authentication == "public" and EXTERNAL_ID in keys
        yield nobodys, "models", f"upsert_keys: {EXTERNAL_ID} is each caller's own, and the public is nobody"
        yield is_rpc and self.webhooks, "webhooks", "only an API of type rest has records to tell of"
        nobodys = self.authentication == "public" and self.webhooks
        yield nobodys, "webhooks", "they are client apps' own, and the public is nobody"
        yield is_rpc and self.mcp == "read", "mcp", "nobody knows whether a method only reads: write makes it a tool"
        no_tools = self.type == "key_authentication" and self.mcp is not False
        yield no_tools, "mcp", "a log-in is no tool"
        yield is_rpc and not self.http_methods, "http_methods", "at least one of GET and POST"
        yield len({entry.model for entry in self.models}) < count, "models", "a model is named twice"
        telling = self._that_tell_of_small_groups()
        yield bool(telling), "models", f"min_group_size: switch off what shows single records: {', '.join(telling)}"
        unlogged = self.log_bodies and not self.statistics
        yield unlogged, "log_bodies", "only calls that are logged (statistics) can have their bodies logged"
        yield self.page_size > self.max_page_size, "page_size", "is larger than max_page_size"
        is_early = bool(self.deprecated and self.sunset and self.sunset < self.deprecated)  # ISO dates sort as text
        yield is_early, "sunset", "is before the date from which the API is deprecated"
