// Calls a live server with the client that OpenAPI Generator has made in TypeScript.
import assert from "node:assert/strict";
import * as api from "./made/index";

async function main(): Promise<void> {
  const anyone = new api.Configuration();
  assert.equal(anyone.basePath, process.env["URL"]); // that of the document
  const token = await new api.OAuth2Api(anyone).oauth2Token({
    clientId: process.env["CLIENT_ID"]!,
    clientSecret: process.env["CLIENT_SECRET"]!,
  });
  const configuration = new api.Configuration({ accessToken: `Bearer ${token.access_token}` });

  const partners = await new api.PartnersApi(configuration).partnerRestSearch({ limit: 2, order: "id" });
  assert.equal(partners.result?.records.length, 2);

  const records = new api.RecordsApi(configuration);
  const created = await records.recordsCreate({ recordsCreateRequest: { name: "one", day: "2026-01-31", state: "done" } });
  const one = created.result as api.RecordsWritten;
  assert.deepEqual([one.name, one.day, one.state, one.partner_id], ["one", "2026-01-31", "done", []]);
  const read = await records.recordsRead({ id: one.id, fields: ["name", "count"] });
  assert.deepEqual(read.result, { id: one.id, name: "one", count: 0 });
  const changed = await records.recordsUpdate({ id: one.id, recordsUpdate: { name: "other", state: "draft" } });
  assert.equal(changed.result?.name, "other");
  const refused = await records.recordsCreate({ recordsCreateRequest: { name: "forbidden" } });
  assert.equal(refused.error?.data.name, "odoo.exceptions.ValidationError");
  const missing = await records.recordsRead({ id: "madeup" }).catch((error: api.ResponseError) => error.response);
  assert.equal((missing as Response).status, 404);

  const several = await records.recordsCreate({ recordsCreateRequest: [{ name: "a" }, { name: "b" }] });
  const ids = (several.result as api.RecordsWrittenItem[]).map((record) => record.id!);
  const own = await records.recordsUpdateMany({ recordsUpdateManyRequest: [{ id: ids[0]!, count: 1 }] });
  assert.equal(own.result?.[0]?.count, 1);
  const common = await records.recordsUpdateMany({ recordsUpdateManyRequest: { ids, count: 2 } });
  assert.deepEqual(common.result?.map((record) => record.count), [2, 2]);
  const again = await records.recordsReadMany({ ids });
  assert.deepEqual(again.result?.map((record) => record.name), ["a", "b"]);
  const found = await records.recordsSearch({ domain: '[["count", "=", 2]]' });
  assert.equal(found.result?.length, 2);
  const deleted = await records.recordsDeleteMany({ recordsDeleteManyRequest: ids });
  assert.deepEqual(deleted.result, ids);
  await records.recordsDelete({ id: one.id });

  const numbers = await new api.NumbersApi(configuration).numbersCreate({
    numbersCreateRequest: { name: "numbers", ratio: 1.5 },
  });
  const number = numbers.result as api.NumbersWritten;
  assert.deepEqual([number.day, number.partner_id, number.ratio], [null, null, 1.5]);
  const echo = await new api.EchoApi(configuration).echoCall({ echoCallRequest: { value: [1] } });
  assert.deepEqual(echo.result.value, [1]);
  const company = await new api.CompanyApi(anyone).companyRpcCallOnRecord({
    id: 1,
    companyRpcCallRequest: { is_uppercase: true },
  });
  assert.match(company.result, /^[^a-z]+$/);
  console.log("done");
}

void main();
