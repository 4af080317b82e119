"""An addon that is uninstalled while servers run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import ROOT, in_odoo, serving, wait_until

pytestmark = pytest.mark.live


def test_an_addon_that_is_uninstalled_takes_its_api_out_of_service_and_no_other(
    testbed: Testbed, tmp_path: Path
) -> None:
    database, token = f"gatehouse_uninstall_{os.getpid()}", "an ops person's token"
    with serving(testbed, database, tmp_path / "log", GATEHOUSE_METRICS_TOKEN=token) as server:
        server.flask("api", "import", str(ROOT / "tests" / "http" / "products.yaml"))
        session = server.session()
        products = f"{server.url}/api/products/product.template?limit=1"
        partners = f"{server.url}/api/partner/rest?limit=1"
        wait_until(lambda: session.get(products).status_code == 200, 30)
        in_odoo(
            testbed,
            server.database,
            "env['ir.module.module'].search([('name', '=', 'product')]).button_immediate_uninstall()",
        )
        time.sleep(1)
        # The first calls wait for the registry to be loaded anew, in each worker.
        for _ in range(12):
            answer = requests.get(products, cookies=session.cookies, timeout=30)
            assert (answer.status_code, answer.json()["error"]["data"]["name"]) == (503, "definition_broken")
            assert requests.get(partners, cookies=session.cookies, timeout=30).status_code == 200
        headers = {"Authorization": f"Bearer {token}"}
        details = requests.get(f"{server.url}/readyz", headers=headers, timeout=30).json()["result"]
        assert details["status"] == "ready"
        assert list(details["out_of_service"]) == ["Products"]
        assert "product.template" in server.flask("api", "list").stdout
