"""Settings are checked at start, by name."""

from pathlib import Path
from typing import Any

import pytest

from app.config import ConfigError, Settings, from_environment


def test_settings_come_from_the_environment() -> None:
    settings = from_environment({"GATEHOUSE_ODOO_CONF": "/etc/odoo/odoo.conf", "GATEHOUSE_WORKERS": "3"})
    assert (str(settings.odoo_conf), settings.workers, settings.threads) == ("/etc/odoo/odoo.conf", 3, 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEHOUSE_WORKERS", "0"),
        ("GATEHOUSE_WORKERS", "many"),
        ("GATEHOUSE_THREADS", "-1"),
        ("GATEHOUSE_STATEMENT_TIMEOUT", "0"),
        ("GATEHOUSE_STATEMENT_TIMEOUT", "nan"),
        ("GATEHOUSE_CATALOG_INTERVAL", "2"),
        ("GATEHOUSE_DRAIN_SECONDS", "-1"),
        ("GATEHOUSE_SECRET_KEY", "short"),
        ("GATEHOUSE_LOG_LEVEL", "LOUD"),
        ("GATEHOUSE_LOG_FORMAT", "xml"),
        ("GATEHOUSE_ACCESS_LOG", "perhaps"),
        ("GATEHOUSE_SLOW_CALL", "-1"),
        ("GATEHOUSE_WEBHOOK_NETWORKS", "intranet"),
        ("GATEHOUSE_ODOO_CONF", ""),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        from_environment({"GATEHOUSE_ODOO_CONF": "/etc/odoo/odoo.conf", name: value})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("WORKERS", "0", "must be greater than or equal to 1, not '0'."),
        ("WORKERS", "many", "must be a number, not 'many'."),
        ("MIN_FREE_SPACE", "-1", "must be greater than or equal to 0, not '-1'."),
        ("STATEMENT_TIMEOUT", "0", "must be greater than 0, not '0'."),
        ("STATEMENT_TIMEOUT", "long", "must be a number, not 'long'."),
        ("STATEMENT_TIMEOUT", "inf", "must be a finite number, not 'inf'."),
        ("DRAIN_SECONDS", "9999", "must be less than or equal to 3600, not '9999'."),
        ("CATALOG_INTERVAL", "2", "must be less than or equal to 1, not '2'."),
        ("LOG_FORMAT", "xml", "must be 'text' or 'json', not 'xml'."),
        ("ACCESS_LOG", "perhaps", "must be true or false, not 'perhaps'."),
        ("HOSTS", "a,,b", "must be names with commas between them, not 'a,,b'."),
        (
            "WEBHOOK_NETWORKS",
            "10.0.0.0/8, 10.0.0.300",
            "must be networks with commas between them ('10.0.0.300' is none), not '10.0.0.0/8, 10.0.0.300'.",
        ),
        ("SECRET_KEY", "short", "must have at least 32 characters."),
        ("METRICS_TOKEN", "ü" * 20, "must have ASCII characters alone."),
    ],
)
def test_a_wrong_setting_is_told_what_would_be_right(name: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        from_environment({"GATEHOUSE_ODOO_CONF": "/etc/odoo/odoo.conf", f"GATEHOUSE_{name}": value})
    assert str(raised.value) == f"GATEHOUSE_{name} {sentence}"


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:8070"),
        ({"bind": "0.0.0.0:9000"}, "http://127.0.0.1:9000"),
        ({"bind": "[::]:9000"}, "http://[::1]:9000"),
        ({"bind": "[fd00::1]:9000"}, "http://[fd00::1]:9000"),
        ({"bind": "gatehouse.lan:9000,127.0.0.1:9001"}, "http://gatehouse.lan:9000"),
        ({"bind": "unix:/run/gatehouse.sock"}, "http://127.0.0.1:8070"),
        ({"hosts": "api.example.com"}, "http://api.example.com:8070"),
        ({"hosts": ".example.org, api.example.com", "trusted_proxies": 1}, "https://api.example.com"),
        ({"hosts": ".example.org", "trusted_proxies": 1}, "http://127.0.0.1:8070"),
    ],
)
def test_the_address_of_the_server_is_the_configured_one(settings: dict[str, Any], address: str) -> None:
    assert Settings(odoo_conf=Path("odoo.conf"), **settings).address == address
