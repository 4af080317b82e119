"""Calls a live server with the client that openapi-python-client has made."""

import os

from gatehouse_client import AuthenticatedClient, Client
from gatehouse_client.api.batch import batch
from gatehouse_client.api.company import company_rpc_call_on_record
from gatehouse_client.api.echo import echo_call, echo_call_by_get
from gatehouse_client.api.numbers import numbers_create
from gatehouse_client.api.o_auth_2 import oauth2_token
from gatehouse_client.api.partners import partner_rest_search
from gatehouse_client.api.records import (
    records_create,
    records_delete,
    records_delete_by_key_code,
    records_delete_many,
    records_read,
    records_read_by_key_code,
    records_read_many,
    records_search,
    records_update,
    records_update_many,
    records_upsert_code,
    records_upsert_external_id,
)
from gatehouse_client.models import (
    Batch,
    BatchStep,
    BatchStepMethod,
    CompanyRpcArguments,
    EchoArguments,
    Failure,
    NumbersCreate,
    Oauth2TokenRequest,
    RecordsCreate,
    RecordsCreateItem,
    RecordsCreateOnConflict,
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

    first = records_upsert_code.sync_detailed("A/1", client=client, body=RecordsUpdate(name="first"))
    assert (first.status_code, first.parsed.result.code) == (201, "A/1"), first
    second = records_upsert_code.sync_detailed("A/1", client=client, body=RecordsUpdate(name="second"))
    assert (second.status_code, second.parsed.result.id) == (200, first.parsed.result.id), second
    assert records_read_by_key_code.sync("A/1", client=client).result.name == "second"
    assert records_delete_by_key_code.sync("A/1", client=client).result == [first.parsed.result.id]
    ours = records_upsert_external_id.sync("order 1", client=client, body=RecordsUpdate(name="ours")).result
    rows = [RecordsCreateItem(name="ours", code="B1"), RecordsCreateItem(name="new", code="B2")]
    records_update.sync(ours.id, client=client, body=RecordsUpdate(code="B1"))
    outcomes = records_create.sync(client=client, body=rows, on_conflict=RecordsCreateOnConflict.CODE).result
    assert [each.outcome for each in outcomes] == ["updated", "created"], outcomes

    steps = [
        BatchStep(ref="p", method=BatchStepMethod.POST, path="/api/records", body={"name": "parent"}),
        BatchStep(method=BatchStepMethod.POST, path="/api/records", body={"name": "child", "parent_id": "@{p.id}"}),
    ]
    dry = batch.sync_detailed(client=client, body=Batch(steps=steps), prefer="tx=rollback")
    assert dry.headers["Preference-Applied"] == "tx=rollback", dry
    parent, child = batch.sync(client=client, body=Batch(steps=steps)).result
    assert [parent.status, child.status] == [200, 200], parent
    assert child.result["parent_id"][0] == parent.result["id"], child
    refused = batch.sync(
        client=client, body=Batch(steps=[*steps, BatchStep(method=BatchStepMethod.GET, path="/api/records/none")])
    )
    assert (refused.error.code, refused.error.data.step) == (404, 2), refused

    number = numbers_create.sync(client=client, body=NumbersCreate(name="numbers", ratio=1.5)).result
    assert (number.day, number.partner_id, number.ratio) == (None, None, 1.5), number
    assert echo_call.sync(client=client, body=EchoArguments(value=[1])).result["value"] == [1]
    assert echo_call_by_get.sync(client=client, value="[2]").result["value"] == [2]
print("done")
