"""Reads much data with tools that people read data with: dlt, pandas and duckdb."""

import json
import os

import dlt
import duckdb
import pandas
import requests
from dlt.sources.rest_api import rest_api_source

URL = os.environ["URL"]
ROUTE = f"{URL}/api/numbers"
WANTED = '[["name", "=like", "measured %"]]'
FIELDS = "name,count,amount,flag,day,moment,state"
NUMBER = 2300

form = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
token = requests.post(f"{URL}/api/oauth2/token", data={**form, "scope": "create search export"}, timeout=30).json()
headers = {"Authorization": f"Bearer {token['access_token']}"}


def get(path, kind="application/json", **parameters):
    asked = {"Accept": kind, **headers}
    answer = requests.get(f"{ROUTE}{path}", params={"domain": WANTED, **parameters}, headers=asked, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def fill():
    rows = [
        {
            "name": f"measured {number}",
            "count": number % 7,
            "amount": number / 4,
            "flag": number % 3 == 0,
            "day": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}" if number % 5 else None,
            "moment": f"2026-{number % 12 + 1:02d}-01T22:{number % 60:02d}:00Z",
            "state": ["draft", "done", None][number // 12 % 3],
        }
        for number in range(NUMBER)
    ]
    for start in range(0, NUMBER, 1000):
        made = requests.post(ROUTE, json=rows[start : start + 1000], headers=headers, timeout=60)
        assert made.status_code == 200, made.text


def lines_as_json(response, *arguments, **options):
    """Make an array of lines: dlt's source takes JSON."""
    response._content = b"[" + b",".join(response.content.splitlines()) + b"]"
    return response


def with_dlt():
    """A pipeline that pages by cursor, and one that takes the export."""
    source = rest_api_source(
        {
            "client": {"base_url": f"{URL}/api/", "headers": headers},
            "resources": [
                {
                    "name": "paged",
                    "primary_key": "id",
                    "endpoint": {
                        "path": "numbers",
                        "params": {"paging": "cursor", "limit": 500, "domain": WANTED, "fields": FIELDS},
                        "data_selector": "result.records",
                        "paginator": {
                            "type": "cursor", "cursor_path": "result.next_cursor", "cursor_param": "cursor"
                        },
                    },
                },
                {
                    "name": "exported",
                    "primary_key": "id",
                    "endpoint": {
                        "path": "numbers/export",
                        "params": {"domain": WANTED, "fields": FIELDS},
                        "headers": {"Accept": "application/x-ndjson"},
                        "paginator": "single_page",
                        "response_actions": [lines_as_json],
                    },
                },
            ],
        }
    )  # fmt: skip
    pipeline = dlt.pipeline(
        "gatehouse",
        pipelines_dir=os.path.abspath("pipelines"),
        destination=dlt.destinations.duckdb(os.path.abspath("dlt.duckdb")),
        dataset_name="odoo",
    )
    pipeline.run(source)
    with duckdb.connect("dlt.duckdb", read_only=True) as database:
        found = {
            name: database.sql(f"SELECT count(*), count(DISTINCT id), sum(amount) FROM odoo.{name}").fetchall()[0]
            for name in ("paged", "exported")
        }
        differing = database.sql(
            "SELECT count(*) FROM odoo.paged p FULL JOIN odoo.exported e USING (id) "
            "WHERE p.name IS DISTINCT FROM e.name OR p.moment IS DISTINCT FROM e.moment"
        ).fetchall()[0]
    assert found["paged"] == found["exported"] == (NUMBER, NUMBER, sum(range(NUMBER)) / 4), found
    assert differing == (0,), differing


def with_pandas():
    address = f"{ROUTE}/export?fields={FIELDS}&order=name"
    lines = pandas.read_json(address, lines=True, storage_options={"Accept": "application/x-ndjson", **headers})
    table = pandas.read_csv(address, storage_options={"Accept": "text/csv", **headers}, keep_default_na=True)
    assert len(lines) == len(table) >= NUMBER
    assert list(table.columns) == ["id", *FIELDS.split(",")] == list(lines.columns)
    assert lines["amount"].sum() == table["amount"].sum()
    assert (lines["id"] == table["id"]).all()
    assert str(table["flag"].dtype) == "bool"
    parts = pandas.read_json(
        address, lines=True, chunksize=300, storage_options={"Accept": "application/x-ndjson", **headers}
    )
    assert sum(len(part) for part in parts) == len(lines)


def with_duckdb():
    """All three formats say the same, and what is aggregated is what duckdb makes of the export."""
    files = {"json": "application/x-ndjson", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
    for ending, kind in files.items():
        with open(f"export.{ending}", "wb") as file:
            file.write(get("/export", kind, fields=FIELDS).content)
    read = {
        "json": "read_json('export.json', format='newline_delimited')",
        "csv": "read_csv('export.csv')",
        "parquet": "read_parquet('export.parquet')",
    }
    sums = {
        ending: duckdb.sql(
            "SELECT count(*), sum(amount), count(day), count(DISTINCT state), max(moment)::TIMESTAMP::VARCHAR "
            f"FROM {table}"
        ).fetchall()[0]
        for ending, table in read.items()
    }
    assert len(set(sums.values())) == 1, sums
    types = dict(
        duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {read['parquet']})").fetchall()
    )
    assert (types["id"], types["day"], types["moment"], types["flag"]) == (
        "BIGINT", "DATE", "TIMESTAMP WITH TIME ZONE", "BOOLEAN"
    )  # fmt: skip
    asked = {
        "group": "state,day:month",
        "aggregates": "__count,amount:sum,amount:avg,count:min,count:max,count:count_distinct,flag:bool_or",
        "limit": 1000,
    }
    groups = get("/aggregate", **asked).json()["result"]["groups"]
    made = duckdb.sql(
        "SELECT state, strftime(day, '%Y-%m'), count(*), sum(amount), avg(amount), min(count), max(count), "
        f"count(DISTINCT count), bool_or(flag) FROM {read['parquet']} GROUP BY ALL"
    ).fetchall()
    told = [tuple(group.values()) for group in groups]
    assert len(told) == len(made) > 20

    def order(row):
        return json.dumps(row[:2])

    for ours, theirs in zip(sorted(told, key=order), sorted(made, key=order), strict=True):
        assert (*ours[:4], *ours[5:]) == (*theirs[:4], *theirs[5:]), (ours, theirs)
        assert abs(ours[4] - theirs[4]) < 1e-9, (ours, theirs)
    large = get("/aggregate", **asked, having='[["amount:sum", ">", 30000]]', order="amount:sum desc").json()["result"]
    assert [group["amount:sum"] for group in large["groups"]] == sorted(
        (row[3] for row in made if row[3] > 30000), reverse=True
    )


fill()
with_dlt()
with_pandas()
with_duckdb()
print("done")
