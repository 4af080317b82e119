// What makes the panel handier. Every page works without it.
"use strict";

// Suggestions from Odoo while one types: <input data-pick="users">.
const Picker = {
  base: () => (document.querySelector("[data-url]") || { dataset: {} }).dataset.url,
  async ask(what, parameters) {
    const answer = await fetch(`${Picker.base()}${what}?${new URLSearchParams(parameters)}`);
    if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
    return answer.json();
  },
  attach(input, what, parameters, written = ({ value }) => value) {
    const list = document.createElement("datalist");
    list.id = `${input.id}-list`;
    input.after(list);
    input.setAttribute("list", list.id);
    let timer;
    const suggest = async () => {
      try {
        const found = await Picker.ask(what, parameters(input.value));
        list.replaceChildren(...found.map((each) => new Option(each.label, written(each))));
      } catch {
        list.replaceChildren();
      }
    };
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(suggest, 200); });
    input.addEventListener("focus", suggest, { once: true });
  },
};

for (const input of document.querySelectorAll("[data-pick=users]")) {
  Picker.attach(input, "users", (text) => ({ q: text }));
}

// A form that was refused opens at the first field at fault (autofocus): with all that is wrong above it, where both fit.
const summary = document.querySelector(".summary");
if (summary) {
  const first = document.querySelector("[autofocus]");
  const height = (first || summary).getBoundingClientRect().bottom - summary.getBoundingClientRect().top;
  if (height < window.innerHeight) summary.scrollIntoView();
}

// An API's form shows what its type needs.
const form = document.querySelector("[data-api-form]");
if (form) {
  const { type, authentication } = form.elements;
  const show = () => {
    for (const [name, fits] of [
      ["only-rest", type.value === "rest"], ["only-rpc", type.value === "rpc"], ["not-key", type.value !== "key_authentication"],
      ["only-public", authentication.value === "public"],
    ]) {
      // What is wrong stays to be seen, also where the type makes no use of it.
      for (const element of form.querySelectorAll(`.${name}`)) element.hidden = !fits && !element.querySelector("[aria-invalid=true]");
    }
  };
  for (const field of [type, authentication]) field.addEventListener("change", show);
  show();

  // Whoever leaves with changes that are not saved is asked first.
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}
