"""Settings: read once from the environment, checked at start-up, frozen afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

_CHOICES = {
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    "log_format": ("text", "json"),
}
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class ConfigError(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Each is the environment variable ``GATEHOUSE_`` + its name in capitals; see the README.

    Times are seconds, sizes are bytes. ``secret_key`` may be None: then a random key is kept in the database.
    ``calls_per_caller`` 0 stands for half of the threads.
    """

    odoo_conf: Path
    database: str | None = None
    odoo_source: str | None = None
    secret_key: str | None = None
    bind: str = "127.0.0.1:8070"
    workers: int = 2
    threads: int = 4
    max_body_size: int = 32 * 1024 * 1024
    min_free_space: int = 64 * 1024 * 1024
    statement_timeout: float = 30.0
    call_timeout: float = 60.0
    calls_per_caller: int = 0
    signaling_interval: float = 0.1
    catalog_interval: float = 0.25
    trusted_proxies: int = 0
    hosts: str | None = None
    drain_seconds: float = 0.0
    redis_url: str | None = None
    metrics_token: str | None = None
    log_level: str = "INFO"
    log_format: str = "text"
    access_log: bool = False
    slow_call: float = 1.0

    def __post_init__(self) -> None:
        for name in ("workers", "threads", "max_body_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{variable(name)} must be 1 or more, not {getattr(self, name)}.")
        for name in ("statement_timeout", "call_timeout", "catalog_interval"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{variable(name)} must be more than 0 seconds, not {getattr(self, name)}.")
        if self.catalog_interval > 1:
            raise ConfigError(f"{variable('catalog_interval')} must not be more than 1 second.")
        for name in ("signaling_interval", "trusted_proxies", "slow_call", "calls_per_caller", "min_free_space"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{variable(name)} must not be negative, nor {getattr(self, name)}.")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(f"{variable(name)} must be one of {', '.join(known)}, not {getattr(self, name)!r}.")
        if self.hosts is not None and not all(name.strip() for name in self.hosts.split(",")):
            raise ConfigError(f"{variable('hosts')} must be names with commas between them, not {self.hosts!r}.")
        if not 0 <= self.drain_seconds <= 3600:
            raise ConfigError(f"{variable('drain_seconds')} must be 0 to 3600 seconds, not {self.drain_seconds}.")
        if self.secret_key is not None and len(self.secret_key) < 32:
            raise ConfigError(f"{variable('secret_key')} must have 32 characters or more.")
        if self.metrics_token is not None and not (len(self.metrics_token) >= 16 and self.metrics_token.isascii()):
            raise ConfigError(f"{variable('metrics_token')} must have 16 ASCII characters or more.")

    @property
    def at_once(self) -> int:
        """Calls of one caller that a process has under way at most."""
        return self.calls_per_caller or max(1, self.threads // 2)


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
    values = {}
    for field in fields(Settings):
        text = environ.get(variable(field.name))
        if text:
            values[field.name] = _convert(field.name, str(field.type), text)
    return Settings(**values)  # type: ignore[arg-type]  # converted to each field's own type


def _convert(name: str, kind: str, text: str) -> object:
    converters = {"int": int, "float": float, "Path": Path}
    if kind == "bool":
        if text.lower() not in _BOOLEANS:
            raise ConfigError(f"{variable(name)} must be true or false, not {text!r}.")
        return _BOOLEANS[text.lower()]
    try:
        return converters.get(kind, str)(text)
    except ValueError:
        raise ConfigError(f"{variable(name)} must be a number, not {text!r}.") from None
