// The editor of an API's models and fields. What it makes stands, as JSON, in the text field that it replaces, so the
// server sees the same with and without it.
"use strict";

(() => {
  const root = document.querySelector("[data-models-editor]");
  const text = document.getElementById("models");
  const form = document.querySelector("[data-api-form]");
  let models;
  try {
    models = JSON.parse(text.value || "[]");
  } catch {
    return; // YAML by hand: leave it as it is
  }
  if (!Array.isArray(models)) return;

  const MAX_DEPTH = 3;
  const descriptions = new Map();
  const describe = (model) => {
    if (!descriptions.has(model)) descriptions.set(model, Picker.ask("fields", { model }));
    return descriptions.get(model);
  };
  const save = () => { text.value = JSON.stringify(models, null, 1); };
  let numbers = 0;

  // make("label", {class: "x", text: "y", onclick: f}, child, ...)
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") element.textContent = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (typeof value === "boolean") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const checkbox = (label, checked, change, attributes = {}) => {
    const id = `pick-${++numbers}`;
    const input = make("input", { type: "checkbox", id, checked, onchange: (event) => { change(event.target.checked); save(); }, ...attributes });
    return label ? make("span", { class: "check" }, input, " ", make("label", { for: id, text: label })) : input;
  };

  // A list in a document: put a name in or take it out, in the order of the model's fields.
  const toggled = (names, name, on, order) => {
    const wanted = new Set(names);
    if (on) wanted.add(name); else wanted.delete(name);
    const known = order.filter((each) => wanted.has(each));
    return [...known, ...[...wanted].filter((each) => !order.includes(each))];
  };

  // The tree below a relational field. ``items`` is a list of names and {name: items}, as in the definition.
  const tree = (relation, items, depth, changed) => {
    const list = make("ul", { class: "tree" }, make("li", { text: "Loading …" }));
    describe(relation).then(({ fields }) => {
      const rows = fields.map((field) => {
        const nested = () => items.find((item) => typeof item === "object" && field.name in item);
        const row = make("li", {}, checkbox(`${field.label} `, items.includes(field.name), (on) => {
          const at = items.indexOf(field.name);
          if (on && at < 0) items.unshift(field.name);
          if (!on && at >= 0) items.splice(at, 1);
          changed();
        }), make("small", { text: `${field.name} · ${field.type}` }));
        if (field.relation && depth < MAX_DEPTH) row.append(branch(field, nested(), depth + 1, (below) => {
          const old = nested();
          if (old) items.splice(items.indexOf(old), 1);
          if (below.length) items.push({ [field.name]: below });
          changed();
        }));
        return row;
      });
      list.replaceChildren(...rows);
    }, () => list.replaceChildren(make("li", { class: "error", text: "These fields can't be exposed." })));
    return list;
  };
  const branch = (field, present, depth, changed) => {
    const items = present ? [...present[field.name]] : [];
    const summary = make("summary", {});
    const label = () => { summary.textContent = `Fields of ${field.label}${items.length ? ` (${items.length} taken along)` : ""}`; };
    label();
    const details = make("details", {}, summary);
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) {
        details.append(tree(field.relation, items, depth, () => { label(); changed(items); save(); }));
      }
    });
    return details;
  };

  const fieldRow = (entry, field, order, refresh) => {
    const all = entry.fields === "all";
    const shown = all || (entry.fields || []).includes(field.name);
    const tick = (key, label, possible) => {
      const own = Array.isArray(entry[key]);
      return make("td", { class: "tick" }, checkbox("", own ? entry[key].includes(field.name) : shown && possible, (on) => {
        entry[key] = toggled(entry[key], field.name, on, order);
      }, { "aria-label": `${label}: ${field.label} (${field.name})`, disabled: !own || !shown || !possible }));
    };
    const name = make("td", {}, make("span", { text: field.label, title: field.help || field.label }), " ", make("small", { text: `${field.name} · ${field.type}${field.required ? " · required" : ""}` }));
    if (field.relation && shown) {
      const present = entry.related && field.name in entry.related ? { [field.name]: entry.related[field.name] } : null;
      name.append(branch(field, present, 1, (items) => {
        const related = { ...entry.related, [field.name]: items };
        if (!items.length) delete related[field.name];
        entry.related = related;
        save();
      }));
    }
    const row = make("tr", { "data-search": `${field.label} ${field.name}`.toLowerCase(), "data-shown": shown ? "1" : "" },
      make("td", { class: "tick" }, checkbox("", shown, (on) => {
        entry.fields = toggled(entry.fields || [], field.name, on, order);
        if (!on) {
          for (const key of ["search_fields", "writable_fields"]) if (Array.isArray(entry[key])) entry[key] = entry[key].filter((each) => each !== field.name);
          if (entry.related) delete entry.related[field.name];
        }
        row.replaceWith(refresh(field));
        const again = document.getElementById(`shown-${entry.model}-${field.name}`);
        if (again) again.focus();
      }, { "aria-label": `Show: ${field.label} (${field.name})`, disabled: all, id: `shown-${entry.model}-${field.name}` })),
      tick("search_fields", "Search by", field.searchable), tick("writable_fields", "Write", field.writable), name);
    return row;
  };

  const fieldTable = (entry, fields) => {
    const order = fields.map((field) => field.name);
    const refresh = (field) => fieldRow(entry, field, order, refresh);
    const rank = (field) => (entry.fields === "all" || (entry.fields || []).includes(field.name) ? 0 : 1);
    const sorted = [...fields].sort((one, two) => rank(one) - rank(two));
    const body = make("tbody", {}, ...sorted.map(refresh));
    const head = ["Show", "Search", "Write", "Field"].map((label, index) => make("th", { scope: "col", class: index < 3 ? "tick" : "", text: label }));
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), body);
    const filterId = `filter-${++numbers}`;
    const filter = make("input", { type: "search", id: filterId, placeholder: "Find a field", oninput: () => {
      const wanted = filter.value.toLowerCase();
      for (const row of body.rows) row.hidden = !row.dataset.search.includes(wanted);
    } });
    const own = (key, label) => checkbox(label, !Array.isArray(entry[key]), (on) => {
      if (on) delete entry[key];
      else {
        const possible = key === "search_fields" ? "searchable" : "writable";
        entry[key] = fields.filter((field) => field[possible] && (entry.fields === "all" || (entry.fields || []).includes(field.name))).map((field) => field.name);
      }
      body.replaceChildren(...[...sorted].map(refresh));
    });
    return [
      make("div", { class: "model-tools" },
        checkbox("All fields, also new ones", entry.fields === "all", (on) => {
          entry.fields = on ? "all" : [...order];
          body.replaceChildren(...[...sorted].map(refresh));
        }),
        own("search_fields", "Search by every shown field"), own("writable_fields", "Write every shown field that can be written"),
        make("span", { class: "filter" }, make("label", { for: filterId, class: "hidden", text: `Find a field of ${entry.model}` }), filter)),
      make("div", { class: "fields-box", tabindex: "0", role: "group", "aria-label": `Fields of ${entry.model}` }, table),
    ];
  };

  const block = (entry) => {
    const section = make("div", { class: "model" });
    const title = make("h3", { text: entry.model });
    const remove = make("button", { type: "button", "aria-label": `Remove ${entry.model}`, text: "Remove", onclick: () => {
      models.splice(models.indexOf(entry), 1);
      save();
      draw();
      document.getElementById("add-model").focus();
    } });
    const body = make("div", { class: "only-rest", hidden: form.elements.type.value !== "rest" });
    const domainId = `domain-${++numbers}`;
    const domain = make("input", { id: domainId, spellcheck: "false", autocomplete: "off", value: entry.domain ? (typeof entry.domain === "string" ? entry.domain : JSON.stringify(entry.domain)) : "", oninput: () => {
      if (domain.value.trim()) entry.domain = domain.value; else delete entry.domain;
      save();
    } });
    section.append(make("div", { class: "heading" }, title, remove), body, make("div", { class: "field" },
      make("label", { for: domainId, text: "Only these records" }), domain,
      make("p", { class: "help", text: 'An Odoo domain that is always added, such as [["active", "=", true]]. Empty for all that the caller may see.' })));
    describe(entry.model).then(({ label, fields }) => {
      title.textContent = `${label} (${entry.model})`;
      body.append(...fieldTable(entry, fields));
    }, () => body.append(make("p", { class: "error", text: `Odoo has no model ${entry.model} that can be exposed.` })));
    return section;
  };

  const adder = () => {
    const input = make("input", { id: "add-model", autocomplete: "off", spellcheck: "false" });
    const add = () => {
      const model = input.value.trim();
      if (!model || models.some((entry) => entry.model === model)) return;
      models.push(form.elements.type.value === "rpc" ? { model } : { model, fields: [] });
      save();
      draw();
    };
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); add(); } });
    const row = make("div", { class: "add-model" }, make("div", { class: "field" }, make("label", { for: "add-model", text: models.length ? "Add another model" : "Model" }), input),
      make("button", { type: "button", text: "Add model", onclick: add }));
    Picker.attach(input, "models", (q) => ({ q }));
    return row;
  };

  const draw = () => root.replaceChildren(...models.filter((entry) => entry && entry.model).map(block), adder());

  const method = document.querySelector("[data-pick=methods]");
  Picker.attach(method, "methods", () => ({ model: models.length ? models[0].model : "" }));
  method.addEventListener("focus", () => method.dispatchEvent(new Event("input")));
  for (const child of document.querySelector(".models-text").children) {
    if (!child.classList.contains("error")) child.hidden = true; // what is wrong stays to be read
  }
  draw();
})();
