// The table of a model's fields: which are shown, searched by and written.

import { checkbox, finder, make, unique } from "./elements.js";
import { branch } from "./related.js";

// A list in a document: put a name in or take it out, in the order of the model's fields.
const toggled = (names, name, on, order) => {
  const wanted = new Set(names);
  if (on) wanted.add(name); else wanted.delete(name);
  const known = order.filter((each) => wanted.has(each));
  return [...known, ...[...wanted].filter((each) => !order.includes(each))];
};

const isShown = (entry, name) => entry.fields === "all" || (entry.fields || []).includes(name);

const fieldRow = (entry, field, order, place, { redraw, changed }) => {
  const shown = isShown(entry, field.name);
  const called = `${field.label} (${field.name})`;
  const tick = (key, label, possible) => {
    const own = Array.isArray(entry[key]);
    const ticked = own ? entry[key].includes(field.name) : shown && possible;
    return make("td", { class: "tick" }, checkbox("", ticked, (on) => {
      entry[key] = toggled(entry[key], field.name, on, order);
      changed();
    }, { id: `${place}-${key}-${field.name}`, "aria-label": `${label}: ${called}`, disabled: !own || !shown || !(possible || ticked) }));
  };
  const show = checkbox("", shown, (on) => {
    entry.fields = toggled(entry.fields || [], field.name, on, order);
    if (!on) {
      for (const key of ["search_fields", "writable_fields"]) {
        if (Array.isArray(entry[key])) entry[key] = entry[key].filter((each) => each !== field.name);
      }
      if (entry.related) delete entry.related[field.name];
    }
    changed();
    redraw(field.name);
  }, { id: `${place}-fields-${field.name}`, "aria-label": `Show: ${called}`, disabled: entry.fields === "all" });
  const kind = field.needed ? `${field.type} · needed for a new record` : field.type;
  const name = make("td", {}, make("span", { text: field.label, title: field.help || field.label }), " ",
    make("small", { text: `${field.name} · ${kind}` }));
  if (field.relation && shown) name.append(branch(field, entry, place, changed));
  return make("tr", { "data-name": field.name, "data-label": field.label },
    make("td", { class: "tick" }, show), tick("search_fields", "Search by", field.searchable),
    tick("writable_fields", "Write", field.writable), name);
};

// What a new record needs and callers can't write: every create would fail.
const isWritten = (entry, name) => isShown(entry, name) && (!Array.isArray(entry.writable_fields) || entry.writable_fields.includes(name));
const missing = (entry, fields) => fields.filter((field) => field.needed && !isWritten(entry, field.name));

export const fieldTable = (entry, described, place, save) => {
  const unknown = (Array.isArray(entry.fields) ? entry.fields : []).filter((name) => !described.some((field) => field.name === name));
  const fields = [
    ...unknown.map((name) => ({ name, label: name, type: "not in Odoo", searchable: false, writable: false })),
    ...described.filter((field) => isShown(entry, field.name)), ...described.filter((field) => !isShown(entry, field.name)),
  ];
  const order = described.map((field) => field.name);
  const count = make("p", { class: "note", "aria-live": "polite" });
  const needs = make("p", { class: "note warning", hidden: true });
  const body = make("tbody");

  const tell = () => {
    const chosen = fields.filter((field) => isShown(entry, field.name)).length;
    count.textContent = `${chosen} of ${fields.length} fields chosen`;
    const lacking = missing(entry, described);
    needs.hidden = !lacking.length;
    if (!lacking.length) return;
    needs.replaceChildren(`A new record needs ${lacking.map((field) => field.label).join(", ")}: without, callers can't create any. `,
      make("button", { type: "button", text: lacking.length === 1 ? "Add it" : "Add them", onclick: () => {
        for (const { name } of lacking) {
          if (entry.fields !== "all") entry.fields = toggled(entry.fields || [], name, true, order);
          if (Array.isArray(entry.writable_fields)) entry.writable_fields = toggled(entry.writable_fields, name, true, order);
          redraw(name);
        }
        changed();
        document.getElementById(`${place}-fields-${lacking[0].name}`).focus();
      } }));
  };
  const changed = () => { tell(); save(); };
  const row = (field) => fieldRow(entry, field, order, place, { redraw, changed });
  // Cells are put into the row that is there: a search remembers the rows.
  const refill = (at) => at.replaceChildren(...row(fields.find((field) => field.name === at.dataset.name)).children);
  const redrawAll = () => [...body.rows].forEach(refill);
  const redraw = (name) => {
    refill([...body.rows].find((each) => each.dataset.name === name));
    const again = document.getElementById(`${place}-fields-${name}`);
    if (again) again.focus();
  };
  body.append(...fields.map(row));
  tell();

  const own = (key, label, possible) => checkbox(label, !Array.isArray(entry[key]), (on) => {
    if (on) delete entry[key];
    else entry[key] = described.filter((field) => field[possible] && isShown(entry, field.name)).map((field) => field.name);
    redrawAll();
    changed();
  }, { id: `${place}-${key}` });
  const head = ["Show", "Search", "Write", "Field"].map((label, index) => make("th", { scope: "col", class: index < 3 ? "tick" : "", text: label }));
  return [
    make("div", { class: "model-tools" },
      checkbox("All fields, also new ones", entry.fields === "all", (on) => {
        entry.fields = on ? "all" : [...order];
        redrawAll();
        changed();
      }, { id: unique("all-fields") }),
      own("search_fields", "Search by every shown field", "searchable"),
      own("writable_fields", "Write every shown field that can be written", "writable"),
      finder(`Find a field of ${entry.model}`, body, (each) => [each.dataset.label, each.dataset.name],
        { id: `${place}-fields`, placeholder: "Find a field" })),
    count, needs,
    make("div", { class: "fields-box", tabindex: "0", role: "group", "aria-label": `Fields of ${entry.model}` },
      make("table", {}, make("thead", {}, make("tr", {}, ...head)), body)),
  ];
};
