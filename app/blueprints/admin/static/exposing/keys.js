// The keys of a model: fields, and external ids, by whose value callers name a record.

import { make, unique } from "./elements.js";

const TYPES = ["char", "integer", "many2one"];

export const upsertKeys = (entry, fields, place, save) => {
  const id = `${place}-upsert_keys`;
  const known = make("datalist", { id: unique("known-keys") },
    ...["external_id", ...fields.filter((field) => TYPES.includes(field.type) && field.writable).map((field) => field.name)]
      .map((value) => make("option", { value })));
  const input = make("input", { id, list: known.id, autocomplete: "off", spellcheck: "false", value: (entry.upsert_keys || []).join(", "), oninput: () => {
    const names = input.value.split(",").map((name) => name.trim()).filter(Boolean);
    if (names.length) entry.upsert_keys = names; else delete entry.upsert_keys;
    save();
  } });
  return make("details", { class: "upsert-keys", open: Boolean((entry.upsert_keys || []).length) },
    make("summary", { text: "Keys" }),
    make("div", { class: "field" }, make("label", { for: id, text: "What names a record besides its id" }), input, known,
      make("p", { class: "help", text: "Names, separated by commas: external_id, which each caller has for itself, and fields that are shown, searched by and written. Callers create or update a record by the value of one, also many at once." })));
};
