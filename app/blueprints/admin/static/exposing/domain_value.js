// The field of a row in which its value is given, fitting the type and the operator.

import { make, select, unique } from "./elements.js";
import { isList } from "./domain_text.js";
import { recordNamed } from "./odoo.js";

const NUMBERS = ["integer", "float", "monetary", "many2one_reference"];

// A record by its name: "Azure Interior (14)", of which the number counts.
const recordInput = (field, value, change, attributes) => {
  const input = make("input", { ...attributes, id: unique("record"), autocomplete: "off", required: true, placeholder: "Name, or id", value: value === "" ? "" : String(value) });
  const check = () => {
    const found = /^\s*(\d+)\s*$/.exec(input.value) || /\((\d+)\)\s*$/.exec(input.value);
    input.setCustomValidity(found || !input.value ? "" : "Choose a record of the list, or give its id.");
    change(found ? Number(found[1]) : "");
  };
  input.addEventListener("input", check);
  if (value !== "") recordNamed(field.relation, value).then((found) => { if (found && input.value === String(value)) input.value = `${found.label} (${value})`; }, () => {});
  const box = make("span", { class: "value" }, input);
  Picker.attach(input, "records", (q) => ({ model: field.relation, q: q.replace(/\s*\(\d+\)\s*$/, "") }), ({ value: id, label }) => `${label} (${id})`);
  return box;
};

const listInput = (field, value, change, attributes) => {
  const input = make("input", { ...attributes, required: true, autocomplete: "off", placeholder: "one, another", value: Array.isArray(value) ? value.join(", ") : value, oninput: () => {
    const parts = input.value.split(",").map((part) => part.trim()).filter(Boolean);
    const values = NUMBERS.includes(field.type) ? parts.map(Number) : parts;
    const wrong = values.some(Number.isNaN);
    input.setCustomValidity(wrong ? "Numbers, with commas between them." : "");
    change(wrong || !values.length ? "" : values);
  } });
  return input;
};

const plainInput = (field, value, change, attributes) => {
  const kind = { date: "date", datetime: "datetime-local" }[field.type] || (NUMBERS.includes(field.type) ? "number" : "text");
  const input = make("input", { ...attributes, type: kind, required: true, autocomplete: "off", step: kind === "number" ? (field.type === "integer" ? "1" : "any") : kind === "datetime-local" ? "1" : null,
    value: kind === "datetime-local" ? String(value).replace(" ", "T") : String(value), oninput: () => {
      if (kind === "number") change(input.value === "" ? "" : input.valueAsNumber);
      else if (kind === "datetime-local") change(input.value && `${input.value.replace("T", " ")}${input.value.length === 16 ? ":00" : ""}`);
      else change(input.value);
    } });
  return kind === "datetime-local" ? make("span", { class: "value" }, input, make("small", { text: " UTC" })) : input;
};

export const valueInput = (field, operator, value, change) => {
  const attributes = { "aria-label": `Value for ${field.label}`, class: "value" };
  if (isList(field.type, operator)) return listInput(field, value, change, attributes);
  if (field.type === "boolean") return select([["true", "Yes"], ["false", "No"]], String(value), (chosen) => change(chosen === "true"), attributes);
  if (field.type === "selection") return select(field.selection, value, change, attributes);
  if (field.relation) return recordInput(field, value, change, attributes);
  return plainInput(field, value, change, attributes);
};

// The value that a row begins with.
export const firstValue = (field, operator) => {
  if (isList(field.type, operator)) return "";
  if (field.type === "boolean") return true;
  return field.type === "selection" && field.selection.length ? field.selection[0][0] : "";
};
