"""Calls a live server with the client that openapi-python-client has made."""

import os

from gatehouse_client import AuthenticatedClient, Client
from gatehouse_client.api.company import company_rpc_call_on_record
from gatehouse_client.api.echo import echo_call, echo_call_by_get
from gatehouse_client.api.numbers import numbers_create
from gatehouse_client.api.o_auth_2 import oauth2_token
from gatehouse_client.api.partners import partner_rest_search
from gatehouse_client.api.records import (
    records_create,
    records_delete,
    records_delete_many,
    records_read,
    records_read_many,
    records_search,
    records_update,
    records_update_many,
)
from gatehouse_client.models import (
    CompanyRpcArguments,
    EchoArguments,
    Failure,
    NumbersCreate,
    Oauth2TokenRequest,
    RecordsCreate,
    RecordsCreateItem,
    RecordsReadFieldsItem,
    RecordsUpdate,
    RecordsUpdateCommon,
    RecordsUpdateOwn,
)

url = os.environ["URL"]
with Client(url) as anyone:
    form = Oauth2TokenRequest(client_id=os.environ["CLIENT_ID"], client_secret=os.environ["CLIENT_SECRET"])
    token = oauth2_token.sync(client=anyone, body=form).access_token
    called = company_rpc_call_on_record.sync(1, client=anyone, body=CompanyRpcArguments(is_uppercase=True))
    assert called.result.isupper(), called

with AuthenticatedClient(url, token) as client:
    partners = partner_rest_search.sync(client=client, limit=2, order="id").result
    assert len(partners.records) == 2, partners
    assert partners.length > 2

    made = records_create.sync(client=client, body=RecordsCreate(name="one", day="2026-01-31", state="done")).result
    assert (made.name, made.day, made.state, made.partner_id) == ("one", "2026-01-31", "done", []), made
    read = records_read.sync(made.id, client=client, fields=[RecordsReadFieldsItem.NAME, RecordsReadFieldsItem.COUNT])
    assert (read.result.name, read.result.count) == ("one", 0), read
    changed = records_update.sync(made.id, client=client, body=RecordsUpdate(name="other", state="draft")).result
    assert changed.name == "other"
    refused = records_create.sync(client=client, body=RecordsCreate(name="forbidden"))
    assert refused.error.data.name == "odoo.exceptions.ValidationError", refused
    missing = records_read.sync("made-up", client=client)
    assert isinstance(missing, Failure), missing
    assert missing.error.code == 404

    several = records_create.sync(client=client, body=[RecordsCreateItem(name="a"), RecordsCreateItem(name="b")]).result
    ids = [each.id for each in several]
    own = records_update_many.sync(client=client, body=[RecordsUpdateOwn(id=ids[0], count=1)]).result
    assert own[0].count == 1
    common = records_update_many.sync(client=client, body=RecordsUpdateCommon(ids=ids, count=2)).result
    assert [each.count for each in common] == [2, 2]
    again = records_read_many.sync(client=client, ids=ids).result
    assert [each.name for each in again] == ["a", "b"]
    found = records_search.sync(client=client, domain='[["count", "=", 2]]').result
    assert found.length == 2
    tried = records_create.sync(client=client, body=[RecordsCreateItem(name="forbidden")], atomic=False).result
    assert tried[0].status == 422, tried
    assert records_delete_many.sync(client=client, body=ids).result == ids
    assert records_delete.sync(made.id, client=client).result == [made.id]

    number = numbers_create.sync(client=client, body=NumbersCreate(name="numbers", ratio=1.5)).result
    assert (number.day, number.partner_id, number.ratio) == (None, None, 1.5), number
    assert echo_call.sync(client=client, body=EchoArguments(value=[1])).result["value"] == [1]
    assert echo_call_by_get.sync(client=client, value="[2]").result["value"] == [2]
print("done")
