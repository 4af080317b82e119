"""The official SDK's client as an agent: from a 401 to a changed partner, in both revisions."""

import asyncio
import json
import os

import httpx2
from mcp import Client, MCPError
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata
from mcp_person import Browser
from mcp_types import ElicitResult

URL, BACK = os.environ["URL"], "http://localhost:8123/callback"
ADDRESS = f"{URL}/api/mcp"


class Storage:
    def __init__(self) -> None:
        self.tokens = None
        self.client = OAuthClientInformationFull(
            client_id=os.environ["AGENT_ID"],
            client_secret=os.environ["AGENT_SECRET"],
            redirect_uris=[BACK],
            token_endpoint_auth_method="client_secret_post",
            issuer=URL,
        )

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Person:
    """Who is asked: they approve what they have been told that they will, and nothing else."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.expects = ""
        self.asked: list[str] = []

    async def answer(self, context, params):
        self.asked.append(params.message)
        if params.mode == "url":
            self.browser.approve(params.url)
            return ElicitResult(action="accept")
        if self.expects and self.expects in params.message:
            return ElicitResult(action="accept", content={"approve": True})
        return ElicitResult(action="decline")


def told(result):
    assert not result.is_error, result
    *_, notice, data = (content.text for content in result.content)
    assert "no instructions" in notice
    assert json.loads(data) == result.structured_content
    return result.structured_content


def refused(result):
    assert result.is_error, result
    return result.structured_content


async def reads(client) -> str:
    """Find a partner, and return its id."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert tools["agents_search"].annotations.read_only_hint, tools
    assert not any(name.startswith("hidden") for name in tools), tools
    resources = (await client.list_resources()).resources
    (uri,) = [each.uri for each in resources if "agents" in str(each.uri) and "guarded" not in str(each.uri)]
    about = json.loads((await client.read_resource(str(uri))).contents[0].text)
    assert about["models"][0]["fields"]["email"]["write"]
    arguments = {"domain": [["name", "ilike", "deco"]], "fields": ["name"], "limit": 1}
    (found,) = told(await client.call_tool("agents_search", arguments))["records"]
    record = told(await client.call_tool("agents_read", {"id": found["id"]}))["record"]
    assert record["name"] == found["name"]
    return found["id"]


async def modern(auth, person: Person) -> None:
    async with httpx2.AsyncClient(auth=auth, timeout=60) as http:
        transport = streamable_http_client(ADDRESS, http_client=http)
        async with Client(transport, mode="auto", elicitation_callback=person.answer) as client:
            assert client.session.protocol_version == "2026-07-28", client.session.protocol_version
            partner = await reads(client)
            change = {"id": partner, "values": {"email": "agent@example.com"}}
            person.expects = '"agent@example.com"'
            assert told(await client.call_tool("agents_update", change))["record"]["email"] == "agent@example.com"
            person.expects = ""
            other = {"id": partner, "values": {"email": "evil@example.com"}}
            assert refused(await client.call_tool("agents_update", other))["name"] == "approval_refused"
            now = told(await client.call_tool("agents_read", {"id": partner, "fields": ["email"]}))["record"]
            assert now["email"] == "agent@example.com"
            done = told(await client.call_tool("guarded_update", {"id": partner, "values": {"phone": "+1 555 0100"}}))
            assert done["record"]["phone"] == "+1 555 0100"
            assert len(person.asked) == 3, person.asked


async def legacy(auth, person: Person) -> None:
    async with httpx2.AsyncClient(auth=auth, timeout=60) as http:
        transport = streamable_http_client(ADDRESS, http_client=http)
        async with Client(transport, mode="legacy") as client:
            assert client.session.protocol_version == "2025-11-25", client.session.protocol_version
            partner = await reads(client)
            change = {"id": partner, "values": {"email": "legacy@example.com"}}
            shown = told(await client.call_tool("agents_update", change))
            assert shown["preview"]["changes"]["email"]["after"] == "legacy@example.com"
            evil = {"id": partner, "values": {"email": "evil@example.com"}, "approval": shown["approval"]}
            assert refused(await client.call_tool("agents_update", evil))["name"] == "approval_of_another_call"
            good = {**change, "approval": shown["approval"]}
            assert told(await client.call_tool("agents_update", good))["record"]["email"] == "legacy@example.com"
            assert refused(await client.call_tool("agents_update", good))["name"] == "approval_over"
            code = 0
            try:
                await client.call_tool("hidden_search", {})
            except MCPError as error:
                code = error.code
            assert code == -32602, code


async def main() -> None:
    browser = Browser(URL, "demo", "demo")
    metadata = OAuthClientMetadata(redirect_uris=[BACK], token_endpoint_auth_method="client_secret_post")
    storage = Storage()
    auth = OAuthClientProvider(ADDRESS, metadata, storage, browser.go, browser.back)
    person = Person(browser)
    await modern(auth, person)
    assert "Update a record of Contact" in browser.seen, browser.seen
    bare = httpx2.get(f"{URL}/api/agents", headers={"Authorization": f"Bearer {storage.tokens.access_token}"})
    assert bare.status_code == 401, bare.text
    await legacy(auth, person)
    print("done")


asyncio.run(main())
