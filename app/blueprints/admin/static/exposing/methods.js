// The method of an API of type rpc: chosen from those of its model, with what they take, and what has to be said of that.

import { finder, make, select, unique } from "./elements.js";
import { methodOf, methodsOf } from "./odoo.js";

const HARMLESS = "harmless";

// "partner_id: res.partner" on each line.
const readArguments = (text) => new Map(text.split("\n").filter((line) => line.includes(":")).map((line) => {
  const [name, ...rest] = line.split(":");
  return [name.trim(), rest.join(":").trim()];
}));
const writeArguments = (declared) => [...declared].map(([name, what]) => `${name}: ${what}`).join("\n");

export const methodPicker = (form, modelOf) => {
  const root = document.querySelector("[data-method-picker]");
  const input = form.elements.method;
  const declared = form.elements.arguments;
  const list = make("div", { class: "methods", tabindex: "0", role: "radiogroup", "aria-label": "Methods" });
  const about = make("div", { class: "method-about", role: "region", "aria-label": "The chosen method", hidden: true });
  let model = null;

  const declare = (name, what) => {
    const all = readArguments(declared.value);
    if (what) all.set(name, what); else all.delete(name);
    declared.value = writeArguments(all);
    declared.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const parameterRow = (parameter) => {
    const present = readArguments(declared.value).get(parameter.name) || "";
    const kind = present === HARMLESS ? HARMLESS : present ? "ids" : "";
    const of = make("input", { id: unique("ids-of"), autocomplete: "off", spellcheck: "false", placeholder: "res.partner", value: kind === "ids" ? present : "", "aria-label": `Model of the ids in ${parameter.name}`, oninput: () => declare(parameter.name, of.value.trim()) });
    const modelBox = make("span", { hidden: kind !== "ids" }, of);
    const tag = make("span", { class: "tag warn", text: "To be declared", hidden: !parameter.declare || Boolean(kind) });
    const choice = select([["", parameter.declare ? "Choose …" : "Passed as it is"], ["ids", "Ids of records"], [HARMLESS, "Harmless: reaches no field"]], kind, (chosen) => {
      modelBox.hidden = chosen !== "ids";
      tag.hidden = !parameter.declare || Boolean(chosen);
      declare(parameter.name, chosen === HARMLESS ? HARMLESS : chosen === "ids" ? of.value.trim() : "");
      if (chosen === "ids") of.focus();
    }, { "aria-label": `What ${parameter.name} is` });
    const stars = parameter.name.startsWith("*");
    const given = stars ? "whatever else is given" : parameter.optional ? `may be left out${parameter.default === null ? "" : `: ${JSON.stringify(parameter.default)}`}` : "needed";
    const item = make("li", {}, make("div", {}, make("code", { text: parameter.name }), " ", make("small", { text: given }), " ", tag),
      make("div", { class: "declare" }, choice, modelBox));
    if (parameter.declare) item.append(make("p", { class: "help", text: `A caller may reach any field by it: ${parameter.declare}.` }));
    Picker.attach(of, "models", (q) => ({ q }));
    return item;
  };

  const tell = async () => {
    const name = input.value.trim();
    const found = model && name ? await methodOf(model, name).catch(() => null) : null;
    if (name !== input.value.trim()) return; // another was chosen meanwhile
    about.hidden = !found;
    if (!found) return;
    about.replaceChildren(
      make("h3", { text: name }),
      make("p", { class: "note", text: found.on_model ? "Called on the model: POST to the route." : "Called on records: POST to the route with an id, or without one where it needs none." }),
      ...(found.doc ? [make("pre", { class: "doc", text: found.doc })] : []),
      ...(found.parameters.length ? [make("h4", { text: "What it takes" }), make("ul", { class: "parameters" }, ...found.parameters.map(parameterRow))] : [make("p", { text: "It takes no arguments." })]));
  };
  const follow = () => {
    for (const radio of list.querySelectorAll("input")) radio.checked = radio.value === input.value.trim();
    tell();
  };

  const item = (method) => {
    const id = unique("method");
    const radio = make("input", { type: "radio", name: "chosen-method", form: "", id, value: method.value, onchange: () => {
      input.value = method.value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    } });
    return make("div", { class: "method-choice", "data-name": method.value, "data-doc": method.label }, radio,
      make("label", { for: id }, make("code", { text: `${method.value}(${method.signature})` }), ...(method.label ? [make("span", { class: "help", text: method.label })] : [])));
  };
  const fill = async (found) => {
    list.replaceChildren(...found.map(item));
    const search = finder(`Find a method of ${model}`, list, (row) => [row.dataset.name, row.dataset.name.replaceAll("_", " "), row.dataset.doc], { placeholder: "Find a method" });
    root.replaceChildren(make("div", { class: "model-tools" }, make("strong", { text: "Method" }), search, make("span", { class: "note", text: `${found.length} that Odoo lets one call` })), list, about);
    follow();
  };

  input.addEventListener("input", follow);
  declared.addEventListener("change", tell);
  return {
    draw: () => {
      const wanted = form.elements.type.value === "rpc" ? modelOf() : "";
      if (wanted === model) return;
      model = wanted;
      root.replaceChildren();
      if (model) methodsOf(model).then((found) => { if (model === wanted) fill(found); }, () => {});
    },
  };
};
