"""Settings: read once from the environment, checked at start-up, frozen afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from app.networks import Networks

#: What no message shows.
_SECRETS = frozenset({"secret_key", "metrics_token"})
#: What would be right, by the types of pydantic's errors; the names are those of their contexts.
_WORDS = {
    "int_parsing": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be greater than or equal to {ge:g}",
    "less_than_equal": "must be less than or equal to {le:g}",
    "string_too_short": "must have at least {min_length} characters",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}

#: Addresses to listen on that mean all of the machine's, and the one to call it by from there.
_ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  they are recognised, not bound to


_ORIGIN = re.compile(r"https?://[^/?#\s@*,]+")


class ConfigError(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


def _names(text: str) -> str:
    if not all(name.strip() for name in text.split(",")):
        raise ValueError("must be names with commas between them")
    return text


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("must have ASCII characters alone")
    return text


def _networks(text: str) -> str:
    Networks.parse(text)
    return text


def _origins(text: str) -> str:
    wrong = next((origin for origin in _listed(text) if not _ORIGIN.fullmatch(origin)), None)
    if wrong is not None:
        raise ValueError(f"must be origins like https://app.example.com with commas between them ({wrong!r} is none)")
    return text


def _listed(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",") if part.strip()]


Amount = Annotated[int, Field(ge=1)]
Number = Annotated[int, Field(ge=0)]
Limit = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, slots=True, config=ConfigDict(allow_inf_nan=False))
class Settings:
    """All settings. Each is the environment variable ``GATEHOUSE_`` + its name in capitals; see docs/operations.md.

    Times are seconds, sizes are bytes. ``secret_key`` may be None: then a random key is kept in the database.
    ``calls_per_caller`` 0 stands for half of the threads.
    """

    odoo_conf: Path
    database: str | None = None
    odoo_source: str | None = None
    secret_key: Annotated[str, StringConstraints(min_length=32)] | None = None
    bind: str = "127.0.0.1:8070"
    workers: Amount = 2
    threads: Amount = 4
    max_body_size: Amount = 32 * 1024 * 1024
    max_import_size: Amount = 1024 * 1024 * 1024
    min_free_space: Number = 64 * 1024 * 1024
    statement_timeout: Limit = 30.0
    call_timeout: Limit = 60.0
    export_timeout: Limit = 900.0
    import_timeout: Limit = 21_600.0
    stream_timeout: Limit = 3_600.0
    batch_steps: Annotated[int, Field(ge=1, le=1000)] = 50
    calls_per_caller: Number = 0
    signaling_interval: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    catalog_interval: Annotated[float, Field(gt=0, le=1)] = 0.25
    trusted_proxies: Number = 0
    hosts: Annotated[str, AfterValidator(_names)] | None = None
    webhook_networks: Annotated[str, AfterValidator(_networks)] = ""
    metadata_networks: Annotated[str, AfterValidator(_networks)] = ""
    mcp_origins: Annotated[str, AfterValidator(_origins)] = ""
    mcp_rows: Annotated[int, Field(ge=1, le=1000)] = 50
    mcp_bytes: Annotated[int, Field(ge=1000)] = 50_000
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    redis_url: str | None = None
    metrics_token: Annotated[str, StringConstraints(min_length=16), AfterValidator(_ascii)] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    access_log: bool = False
    slow_call: Seconds = 1.0
    fast: Literal["on", "off"] = "on"

    @property
    def at_once(self) -> int:
        """Calls of one caller that a process has under way at most."""
        return self.calls_per_caller or max(1, self.threads // 2)

    @property
    def agents_origins(self) -> frozenset[str]:
        """Origins that pages may call the MCP server from, besides its own."""
        return frozenset(_listed(self.mcp_origins))

    @property
    def address(self) -> str:
        """Address of the server, for documents that no request asks for: by the first name of ``hosts``, else ``bind``.

        Behind trusted proxies the name is reached by HTTPS at its own port.
        """
        host, _, port = self.bind.split(",")[0].strip().rpartition(":")
        names = [name.strip() for name in (self.hosts or "").split(",")]
        name = next((name for name in names if name and not name.startswith((".", "*"))), None)
        if name is not None and self.trusted_proxies:
            return f"https://{name}"
        if not port.isdecimal():  # a socket of the file system
            host, port = "", "8070"
        return f"http://{name or _ANY.get(host, host)}:{port}"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"GATEHOUSE_{name.upper()}"


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment names; raises ConfigError."""
    if not environ.get(variable("odoo_conf")):
        raise ConfigError(
            "GATEHOUSE_ODOO_CONF is not set: name Odoo's configuration file, for example /etc/odoo/odoo.conf. "
            "For a demonstration on this machine, run `make serve`."
        )
    given = {field.name: environ.get(variable(field.name)) for field in fields(Settings)}
    values: dict[str, Any] = {name: text for name, text in given.items() if text}
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentence(str(each["loc"][0]), each) for each in error.errors())) from None


def _sentence(name: str, error: ErrorDetails) -> str:
    """Return an error of a setting in a sentence: its name, and the values that it takes."""
    words = _WORDS.get(error["type"])
    said = words.format(**error.get("ctx", {})) if words else error["msg"]
    shown = "" if name in _SECRETS else f", not {error['input']!r}"
    return f"{variable(name)} {said}{shown}."
