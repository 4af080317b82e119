// What is wrong with the models stands in the summary on top; here it is put where it belongs in the editor.

import { make } from "./elements.js";

// The element for ["0", "writable_fields", "email"]: the tick of that field, else of what is around it.
const elementAt = (place) => {
  for (let length = place.length; length; length--) {
    const found = document.getElementById(["models", ...place.slice(0, length)].join("-"));
    if (found) return found;
  }
  return null;
};

const reveal = (element) => {
  for (let around = element.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
};

const mark = (element, message, number) => {
  const told = make("div", { class: "error", id: `fault-${number}` }, make("ul", {}, make("li", { text: message })));
  const cell = element.closest("tr") ? element.closest("tr").lastElementChild : null;
  if (cell) cell.append(told);
  else if (element.matches(".model")) element.firstElementChild.after(told);
  else (element.closest(".domain, .model-tools") || element).after(told);
  element.setAttribute("aria-invalid", "true");
  element.setAttribute("aria-describedby", told.id);
};

export const show = (summary) => {
  if (!summary) return;
  const links = [...summary.querySelectorAll("a[data-place]")];
  links.forEach((link, number) => {
    const element = elementAt(JSON.parse(link.dataset.place));
    if (!element) return;
    mark(element, link.textContent, number);
    reveal(element);
    link.href = `#${element.id}`;
    link.addEventListener("click", (event) => { event.preventDefault(); reveal(element); element.focus(); });
  });
  const placed = links.length && links.every((link) => link.hash !== "#models");
  const repeated = document.getElementById("models-error");
  if (placed && repeated && repeated.querySelectorAll("li").length === links.length) repeated.hidden = true;
  // The page opens at the first field at fault; the one that belongs to the hidden text is here.
  const first = summary.querySelector("a");
  if (first && first.dataset.place && placed) document.getElementById(first.hash.slice(1)).focus();
};
