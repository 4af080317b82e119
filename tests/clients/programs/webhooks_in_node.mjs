// A receiver of webhooks in Node: it keeps a copy of the records, and takes what is signed alone.

import http from "node:http";
import { Webhook } from "standardwebhooks";

const signed = new Webhook(process.env.WEBHOOK_SECRET);
const records = new Map(); // tables, where it is more than a try
const seen = new Set();

const server = http.createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  let message;
  try {
    message = signed.verify(Buffer.concat(pieces), request.headers);
  } catch {
    response.writeHead(401).end();
    return;
  }
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    handle(message.type, message.data);
    seen.add(id); // in one transaction with what was done
  }
  response.writeHead(204).end();
});

function handle(kind, data) {
  if (kind === "created" || kind === "updated") records.set(data.id, data.record);
  else if (kind === "removed") records.delete(data.id);
  else if (kind === "resync") { /* read all records anew */ }
  console.log(kind, data.id ?? "-");
}

server.listen(Number(process.env.PORT), "127.0.0.1");
