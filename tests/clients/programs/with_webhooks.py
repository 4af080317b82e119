"""Receives webhooks with libraries of other people: Standard Webhooks in Flask and in Node, and Svix."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
import standardwebhooks
import svix.webhooks
from requests.adapters import HTTPAdapter, Retry

URL = os.environ["URL"]
CREDENTIALS = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
DEADLINE = time.monotonic() + 200

session = requests.Session()
session.mount(URL, HTTPAdapter(max_retries=Retry(100, status_forcelist=[503], allowed_methods=None)))
token = session.post(f"{URL}/api/oauth2/token", data=CREDENTIALS, timeout=30).json()["access_token"]
session.headers["Authorization"] = f"Bearer {token}"


def call(method, path, **options):
    answer = session.request(method, f"{URL}{path}", timeout=60, **options)
    assert answer.ok, answer.text
    return answer.json()["result"]


def wait_for(state):
    while not state():
        assert time.monotonic() < DEADLINE, "This takes too long."
        time.sleep(0.2)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver:
    """A program that receives, and the webhook that leads to it."""

    def __init__(self, name, command, port):
        url = f"http://127.0.0.1:{port}/webhooks"
        self.webhook = call("POST", "/api/webhooks", json={"url": url, "api": "Numbers", "fields": ["name", "count"]})
        self.url, self.path, self.said = url, f"/api/webhooks/{self.webhook['id']}", Path(f"{name}.txt")
        environment = {**os.environ, "WEBHOOK_SECRET": self.webhook["secret"], "PORT": str(port)}
        with self.said.open("w") as file:
            self.process = subprocess.Popen(command, stdout=file, env=environment)
        wait_for(self.answers)

    def answers(self):
        assert self.process.poll() is None
        with contextlib.suppress(requests.ConnectionError):
            # What nobody has signed is refused.
            assert requests.post(self.url, data=b"{}", timeout=10).status_code == 401
            return True
        return False

    def told(self):
        return self.said.read_text().splitlines()

    def accepted_at(self):
        """Return when the newest message was accepted, None where it was not yet."""
        (newest,) = call("GET", f"{self.path}/deliveries?limit=1")["deliveries"]
        return newest["last_attempt_at"] if (newest["status"], newest["answer_status"]) == ("delivered", 204) else None


class Listener(BaseHTTPRequestHandler):
    """Takes messages, and checks what libraries make of their bytes and headers."""

    def do_POST(self):
        body, headers = self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers)
        by_svix, standard = svix.webhooks.Webhook(secrets["listener"]), standardwebhooks.Webhook(secrets["listener"])
        by_svix.verify(body, headers)
        by_svix.verify(body, {name.lower().replace("webhook-", "svix-"): value for name, value in headers.items()})
        for changed in (body + b" ", body.replace(b"webhook", b"Webhook")):
            for each in (by_svix, standard):
                try:
                    each.verify(changed, headers)
                except standardwebhooks.WebhookVerificationError:
                    continue
                raise AssertionError("A message that was changed is taken.")
        heard.append(standard.verify(body, headers))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        """Say nothing."""


heard, secrets = [], {}
listener = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=listener.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{listener.server_address[1]}"
listening = call("POST", "/api/webhooks", json={"url": address, "api": "Numbers", "thin": True})
secrets["listener"] = listening["secret"]

here, port = Path(__file__).parent, free_port()
flask = [sys.executable, "-m", "flask", "--app", here / "webhooks_in_flask.py", "run", "--port", str(port)]
receivers = [
    Receiver("flask", flask, port),
    Receiver("node", [os.environ["NODE"], "webhooks_in_node.mjs"], free_port()),
]
try:
    made = call("POST", "/api/numbers", json={"name": "told", "count": 1})["id"]
    expected = []
    for kind, method, change in (
        ("created", None, None),
        ("updated", "PATCH", {"count": 2}),
        ("removed", "DELETE", None),
    ):
        if method:
            call(method, f"/api/numbers/{made}", json=change)
        expected.append(f"{kind} {made}")
        for receiver in receivers:
            wait_for(lambda of=receiver: [each for each in of.told() if each.endswith(f" {made}")] == expected)
    wait_for(lambda: [each["type"] for each in heard if each["data"].get("id") == made][-1:] == ["removed"])
    assert all("record" not in each["data"] for each in heard)

    for receiver in receivers:
        # A message that comes again has the same id: it is done once. Both secrets sign for a time.
        assert call("POST", f"{receiver.path}/rotate")["secret"] != receiver.webhook["secret"]
        sent = call("POST", f"{receiver.path}/test")
        wait_for(receiver.accepted_at)
        first = receiver.accepted_at()
        call("POST", f"{receiver.path}/deliveries/{sent['id']}/redeliver")
        wait_for(lambda of=receiver, first=first: of.accepted_at() not in (None, first))
        assert receiver.told().count("test -") == 1
finally:
    for receiver in receivers:
        receiver.process.terminate()
        receiver.process.wait()
for path in (f"/api/webhooks/{listening['id']}", *(receiver.path for receiver in receivers)):
    call("DELETE", path)
print("done")
