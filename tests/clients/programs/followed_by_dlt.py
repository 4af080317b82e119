"""A dlt resource that follows the changes of an API: each run loads what has changed since the run before."""

import os

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.paginators import HeaderLinkPaginator

URL = os.environ["URL"]

client = RESTClient(
    f"{URL}/api/numbers",
    auth=OAuth2ClientCredentials(
        access_token_url=f"{URL}/api/oauth2/token",
        client_id=os.environ["CLIENT_ID"],
        client_secret=os.environ["CLIENT_SECRET"],
    ),
    paginator=HeaderLinkPaginator(),  # the last page has no link to a next one
    data_selector="result",
)

# A record that changes while pages are read comes once more in the same run; its last page counts.
COLUMNS = {
    "page": {"data_type": "bigint", "dedup_sort": "desc"},
    "removed": {"data_type": "bool", "hard_delete": True},
}


@dlt.resource(primary_key="id", write_disposition="merge", columns=COLUMNS)
def numbers():
    state = dlt.current.resource_state()  # dlt commits it together with the rows
    asked = {"fields": "name,count", "token": state.get("token")}
    for number, (page,) in enumerate(client.paginate("delta", params=asked)):
        for record in page.get("records", ()):
            yield {**record, "page": number}
        for change in page.get("changes", ()):
            yield {"id": change["id"], **change.get("record", {}), "page": number, "removed": change["op"] == "removed"}
        state["token"] = page.get("next_token") or page["delta_token"]
