// Fields that are taken along from related records: a tree for each relational field, and what is chosen beside it.

import { checkbox, finder, make } from "./elements.js";
import { describe } from "./odoo.js";

const MAX_DEPTH = 3;

// As a definition writes it: a list of names, and of {name: list}. As it is worked with: names, and what is below each.
const parse = (items) => {
  const node = { names: new Set(items.filter((item) => typeof item === "string")), below: new Map() };
  for (const item of items) {
    if (typeof item === "string") continue;
    for (const [name, inner] of Object.entries(item)) node.below.set(name, parse(inner));
  }
  return node;
};
const format = (node) => [
  ...node.names,
  ...[...node.below].map(([name, inner]) => ({ [name]: format(inner) })).filter((item) => Object.values(item)[0].length),
];
const paths = (node, before = []) => [
  ...[...node.names].map((name) => [...before, name]),
  ...[...node.below].flatMap(([name, inner]) => paths(inner, [...before, name])),
];

export const branch = (field, entry, place, changed) => {
  const root = parse((entry.related && entry.related[field.name]) || []);
  const summary = make("summary");
  const chosen = make("ul", { class: "chips", "aria-label": `Chosen of ${field.label}` });
  const tree = make("div", { class: "branch" });
  const details = make("details", { id: `${place}-related-${field.name}` }, summary);
  const labels = new Map();

  const tell = () => {
    const found = paths(root);
    summary.textContent = `Fields of ${field.label}${found.length ? ` (${found.length} taken along)` : ""}`;
    chosen.replaceChildren(...found.map((path) => {
      const called = path.map((_, depth) => labels.get(path.slice(0, depth + 1).join(".")) || path[depth]).join(" › ");
      return make("li", {}, make("button", { type: "button", class: "chip", "aria-label": `Take out ${called}`, text: `${called} ×`, onclick: () => {
        path.slice(0, -1).reduce((node, name) => node.below.get(name), root).names.delete(path.at(-1));
        const tick = tree.querySelector(`[data-path="${CSS.escape(path.join("."))}"]`);
        if (tick) tick.checked = false;
        changedHere();
        (chosen.querySelector("button") || summary).focus();
      } }));
    }));
  };
  const changedHere = () => {
    tell();
    entry.related = { ...entry.related, [field.name]: format(root) };
    if (!entry.related[field.name].length) delete entry.related[field.name];
    if (!Object.keys(entry.related).length) delete entry.related;
    changed();
  };

  // The rows of one level; deeper ones are asked for when they are opened.
  const level = (relation, label, node, before) => {
    const list = make("ul", { class: "tree" }, make("li", { text: "Loading …" }));
    const box = make("div", {}, list);
    describe(relation).then(({ fields }) => {
      const first = [...fields].sort((one, two) => node.names.has(two.name) - node.names.has(one.name));
      list.replaceChildren(...first.map((each) => {
        const path = [...before, each.name];
        labels.set(path.join("."), each.label);
        const tick = checkbox(each.label, node.names.has(each.name), (on) => {
          if (on) node.names.add(each.name); else node.names.delete(each.name);
          changedHere();
        }, { "data-path": path.join(".") });
        const row = make("li", { "data-label": each.label, "data-name": each.name }, tick, " ", make("small", { text: `${each.name} · ${each.type}` }));
        if (each.relation && path.length < MAX_DEPTH) row.append(deeper(each, node, path));
        return row;
      }));
      box.prepend(finder(`Find a field of ${label}`, list, (row) => [row.dataset.label, row.dataset.name], { placeholder: `Find a field of ${label}` }));
      tell();
    }, () => list.replaceChildren(make("li", { class: "error", text: "These fields can't be exposed." })));
    return box;
  };
  const deeper = (each, node, path) => {
    const inner = make("details", {}, make("summary", { text: `Fields of ${each.label}` }));
    inner.addEventListener("toggle", () => {
      if (!inner.open || inner.children.length > 1) return;
      if (!node.below.has(each.name)) node.below.set(each.name, parse([]));
      inner.append(level(each.relation, each.label, node.below.get(each.name), path));
    });
    return inner;
  };

  details.addEventListener("toggle", () => {
    if (details.open && !tree.children.length) {
      tree.append(level(field.relation, field.label, root, []), chosen);
      details.append(tree);
    }
  });
  tell();
  return details;
};
