// Calls a live server with the client that orval has made.
import assert from "node:assert/strict";
import * as api from "./made/client.js";

const token = await api.oauth2Token({
  client_id: process.env["CLIENT_ID"]!,
  client_secret: process.env["CLIENT_SECRET"]!,
});
assert.ok(token.status === 200);
const headers = { Authorization: `Bearer ${token.data.access_token}` };

const partners = await api.partnerRestSearch({ limit: 2, order: "id" }, { headers });
assert.ok(partners.status === 200);
assert.equal(partners.data.result?.records.length, 2);

async function create(body: api.RecordsCreate | api.RecordsCreateItem[]) {
  const created = await api.recordsCreate(body, undefined, { headers });
  assert.ok(created.status === 200);
  return created.data;
}

const one = (await create({ name: "one", day: "2026-01-31", state: "done" })).result as api.RecordsWritten;
assert.deepEqual([one.name, one.day, one.state, one.partner_id], ["one", "2026-01-31", "done", []]);
const read = await api.recordsRead(one.id, { fields: ["name", "count"] }, { headers });
assert.ok(read.status === 200);
assert.deepEqual(read.data.result, { id: one.id, name: "one", count: 0 });
const changed = await api.recordsUpdate(one.id, { name: "other", state: "draft" }, undefined, { headers });
assert.ok(changed.status === 200);
assert.equal(changed.data.result?.name, "other");
assert.equal((await create({ name: "forbidden" })).error?.data.name, "odoo.exceptions.ValidationError");
const missing = await api.recordsRead("madeup", undefined, { headers });
assert.ok(missing.status === 404);
assert.equal(missing.data.error.code, 404);

const several = (await create([{ name: "a" }, { name: "b" }])).result as api.RecordsWrittenItem[];
const ids = several.map((record) => record.id!);
const own = await api.recordsUpdateMany([{ id: ids[0]!, count: 1 }], undefined, { headers });
assert.ok(own.status === 200);
assert.equal(own.data.result?.[0]?.count, 1);
const common = await api.recordsUpdateMany({ ids, count: 2 }, undefined, { headers });
assert.ok(common.status === 200);
assert.deepEqual(common.data.result?.map((record) => record.count), [2, 2]);
const again = await api.recordsReadMany({ ids }, { headers });
assert.ok(again.status === 200);
assert.deepEqual(again.data.result?.map((record) => record.name), ["a", "b"]);
const found = await api.recordsSearch({ domain: '[["count", "=", 2]]' }, { headers });
assert.ok(found.status === 200);
assert.equal(found.data.result?.length, 2);
const deleted = await api.recordsDeleteMany(ids, undefined, { headers });
assert.ok(deleted.status === 200);
assert.deepEqual(deleted.data.result, ids);
await api.recordsDelete(one.id, { headers });

const numbers = await api.numbersCreate({ name: "numbers", ratio: 1.5 }, undefined, { headers });
assert.ok(numbers.status === 200);
const number = numbers.data.result as api.NumbersWritten;
assert.deepEqual([number.day, number.partner_id, number.ratio], [null, null, 1.5]);
const echo = await api.echoCall({ value: [1] }, { headers });
assert.ok(echo.status === 200);
assert.deepEqual((echo.data.result as { value: unknown }).value, [1]);
const company = await api.companyRpcCallOnRecord(1, { is_uppercase: true });
assert.ok(company.status === 200);
assert.match(company.data.result as string, /^[^a-z]+$/);
console.log("done");
