// Calls a live server by the types that openapi-typescript has made, with its own openapi-fetch.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./made/schema.js";

const client = createClient<paths>({ baseUrl: process.env["URL"]! });
const { data: answer } = await client.POST("/api/oauth2/token", {
  body: { client_id: process.env["CLIENT_ID"]!, client_secret: process.env["CLIENT_SECRET"]! },
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  bodySerializer: (body) => new URLSearchParams(body as Record<string, string>),
});
client.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${answer!.access_token}`);
    return request;
  },
});

const partners = await client.GET("/api/partner/rest", { params: { query: { limit: 2, order: "id" } } });
assert.equal(partners.data?.result?.records.length, 2);

type Written = components["schemas"]["RecordsWritten"];
const created = await client.POST("/api/records", { body: { name: "one", day: "2026-01-31", state: "done" } });
const one = created.data?.result as Written;
assert.deepEqual([one.name, one.day, one.state, one.partner_id], ["one", "2026-01-31", "done", []]);
const read = await client.GET("/api/records/{id}", {
  params: { path: { id: one.id }, query: { fields: ["name", "count"] } },
});
assert.deepEqual(read.data?.result, { id: one.id, name: "one", count: 0 });
const changed = await client.PATCH("/api/records/{id}", {
  params: { path: { id: one.id } },
  body: { name: "other", state: "draft" },
});
assert.equal(changed.data?.result?.name, "other");
const refused = await client.POST("/api/records", { body: { name: "forbidden" } });
assert.equal(refused.data?.error?.data.name, "odoo.exceptions.ValidationError");
const missing = await client.GET("/api/records/{id}", { params: { path: { id: "madeup" } } });
assert.equal(missing.error?.error.code, 404);

const several = await client.POST("/api/records", { body: [{ name: "a" }, { name: "b" }] });
const ids = (several.data?.result as Written[]).map((record) => record.id);
const own = await client.PATCH("/api/records", { body: [{ id: ids[0]!, count: 1 }] });
assert.equal(own.data?.result?.[0]?.count, 1);
const common = await client.PATCH("/api/records", { body: { ids, count: 2 } });
assert.deepEqual(common.data?.result?.map((record) => record.count), [2, 2]);
const again = await client.GET("/api/records/bulk", { params: { query: { ids } } });
assert.deepEqual(again.data?.result?.map((record) => record.name), ["a", "b"]);
const found = await client.GET("/api/records", { params: { query: { domain: '[["count", "=", 2]]' } } });
assert.equal(found.data?.result?.length, 2);
const deleted = await client.DELETE("/api/records", { body: ids });
assert.deepEqual(deleted.data?.result, ids);
await client.DELETE("/api/records/{id}", { params: { path: { id: one.id } } });

const numbers = await client.POST("/api/numbers", { body: { name: "numbers", ratio: 1.5 } });
const number = numbers.data?.result as components["schemas"]["NumbersWritten"];
assert.deepEqual([number.day, number.partner_id, number.ratio], [null, null, 1.5]);
const echo = await client.POST("/api/echo", { body: { value: [1] } });
assert.deepEqual((echo.data?.result as { value: unknown }).value, [1]);
const company = await client.POST("/api/company/rpc/{id}", { params: { path: { id: 1 } }, body: { is_uppercase: true } });
assert.match(company.data?.result as string, /^[^a-z]+$/);
console.log("done");
