"""Follows changes with tools that keep copies: dlt and a Singer tap. Each copy has to become what a search finds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import dlt
import requests
from followed_by_dlt import numbers
from requests.adapters import HTTPAdapter, Retry

URL = os.environ["URL"]
CREDENTIALS = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
DEADLINE = time.monotonic() + 240

session = requests.Session()
session.mount(URL, HTTPAdapter(max_retries=Retry(100, status_forcelist=[503])))
token = session.post(f"{URL}/api/oauth2/token", data=CREDENTIALS, timeout=30).json()["access_token"]
session.headers["Authorization"] = f"Bearer {token}"


def call(method, path="", **options):
    answer = session.request(method, f"{URL}/api/numbers{path}", timeout=60, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def there():
    """Return all records, as a search finds them."""
    found, cursor = {}, ""
    while cursor is not None:
        page = call("GET", params={"paging": "cursor", "cursor": cursor, "fields": "name,count", "limit": 1000})
        found |= {record["id"]: (record["name"], record["count"]) for record in page["records"]}
        cursor = page["next_cursor"]
    return found


pipeline = dlt.pipeline(
    "followed",
    pipelines_dir=os.path.abspath("pipelines"),
    destination=dlt.destinations.duckdb(os.path.abspath("followed.duckdb")),
    dataset_name="odoo",
)
to_delete = []


def meanwhile(row):
    """Delete, while dlt reads the second page of changes, records that the first one had: they come once more."""
    if row["page"] == 1 and to_delete:
        call("DELETE", json=to_delete)
        to_delete.clear()
    return row


def by_dlt():
    """Return the copy that dlt has made, and the number of rows that it took."""
    pipeline.run(numbers().add_map(meanwhile))
    is_there = "numbers" in pipeline.default_schema.tables  # from the first row on
    with pipeline.sql_client() as database:
        rows = database.execute_sql("SELECT id, name, count FROM numbers") if is_there else ()
    copy = {key: (name, count) for key, name, count in rows}
    return copy, pipeline.last_trace.last_normalize_info.row_counts.get("numbers", 0)


config, state, target = Path("config.json"), Path("state.json"), {}
config.write_text(json.dumps({"url": URL, **CREDENTIALS}))
state.write_text("{}")


def by_singer():
    """Return the copy of a target that does what the tap says, and the number of records that it took."""
    tap = [sys.executable, Path(__file__).with_name("singer_tap.py"), "--config", config, "--state", state]
    said = subprocess.run(tap, check=True, stdout=subprocess.PIPE).stdout
    messages = [json.loads(line) for line in said.splitlines()]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    for record in records:
        if record.get("_sdc_deleted_at"):
            target.pop(record["id"], None)
        else:
            target[record["id"]] = record["name"], record["count"]
    state.write_text(json.dumps([message["value"] for message in messages if message["type"] == "STATE"][-1]))
    return target, len(records)


def told(follow):
    """Follow until the copy is what is there, and return how many records that took.

    A transaction in any database of the same PostgreSQL server holds back what is committed after it began.
    """
    number = 0
    while True:
        copy, more = follow()
        number += more
        differing = copy.items() ^ there().items()
        if not differing:
            return number
        assert time.monotonic() < DEADLINE, f"{follow.__name__}: {len(differing)} differ, {list(differing)[:9]}"
        time.sleep(1)


call("GET", "/delta", params={"token": "latest"})  # 503 until changes are noted: the API is a moment old
ids = [record["id"] for record in call("POST", json=[{"name": f"followed {n}", "count": n} for n in range(500)])]
for follow in by_dlt, by_singer:
    assert told(follow) >= 500

call("PATCH", json={"ids": ids[:100], "count": 1000})
call("DELETE", json=ids[100:150])
call("POST", json=[{"name": f"followed later {n}"} for n in range(20)])
to_delete += ids[:10]
for follow in by_dlt, by_singer:
    number = told(follow)
    assert 170 <= number < 340, f"{follow.__name__} took {number} records for 170 changes."
assert not to_delete
print("done")
