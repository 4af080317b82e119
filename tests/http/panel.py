"""A person in front of the panel: pages, and forms filled in and sent as a browser sends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lxml import html
from werkzeug.test import TestResponse

if TYPE_CHECKING:
    from tests.http.conftest import Client


class Panel:
    """A browser without scripts."""

    def __init__(self, client: Client, address: str = "127.0.0.1") -> None:
        """``address`` is where the person sits: wrong credentials are counted by it."""
        self.client = client
        self._from = {"REMOTE_ADDR": address}

    def get(self, path: str, status: int = 200) -> TestResponse:
        """Return a page that has to answer with this status."""
        answer = self.client("GET", path, environ_overrides=self._from)
        assert answer.status_code == status, answer.text
        return answer

    def send(self, path: str, form: str = "", **changes: Any) -> TestResponse:
        """Open a page, change fields of one of its forms, and send it; ``form`` is the end of the form's address.

        A list gives all values of a name; None leaves the name out.
        """
        return self.submit(self.get(path), path, form, **changes)

    def submit(self, page: TestResponse, path: str, form: str = "", **changes: Any) -> TestResponse:
        """Send a form of a page that was opened before."""
        action, fields = _form(page.text, path, form)
        kept = [(name, value) for name, value in fields if name not in changes]
        for name, value in changes.items():
            kept += [(name, each) for each in (value if isinstance(value, list) else [value]) if each is not None]
        data: dict[str, list[str]] = {}
        for name, value in kept:
            data.setdefault(name, []).append(value)
        return self.client("POST", action, data=data, environ_overrides=self._from)

    def confirm(self, path: str, what: str, **given: str) -> TestResponse:
        """Open a page, follow its link to a confirmation, and confirm; ``given`` are values of the link's address."""
        return self.confirm_on(self.get(path), what, **given)

    def confirm_on(self, page: TestResponse, what: str, **given: str) -> TestResponse:
        """Do the same on a page that was opened before."""
        return self.agree(self.client("GET", address_of(page, what, **given), environ_overrides=self._from))

    def agree(self, asked: TestResponse) -> TestResponse:
        """Confirm what a page asks; a page that refuses to ask is returned as it is."""
        actions = html.fromstring(asked.text).xpath("//main//form[@method='post']/@action")
        return self.submit(asked, "", actions[0]) if asked.status_code == 200 else asked

    def follow(self, answer: TestResponse) -> TestResponse:
        """Return the page that a form led to."""
        assert answer.status_code == 303, texts(answer)
        return self.get(answer.headers["Location"])


def address_of(page: TestResponse, what: str, **given: str) -> str:
    """Return the address of a confirmation, as a link or a form of a page leads there."""
    tree, path = html.fromstring(page.text), f"/confirm/{what}"
    wanted = [f"{name}={value}" for name, value in given.items()]
    for address in tree.xpath("//main//a/@href"):
        place, _, query = address.partition("?")
        if place.endswith(path) and set(wanted) <= set(query.split("&")):
            return str(address)
    (action,) = (each for each in tree.xpath("//main//form[not(@method)]/@action") if each.endswith(path))
    return f"{action}?{'&'.join(wanted)}"


def texts(page: TestResponse) -> str:
    """Return what a person reads on a page."""
    return said(html.fromstring(page.text))


def found(page: TestResponse, path: str, **variables: Any) -> list[Any]:
    """Return what an XPath finds on a page."""
    return list(html.fromstring(page.text).xpath(path, **variables))


def said(node: Any) -> str:
    """Return what a person reads in an element."""
    return " ".join(node.text_content().split())


def csrf_of(page: TestResponse) -> str:
    """Return the token of the forms of a page."""
    return str(found(page, "//input[@name='csrf_token']/@value")[0])


def errors_of(page: TestResponse, field: str) -> str:
    """Return what stands beside a field as wrong."""
    return " ".join(map(said, found(page, f"//*[@id='{field}-error']")))


def _form(text: str, path: str, wanted: str) -> tuple[str, list[tuple[str, str]]]:
    for found in html.fromstring(text).forms:
        action = found.get("action") or path
        own = not found.get("action") if not wanted else action.endswith(wanted)
        if own and found.method == "POST":
            return action, list(_values(found))
    raise AssertionError(f"no form {wanted!r} on the page")


def _values(form: Any) -> Iterator[tuple[str, str]]:
    for name, value in form.form_values():
        yield name, value.removeprefix("\n") if isinstance(value, str) else value
