"""Binary fields by address: content, type, validators, parts, and the access of the record."""

from __future__ import annotations

import base64
import hashlib

import pytest

from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Root
from tests.http.test_field_types import PNG

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _upload(client: Client, publish: Publish, field: str, content: str) -> str:
    """Create a record with that content and return the address of the field."""
    route = publish(fields=["name", field])
    url: str = client.result("POST", route, json={"name": "with content", field: content})[field]
    return url


def test_an_image_is_served_with_its_type_and_can_be_shown(demo: Client, publish: Publish) -> None:
    url = _upload(demo, publish, "picture", PNG)
    answer = demo("GET", url)
    assert url.startswith("/api/image/")
    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "attachment" not in answer.headers.get("Content-Disposition", "")
    assert demo.error("GET", url.replace("/image/", "/binary/"))[0] == 404


@pytest.mark.parametrize("field", ["document", "blob"])
def test_content_comes_back_whole_in_parts_and_not_at_all_where_it_is_known(
    field: str, demo: Client, publish: Publish
) -> None:
    content = bytes(range(256)) * 5000
    url = _upload(demo, publish, field, _base64(content))
    whole = demo("GET", url)
    assert (whole.data, whole.headers["Content-Length"]) == (content, str(len(content)))
    assert whole.headers["Content-Disposition"].startswith("attachment")
    known = demo("GET", url, headers={"If-None-Match": whole.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    part = demo("GET", url, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.data) == (206, content[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(content)}"
    assert demo("GET", url, headers={"Range": f"bytes={len(content)}-"}).status_code == 416
    head = demo("HEAD", url)
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(content)))


def test_a_large_attachment_is_streamed_from_the_filestore(demo: Client, publish: Publish, app: Gatehouse) -> None:
    url = _upload(demo, publish, "document", _base64(b"x" * 1_000_000))
    answer = demo.http.get(url, buffered=False)
    assert answer.is_streamed
    assert answer.response is not None
    digest = hashlib.sha1(b"x" * 1_000_000, usedforsecurity=False).hexdigest()
    assert (
        app.services.instance.data_dir / "filestore" / app.services.instance.database / digest[:2] / digest
    ).is_file()
    assert sum(len(chunk) for chunk in answer.iter_encoded()) == 1_000_000
    answer.close()


@pytest.mark.parametrize("content", [SVG, HTML, b"<?xml version='1.0'?><x/>", b"plain", b"%PDF-1.4\n"])
def test_what_a_browser_might_run_is_a_download(content: bytes, admin: Client, publish: Publish) -> None:
    answer = admin("GET", _upload(admin, publish, "document", _base64(content)))
    assert answer.data == content
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_content_needs_the_same_access_as_its_record(
    demo: Client, other: Client, anyone: Client, publish: Publish, root: Root
) -> None:
    route = publish(fields=["name", "document"])
    owner = root(lambda env: env.ref("base.user_demo").id)
    root(
        lambda env: (
            env["test.record"]
            .create({"name": "private content", "owner_id": owner, "document": _base64(b"private")})
            .id
        )
    )
    url = demo.result("GET", f"{route}?domain=[('name','=','private content')]")["records"][0]["document"]
    assert demo("GET", url).data == b"private"
    assert other.error("GET", url)[0] == 404
    assert anyone.error("GET", url)[0] == 401


def test_a_stranger_does_not_learn_what_an_api_shows(demo: Client, publish: Publish, anyone: Client) -> None:
    shown = _upload(demo, publish, "picture", PNG)
    for url in (shown, shown.replace("/picture", "/nothing"), shown.replace("test.record", "res.users"), f"{shown}x"):
        assert anyone.error("GET", url)[0] == 401


def test_content_that_the_definition_does_not_show_is_not_there(demo: Client, publish: Publish, root: Root) -> None:
    values = {"document": _base64(b"x"), "blob": _base64(b"y")}
    root(lambda env: env["test.record"].create({"name": "shown", "state": "done", **values}).id)
    root(lambda env: env["test.record"].create({"name": "not shown", "state": "draft", **values}).id)
    everything = publish(fields=["name", "document", "blob", "picture"])
    narrow = publish(fields=["name", "document"], domain=[["state", "=", "done"]])

    def address(route: str, name: str) -> str:
        url: str = demo.result("GET", f"{route}?domain=[('name','=','{name}')]")["records"][0]["document"]
        return url

    shown = address(narrow, "shown")
    api, *rest = shown.removeprefix("/api/binary/").split("/")
    assert demo("GET", shown).data == b"x"
    assert demo.error("GET", shown.replace("/document", "/blob"))[0] == 404
    assert demo.error("GET", shown.replace("/document", "/nothing"))[0] == 404
    assert demo.error("GET", shown.replace("test.record", "res.partner"))[0] == 404
    assert demo.error("GET", shown.replace(f"/{api}/", "/999999/"))[0] == 404
    hidden = address(everything, "not shown").removeprefix("/api/binary/").split("/", 1)[1]
    assert demo.error("GET", f"/api/binary/{api}/{hidden}")[0] == 404
    empty = address(everything, "shown").replace("/binary/", "/image/").replace("/document", "/picture")
    assert demo.error("GET", empty)[0] == 404
    assert rest


def test_content_of_a_related_record_is_reached_through_the_records_that_show_it(
    demo: Client, publish: Publish, root: Root
) -> None:
    route = publish("res.partner", fields=["name", "parent_id"], related={"parent_id": ["name", "image_128"]})
    everything = publish("res.partner", fields=["name", "image_128"])
    children = demo.result("GET", f"{route}?domain=[('parent_id','!=',False)]&limit=200")["records"]
    url = next(child["parent_id"][1]["image_128"] for child in children if child["parent_id"][1]["image_128"])
    assert demo("GET", url).mimetype.startswith("image/")
    # A partner without children is shown by no record of this API.
    childless = root(lambda env: env["res.partner"].search([("name", "=", "Mitchell Admin")]).mapped("child_ids.id"))
    assert childless == []
    found = demo.result("GET", f"{everything}?domain=[('name','=','Mitchell Admin')]")["records"][0]["image_128"]
    api = url.split("/")[3]
    foreign = found.split("/")
    foreign[3] = api
    assert demo("GET", found).status_code == 200
    assert demo.error("GET", "/".join(foreign))[0] == 404


def test_an_unpublished_api_serves_no_content(demo: Client, publish: Publish) -> None:
    url = _upload(demo, publish, "picture", PNG)
    publish()
    assert demo("GET", url).status_code == 200
    off = _upload(demo, lambda **keys: publish(endpoints={"read": False, "search": False}, **keys), "picture", PNG)
    assert demo.error("GET", off)[0] == 404
