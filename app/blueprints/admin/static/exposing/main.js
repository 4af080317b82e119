// The editor of an API's models. What it makes stands, as JSON, in the text field that it replaces, so the server sees the
// same with and without it.

import { domainEditor } from "./domain.js";
import { make } from "./elements.js";
import { show as showFaults } from "./faults.js";
import { fieldTable } from "./fields.js";
import { smallestGroup } from "./groups.js";
import { upsertKeys } from "./keys.js";
import { methodPicker } from "./methods.js";
import { describe } from "./odoo.js";

const root = document.querySelector("[data-models-editor]");
const text = document.getElementById("models");
const form = document.querySelector("[data-api-form]");

const read = () => {
  try {
    const models = JSON.parse(text.value || "[]");
    return Array.isArray(models) && models.every((entry) => entry && typeof entry.model === "string") ? models : null;
  } catch {
    return null; // YAML by hand: leave it as it is
  }
};

const start = (models) => {
  const isRpc = () => form.elements.type.value === "rpc";
  const methods = methodPicker(form, () => (models.length ? models[0].model : ""));
  const save = () => {
    text.value = JSON.stringify(models, null, 1);
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const block = (entry, index) => {
    const place = `models-${index}`;
    const title = make("h3", { text: entry.model });
    const body = make("div", { class: "only-rest", hidden: isRpc() });
    const remove = make("button", { type: "button", "aria-label": `Remove ${entry.model}`, text: "Remove", onclick: () => {
      models.splice(index, 1);
      save();
      draw();
      document.getElementById("add-model").focus();
    } });
    const section = make("div", { class: "model", id: place, tabindex: "-1" }, make("div", { class: "heading" }, title, remove), body);
    const ready = describe(entry.model).then(({ label, fields }) => {
      title.textContent = `${label} (${entry.model})`;
      body.append(...fieldTable(entry, fields, place, save), upsertKeys(entry, fields, place, save), smallestGroup(entry, place, save));
      section.append(domainEditor(entry, fields, place, save));
    }, () => section.append(make("p", { class: "error", text: `Odoo has no model ${entry.model} that can be exposed.` })));
    return { section, ready };
  };

  const adder = () => {
    const input = make("input", { id: "add-model", autocomplete: "off", spellcheck: "false" });
    const add = async () => {
      const model = input.value.trim();
      if (!model || models.some((entry) => entry.model === model)) return;
      const known = await describe(model).catch(() => null);
      models.push(isRpc() ? { model } : { model, fields: known ? known.suggested : [] });
      save();
      draw();
    };
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); add(); } });
    const label = make("label", { for: "add-model", text: models.length ? "Add another model" : "Model" });
    const row = make("div", { class: "add-model", hidden: isRpc() && models.length > 0 },
      make("div", { class: "field" }, label, input), make("button", { type: "button", text: "Add model", onclick: add }));
    Picker.attach(input, "models", (q) => ({ q }));
    return row;
  };

  const draw = () => {
    const blocks = models.map(block);
    root.replaceChildren(...blocks.map(({ section }) => section), adder());
    methods.draw();
    return Promise.all(blocks.map(({ ready }) => ready));
  };

  form.elements.type.addEventListener("change", draw);
  for (const child of document.querySelector(".models-text").children) {
    if (!child.classList.contains("error")) child.hidden = true; // what is wrong stays to be read
  }
  draw().then(() => showFaults(document.querySelector(".summary")));
};

const models = read();
if (models) start(models);
