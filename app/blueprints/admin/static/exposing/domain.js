// "Only these records": rows of field, operator and value, and the text that they stand for. Both stay in step.

import { make, select, unique } from "./elements.js";
import { isList, join, operators, parse, rowOf, split, takesValue, termOf } from "./domain_text.js";
import { firstValue, valueInput } from "./domain_value.js";
import { describe } from "./odoo.js";

const MAX_STEPS = 4;
const ID = { name: "id", label: "Id", type: "integer", searchable: true };

// The fields along a path, or null where one of them can't be named.
const along = async (fields, path) => {
  const found = [];
  let known = [ID, ...fields];
  for (const name of path.split(".")) {
    const field = known && known.find((each) => each.name === name && each.searchable);
    if (!field) return null;
    found.push(field);
    known = field.relation ? [ID, ...(await describe(field.relation).then((model) => model.fields, () => []))] : null;
  }
  return found;
};

// The rows of a domain, or null where it is not simple enough.
const rowsOf = async (fields, domain) => {
  const parts = split(domain);
  if (!parts) return null;
  const rows = await Promise.all(parts.terms.map(async (term) => {
    const steps = await along(fields, term[0]);
    const row = steps && rowOf(term, steps.at(-1).type);
    return row && row.operator ? { ...row, steps } : null;
  }));
  return rows.includes(null) ? null : { any: parts.any, rows };
};

export const domainEditor = (entry, fields, place, save) => {
  let rows = [];
  let any = false;
  const list = make("ul", { class: "conditions" });
  const note = make("p", { class: "note", "aria-live": "polite" });
  const text = make("textarea", { id: `${place}-domain-text`, rows: "2", spellcheck: "false", autocomplete: "off" });
  text.value = entry.domain ? (typeof entry.domain === "string" ? entry.domain : JSON.stringify(entry.domain)) : "";
  const details = make("details", {}, make("summary", { text: "As text" }),
    make("label", { for: text.id, class: "hidden", text: `Domain of ${entry.model} as text` }), text,
    make("p", { class: "help", text: 'An Odoo domain, such as [["active", "=", true]], with Odoo\'s own ids. Empty for all that the caller may see.' }));

  const keep = () => {
    if (text.value.trim()) entry.domain = parse(text.value) ?? text.value; else delete entry.domain;
    save();
  };
  // What has no value yet keeps the form from being sent; a condition is never left out in silence.
  const write = () => {
    const whole = rows.filter((row) => !takesValue(row.operator) || row.value !== "");
    text.value = whole.length ? JSON.stringify(join(any, whole.map((row) => termOf(row, row.steps.at(-1).type)))) : "";
    keep();
  };

  const stepOptions = (known, first) => [...(first ? [] : [["", "itself"]]), ...known.filter((field) => field.searchable).map((field) => [field.name, first ? field.label : `its ${field.label}`])];
  const stepSelect = async (row, depth, redraw) => {
    const known = depth ? [ID, ...(await describe(row.steps[depth - 1].relation).then((model) => model.fields, () => []))] : [ID, ...fields];
    return select(stepOptions(known, !depth), row.steps[depth] ? row.steps[depth].name : "", (name) => {
      row.steps = [...row.steps.slice(0, depth), ...known.filter((field) => field.name === name)];
      row.path = row.steps.map((field) => field.name).join(".");
      row.operator = operators(row.steps.at(-1).type)[0][0];
      row.value = firstValue(row.steps.at(-1), row.operator);
      write();
      redraw(depth);
    }, { "aria-label": depth ? `Of ${row.steps[depth - 1].label}` : "Field", class: "step" });
  };
  const line = (row) => {
    const item = make("li");
    const redraw = async (focus) => {
      const field = row.steps.at(-1);
      const depths = row.steps.map((_, depth) => depth);
      if (field.relation && row.steps.length < MAX_STEPS) depths.push(row.steps.length);
      const steps = await Promise.all(depths.map((depth) => stepSelect(row, depth, redraw)));
      const operator = select(operators(field.type), row.operator, (chosen) => {
        const same = takesValue(chosen) && takesValue(row.operator) && isList(field.type, chosen) === isList(field.type, row.operator);
        row.operator = chosen;
        if (!same) row.value = firstValue(field, chosen);
        write();
        redraw("operator");
      }, { "aria-label": `Operator for ${field.label}`, class: "operator" });
      const value = takesValue(row.operator) ? [valueInput(field, row.operator, row.value, (given) => { row.value = given; write(); })] : [];
      const remove = make("button", { type: "button", "aria-label": `Remove the condition on ${field.label}`, text: "Remove", onclick: () => {
        rows.splice(rows.indexOf(row), 1);
        write();
        draw();
        add.focus();
      } });
      item.replaceChildren(...steps, operator, ...value, remove);
      if (focus === "operator") operator.focus();
      else if (focus !== undefined && steps[focus]) steps[focus].focus();
    };
    redraw();
    return item;
  };

  const joined = select([["all", "All of these hold"], ["any", "Any of these holds"]], "all", (chosen) => { any = chosen === "any"; write(); }, { "aria-label": "How conditions are joined", class: "joined" });
  const add = make("button", { type: "button", text: "Add a condition", onclick: () => {
    const field = fields.find((each) => each.searchable) || ID;
    const operator = operators(field.type)[0][0];
    rows.push({ path: field.name, steps: [field], operator, value: firstValue(field, operator) });
    write();
    draw();
    // The row is there when its choices are.
    new MutationObserver((_, observer) => { observer.disconnect(); list.lastElementChild.querySelector("select").focus(); }).observe(list.lastElementChild, { childList: true });
  } });
  const draw = () => {
    list.replaceChildren(...rows.map(line));
    joined.value = any ? "any" : "all";
    joined.hidden = rows.length < 2;
    note.textContent = rows.length ? "" : "All records that the caller may see.";
  };
  const read = async () => {
    const domain = parse(text.value);
    const found = domain === undefined ? null : await rowsOf(fields, domain);
    for (const element of [list, joined, add]) element.hidden = !found;
    if (!found) {
      list.replaceChildren(); // no row of what it was before may keep the form from being sent
      details.open = true;
      note.textContent = "Rows can't show this domain: it is edited as text.";
      return;
    }
    ({ any, rows } = found);
    draw();
  };
  text.addEventListener("input", () => { keep(); read(); });
  read();

  return make("fieldset", { class: "domain", id: `${place}-domain`, tabindex: "-1" }, make("legend", { text: "Only these records" }), note, joined, list, add, details);
};
