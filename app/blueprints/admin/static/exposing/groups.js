// The smallest group of a model's records that sums and counts show.

import { make } from "./elements.js";

export const smallestGroup = (entry, place, save) => {
  const id = `${place}-min_group_size`;
  const input = make("input", { id, type: "number", min: "1", max: "1000000", step: "1", value: String(entry.min_group_size ?? 1), oninput: () => {
    if (Number(input.value) > 1) entry.min_group_size = Number(input.value); else delete entry.min_group_size;
    save();
  } });
  return make("details", { class: "smallest-group", open: Number(entry.min_group_size) > 1 },
    make("summary", { text: "Small groups" }),
    make("div", { class: "field" }, make("label", { for: id, text: "Records that a group has at least" }), input,
      make("p", { class: "help", text: "Aggregate leaves smaller groups out: 1 shows all. With more, Search, Read and Export must be off. It is no protection against callers who compare two answers that differ by one record." })));
};
