"""Calls a live server with the client that OpenAPI Generator has made in Python."""

import os

from gatehouse_client import (
    ApiClient,
    CompanyApi,
    CompanyRpcArguments,
    CompanyRpcCallRequest,
    Configuration,
    EchoApi,
    EchoArguments,
    EchoCallRequest,
    NumbersApi,
    NumbersCreate,
    NumbersCreateRequest,
    OAuth2Api,
    PartnersApi,
    RecordsApi,
    RecordsCreate,
    RecordsCreateItem,
    RecordsCreateRequest,
    RecordsDeleteManyRequest,
    RecordsUpdate,
    RecordsUpdateCommon,
    RecordsUpdateManyRequest,
    RecordsUpdateOwn,
)
from gatehouse_client.exceptions import NotFoundException

# The address of the server is that of the document.
configuration = Configuration()
assert configuration.host == os.environ["URL"]
with ApiClient(configuration) as client:
    credentials = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
    configuration.access_token = OAuth2Api(client).oauth2_token(**credentials).access_token

    partners = PartnersApi(client).partner_rest_search(limit=2, order="id").result
    assert len(partners.records) == 2, partners
    assert partners.length > 2

    records = RecordsApi(client)
    body = RecordsCreateRequest(RecordsCreate(name="one", day="2026-01-31", state="done"))
    made = records.records_create(body).result.actual_instance
    assert (made.name, made.day, made.state, made.partner_id) == ("one", "2026-01-31", "done", []), made
    read = records.records_read(made.id, fields=["name", "count"]).result
    assert (read.name, read.count) == ("one", 0), read
    changed = records.records_update(made.id, RecordsUpdate(name="other", state="draft")).result
    assert changed.name == "other"
    refused = records.records_create(RecordsCreateRequest(RecordsCreate(name="forbidden")))
    assert refused.error.data.name == "odoo.exceptions.ValidationError", refused
    missing = None
    try:
        records.records_read("madeup")
    except NotFoundException as error:
        missing = error.data.error.code
    assert missing == 404

    items = [RecordsCreateItem(name="a"), RecordsCreateItem(name="b")]
    several = records.records_create(RecordsCreateRequest(items)).result.actual_instance
    ids = [each.id for each in several]
    own = records.records_update_many(RecordsUpdateManyRequest([RecordsUpdateOwn(id=ids[0], count=1)])).result
    assert own[0].count == 1
    body = RecordsUpdateManyRequest(RecordsUpdateCommon(ids=ids, count=2))
    assert [each.count for each in records.records_update_many(body).result] == [2, 2]
    again = records.records_read_many(ids=ids).result
    assert [each.name for each in again] == ["a", "b"]
    assert records.records_search(domain='[["count", "=", 2]]').result.length == 2
    deleted = records.records_delete_many(RecordsDeleteManyRequest(ids)).result
    assert [each.actual_instance for each in deleted] == ids
    assert records.records_delete(made.id).result == [made.id]

    body = NumbersCreateRequest(NumbersCreate(name="numbers", ratio=1.5))
    number = NumbersApi(client).numbers_create(body).result.actual_instance
    assert (number.day, number.partner_id, number.ratio) == (None, None, 1.5), number
    echo = EchoApi(client)
    assert echo.echo_call(echo_call_request=EchoCallRequest(EchoArguments(value=[1]))).result["value"] == [1]
    assert echo.echo_call_by_get(value="[2]").result["value"] == [2]
    arguments = CompanyRpcCallRequest(CompanyRpcArguments(is_uppercase=True))
    assert CompanyApi(client).company_rpc_call_on_record(1, company_rpc_call_request=arguments).result.isupper()
print("done")
