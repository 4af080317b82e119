"""A receiver of webhooks in Flask: it keeps a copy of the records, and takes what is signed alone."""

import os

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
signed = Webhook(os.environ["WEBHOOK_SECRET"])
records, seen = {}, set()  # tables, where it is more than a try


@app.post("/webhooks")
def receive():
    try:
        message = signed.verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 401
    if request.headers["webhook-id"] not in seen:
        handle(message["type"], message["data"])
        seen.add(request.headers["webhook-id"])  # in one transaction with what was done
    return "", 204


def handle(kind, data):
    if kind in ("created", "updated"):
        records[data["id"]] = data["record"]
    elif kind == "removed":
        records.pop(data["id"], None)
    elif kind == "resync":
        ...  # read all records anew
    print(kind, data.get("id", "-"), flush=True)
