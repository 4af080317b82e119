"""A person's browser, for the official SDK's OAuth: logs in, reads the page, allows, and brings the code back."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.shared.auth import AuthorizationCodeResult


class Browser:
    def __init__(self, root: str, login: str, password: str) -> None:
        self.http = httpx2.Client(base_url=root, follow_redirects=True)
        self.login, self.password = login, password
        self.seen = ""
        self.location = ""

    def _send(self, page: httpx2.Response, **fields: str) -> httpx2.Response:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        return self.http.post(str(page.url), data={"csrf_token": token[1], **fields}, follow_redirects=False)

    async def go(self, address: str) -> None:
        page = self.http.get(address)
        if "/login" in str(page.url):
            page = self.http.get(self._send(page, login=self.login, password=self.password).headers["location"])
        self.seen = page.text
        self.location = self._send(page, allow="Allow").headers["location"]

    async def back(self) -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    def approve(self, address: str) -> None:
        page = self.http.get(address)
        assert "wants to change" in page.text, page.text
        done = self._send(page, approve="Approve")
        assert "Approved" in done.text, done.text
