"""Debian's nginx with a site of deploy/, Odoo's own server behind it, and clients that call it by name."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from dev import odoo_source, web_assets
from dev.testbed import Testbed
from tests.packages import program
from tests.server.conftest import ROOT, free_port, wait_until

_MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Named(HTTPAdapter):
    """Reaches a site by its name, at a port of this machine, from a client's own address."""

    def __init__(self, name: str, port: int, certificate: Path, address: str) -> None:
        self._name, self._port, self._certificate, self._address = name, port, certificate, address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        options |= {"source_address": (self._address, 0), "assert_hostname": self._name, "server_hostname": self._name}
        super().init_poolmanager(*arguments, **options)

    def send(self, request: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        named, here = f"https://{self._name}", f"https://127.0.0.1:{self._port}"
        request.url = request.url.replace(named, here, 1)
        request.headers["Host"] = self._name
        answer = super().send(request, **{**options, "verify": str(self._certificate)})
        answer.url = answer.url.replace(here, named, 1)
        return answer


def client(name: str, port: int, certificate: Path, address: str = "127.0.0.1") -> requests.Session:
    """Return a client of the site `name` with an address of its own."""
    session = requests.Session()
    session.mount(f"https://{name}", Named(name, port, certificate, address))
    return session


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """Make a certificate for the names; return its path and that of its key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    command = [program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={names[0]}", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


def changed(text: str, changes: Mapping[str, str]) -> str:
    """Return a site with what is another machine's replaced: addresses, ports, paths and names, all of them there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def site() -> str:
    """Return deploy/nginx.conf."""
    return (ROOT / "deploy" / "nginx.conf").read_text()


@contextlib.contextmanager
def process(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a program running, its output in a file."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, stdout=output, stderr=output, **options)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)


@contextlib.contextmanager
def running(folder: Path, text: str, port: int) -> Iterator[None]:
    """Run nginx with a site that listens on `port`, and without a warning of `nginx -t`."""
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    command = [program("nginx", "nginx-light"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr, tested.stderr
    with process(command, folder / "nginx.log"):
        wait_until(lambda: answers(f"https://127.0.0.1:{port}"), 60, lambda: (folder / "error.log").read_text())
        yield


@contextlib.contextmanager
def odoo(testbed: Testbed, folder: Path, *options: str) -> Iterator[int]:
    """Run Odoo's own server, as ops have it."""
    web_assets.ensure(odoo_source.ensure())
    port = free_port()
    command = [sys.executable, "-m", "odoo", "-c", str(testbed.odoo_conf), "--proxy-mode", *options]
    command += [f"--http-port={port}", "--http-interface=127.0.0.1", "--max-cron-threads=0", "--workers=0"]
    path = {"PYTHONPATH": str(testbed.odoo_source)} if testbed.odoo_source else {}
    log = folder / "odoo.log"
    with process(command, log, cwd=folder, env={**os.environ, **path}):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/web/health"), 90, lambda: log.read_text()[-2000:])
        yield port


def answers(url: str) -> bool:
    """Return whether a server takes connections at an address; one that refuses the name of this machine does."""
    try:
        requests.get(url, timeout=30)
    except requests.exceptions.SSLError:
        return True
    except (requests.ConnectionError, requests.Timeout):
        return False
    return True
