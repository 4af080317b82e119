// Elements, and what a search finds among them.

let numbers = 0;
export const unique = (name) => `${name}-${++numbers}`;

// make("label", {class: "x", text: "y", onclick: f}, child, ...)
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") element[name] = value;
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

export const checkbox = (label, checked, change, attributes = {}) => {
  const id = attributes.id || unique("pick");
  const input = make("input", { type: "checkbox", ...attributes, id, checked, onchange: () => change(input.checked) });
  return label ? make("span", { class: "check" }, input, " ", make("label", { for: id, text: label })) : input;
};

export const select = (options, value, change, attributes = {}) => {
  const element = make("select", { ...attributes, onchange: () => change(element.value) },
    ...options.map(([key, label]) => make("option", { value: key, text: label })));
  element.value = value;
  return element;
};

// How well a text fits what is called so: 0 exactly, 3 somewhere inside, -1 not at all.
export const fit = (text, ...names) => {
  const wanted = text.trim().toLowerCase();
  const told = names.map((name) => name.toLowerCase());
  if (told.includes(wanted)) return 0;
  if (told.some((name) => name.startsWith(wanted))) return 1;
  if (told.some((name) => name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted)))) return 2;
  return told.some((name) => name.includes(wanted)) ? 3 : -1;
};

// A search box over rows that stand in ``list``: the best match first. ``names(row)`` is what a row is called.
export const finder = (label, list, names, attributes = {}) => {
  const id = attributes.id || unique("find");
  const order = [...list.children];
  const input = make("input", { type: "search", autocomplete: "off", ...attributes, id, oninput: () => {
    const wanted = input.value.trim();
    const ranked = order.map((row, place) => [wanted ? fit(wanted, ...names(row)) : 0, place, row]);
    for (const [rank, , row] of ranked) row.hidden = rank < 0;
    list.append(...ranked.filter(([rank]) => rank >= 0).sort((one, two) => one[0] - two[0] || one[1] - two[1]).map(([, , row]) => row));
  }, onkeydown: (event) => { if (event.key === "Enter") event.preventDefault(); } });
  return make("span", { class: "filter" }, make("label", { for: id, class: "hidden", text: label }), input);
};
