"""Settings are checked at start, by name."""

import pytest

from app.config import ConfigError, from_environment


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
        ("GATEHOUSE_ODOO_CONF", ""),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        from_environment({"GATEHOUSE_ODOO_CONF": "/etc/odoo/odoo.conf", name: value})
