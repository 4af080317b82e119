// Calls a live server with the client that hey-api has made.
import assert from "node:assert/strict";
import { client } from "./made/client.gen";
import * as api from "./made/index";

async function main(): Promise<void> {
  assert.equal(client.getConfig().baseUrl, process.env["URL"]); // that of the document
  const { data: answer } = await api.oauth2Token({
    body: { client_id: process.env["CLIENT_ID"]!, client_secret: process.env["CLIENT_SECRET"]! },
  });
  client.setConfig({ auth: (scheme) => (scheme.in === "cookie" ? undefined : answer!.access_token) });

  const partners = await api.partnerRestSearch({ query: { limit: 2, order: "id" } });
  assert.equal(partners.data?.result?.records.length, 2);

  const created = await api.recordsCreate({ body: { name: "one", day: "2026-01-31", state: "done" } });
  const one = created.data?.result as api.RecordsWritten;
  assert.deepEqual([one.name, one.day, one.state, one.partner_id], ["one", "2026-01-31", "done", []]);
  const read = await api.recordsRead({ path: { id: one.id }, query: { fields: ["name", "count"] } });
  assert.deepEqual(read.data?.result, { id: one.id, name: "one", count: 0 });
  const changed = await api.recordsUpdate({ path: { id: one.id }, body: { name: "other", state: "draft" } });
  assert.equal(changed.data?.result?.name, "other");
  const refused = await api.recordsCreate({ body: { name: "forbidden" } });
  assert.equal(refused.data?.error?.data.name, "odoo.exceptions.ValidationError");
  const missing = await api.recordsRead({ path: { id: "madeup" } });
  assert.equal((missing.error as api.Failure).error.code, 404);

  const several = await api.recordsCreate({ body: [{ name: "a" }, { name: "b" }] });
  const ids = (several.data?.result as api.RecordsWritten[]).map((record) => record.id);
  const own = await api.recordsUpdateMany({ body: [{ id: ids[0]!, count: 1 }] });
  assert.equal(own.data?.result?.[0]?.count, 1);
  const common = await api.recordsUpdateMany({ body: { ids, count: 2 } });
  assert.deepEqual(common.data?.result?.map((record) => record.count), [2, 2]);
  const again = await api.recordsReadMany({ query: { ids } });
  assert.deepEqual(again.data?.result?.map((record) => record.name), ["a", "b"]);
  const found = await api.recordsSearch({ query: { domain: '[["count", "=", 2]]' } });
  assert.equal(found.data?.result?.length, 2);
  const deleted = await api.recordsDeleteMany({ body: ids });
  assert.deepEqual(deleted.data?.result, ids);
  await api.recordsDelete({ path: { id: one.id } });

  const numbers = await api.numbersCreate({ body: { name: "numbers", ratio: 1.5 } });
  const number = numbers.data?.result as api.NumbersWritten;
  assert.deepEqual([number.day, number.partner_id, number.ratio], [null, null, 1.5]);
  const echo = await api.echoCall({ body: { value: [1] } });
  assert.deepEqual((echo.data?.result as { value: unknown }).value, [1]);
  const company = await api.companyRpcCallOnRecord({ path: { id: 1 }, body: { is_uppercase: true } });
  assert.match(company.data?.result as string, /^[^a-z]+$/);
  console.log("done");
}

void main();
