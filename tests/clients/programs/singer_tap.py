"""A Singer tap that follows the changes of an API: each run emits what has changed since the run before."""

from datetime import datetime, timezone
from functools import cached_property
from urllib.parse import parse_qs

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.pagination import HeaderLinkPaginator


class ClientCredentials(OAuthAuthenticator):
    @property
    def oauth_request_body(self):
        return {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}


class Pages(HeaderLinkPaginator):
    def continue_if_empty(self, response):
        return True  # a page may be empty, as what has changed may be hidden; the last one has no link to a next one


class Numbers(RESTStream):
    name = "numbers"
    path = "/api/numbers/delta"
    primary_keys = ("id",)
    replication_method = "LOG_BASED"  # else a target might drop what a run says nothing of
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
        th.Property("count", th.IntegerType),
        th.Property("_sdc_deleted_at", th.DateTimeType),
    ).to_dict()

    @property
    def url_base(self):
        return self.config["url"]

    @cached_property
    def authenticator(self):
        return ClientCredentials(
            auth_endpoint=f"{self.url_base}/api/oauth2/token",
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
        )

    def get_new_paginator(self):
        return Pages()

    def get_url_params(self, context, next_page_token):
        if next_page_token:
            return parse_qs(next_page_token.query)
        return {"fields": "name,count", "token": self.stream_state.get("token")}

    def parse_response(self, response):
        page, now = response.json()["result"], datetime.now(timezone.utc).isoformat()
        yield from page.get("records", ())
        for change in page.get("changes", ()):
            yield change.get("record") or {"id": change["id"], "_sdc_deleted_at": now}
        self.stream_state["token"] = page.get("next_token") or page["delta_token"]  # only now: all of it is told


class TapGatehouse(Tap):
    name = "tap-gatehouse"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("client_id", th.StringType, required=True),
        th.Property("client_secret", th.StringType, required=True, secret=True),
    ).to_dict()

    def discover_streams(self):
        return [Numbers(self)]


if __name__ == "__main__":
    TapGatehouse.cli()
