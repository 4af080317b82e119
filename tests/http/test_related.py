"""Fields of related records, up to three levels, without a query per record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Client, Publish, Root
from tests.http.queries import counted_queries


def _tree(env: Any) -> None:
    tags = env["test.tag"].create([{"name": f"tag {n}"} for n in range(30)])
    companies = env["res.partner"].create([{"name": f"company {n}", "is_company": True} for n in range(30)])
    for n in range(30):
        parent = env["test.record"].create({"name": f"parent {n}", "partner_id": companies[n].id})
        env["test.record"].create(
            {
                "name": f"tree {n:02}",
                "parent_id": parent.id,
                "tag_ids": [(6, 0, tags[: n + 1].ids)],
                "line_ids": [(0, 0, {"name": f"line {i}", "tag_id": tags[i].id}) for i in range(3)],
            }
        )


def test_three_levels_come_along_and_queries_do_not_grow_with_records(
    demo: Client, publish: Publish, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    root(_tree)
    route = publish(
        fields=["name", "parent_id", "line_ids", "tag_ids"],
        related={
            "parent_id": ["name", {"partner_id": ["name", {"company_id": ["name"]}, "country_id"]}],
            "line_ids": ["name", {"tag_id": ["name"]}],
            "tag_ids": ["name"],
        },
    )

    def search(limit: int) -> tuple[int, list[dict[str, Any]]]:
        query = {"domain": '[["name","like","tree "]]', "limit": limit, "count": "none"}
        demo.result("GET", route, query_string=query)  # fill the caches that outlive a call
        with counted_queries(monkeypatch) as queries:
            found = demo.result("GET", route, query_string=query)["records"]
        return len(queries), found

    few, _ = search(2)
    many, found = search(30)
    assert many <= few
    record = found[7]
    assert record["name"] == "tree 07"
    parent_id, parent = record["parent_id"]
    assert (parent["id"], parent["name"]) == (parent_id, "parent 7")
    assert parent["partner_id"][1]["name"] == "company 7"
    assert parent["partner_id"][1]["company_id"] == []
    assert [line["name"] for line in record["line_ids"]] == ["line 0", "line 1", "line 2"]
    assert record["line_ids"][1]["tag_id"][1]["name"] == "tag 1"
    assert len(record["tag_ids"]) == 8


def test_a_related_record_that_the_user_cannot_see_shows_its_id_alone(
    demo: Client, publish: Publish, root: Root
) -> None:
    route = publish(fields=["name", "parent_id"], related={"parent_id": ["name"]})
    root(_child_of_hidden_parent)
    (record,) = demo.result("GET", f"{route}?domain=[('name','=','child of hidden')]")["records"]
    parent_id, parent = record["parent_id"]
    assert parent == {"id": parent_id}


def _child_of_hidden_parent(env: Any) -> None:
    parent = env["test.record"].create({"name": "hidden parent", "owner_id": env.ref("base.user_admin").id})
    env["test.record"].create({"name": "child of hidden", "parent_id": parent.id})


def test_lines_that_the_user_cannot_see_are_left_out(demo: Client, publish: Publish, root: Root) -> None:
    route = publish(fields=["name", "child_ids"], related={"child_ids": ["name"]})
    bare = publish(fields=["name", "child_ids"])
    root(_parent_of_hidden_child)
    (record,) = demo.result("GET", f"{route}?domain=[('name','=','has children')]")["records"]
    assert [child["name"] for child in record["child_ids"]] == ["seen"]
    (record,) = demo.result("GET", f"{bare}?domain=[('name','=','has children')]")["records"]
    assert len(record["child_ids"]) == 1


def _parent_of_hidden_child(env: Any) -> None:
    parent = env["test.record"].create({"name": "has children"})
    env["test.record"].create({"name": "seen", "parent_id": parent.id})
    owner = env.ref("base.user_admin").id
    env["test.record"].create({"name": "hidden", "parent_id": parent.id, "owner_id": owner})
