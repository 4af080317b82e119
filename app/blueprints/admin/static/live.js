// The request log as it grows: new calls come in at the top, every two seconds, as long as somebody looks.
"use strict";

const Live = {
  EVERY: 2000,
  MOST: 200,
  PAGE: 50, // what the server sends at most
  button: document.getElementById("live"),
  rows: document.getElementById("rows"),
  said: document.getElementById("live-said"),
  on: false,
  asking: false,
  unsaid: 0,
  said_at: 0,
  failures: 0,
  timer: 0,

  moment: (key) => Number(key.split("~")[0]),

  say(text) {
    if (Live.said.textContent !== text) Live.said.textContent = text;
  },

  // Not with each call: who listens would hear nothing else.
  tell() {
    if (Live.unsaid && Date.now() - Live.said_at > 5000) {
      Live.said_at = Date.now();
      Live.say(`${Live.unsaid} new ${Live.unsaid === 1 ? "call" : "calls"}.`);
      Live.unsaid = 0;
    }
  },

  known: (row) => Live.rows.querySelector(`[data-key="${CSS.escape(row.dataset.key)}"]`) !== null,

  add(row) {
    if (Live.known(row)) return;
    const { key } = row.dataset;
    const at = Live.moment(key);
    const older = [...Live.rows.children].find((each) => Live.moment(each.dataset.key) <= at);
    Live.rows.insertBefore(row, older || null);
    row.classList.add("new");
    Times.show(row);
    Live.unsaid += 1;
    if (at > Live.moment(Live.button.dataset.after)) Live.button.dataset.after = key;
  },

  take(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const found = [...page.querySelectorAll("tr[data-key]")];
    if (found.length >= Live.PAGE && !found.some(Live.known)) Live.rows.replaceChildren(); // what lies between is not here
    for (const row of found.reverse()) Live.add(document.adoptNode(row));
    while (Live.rows.children.length > Live.MOST) Live.rows.lastElementChild.remove();
    if (Live.rows.children.length) {
      Live.rows.closest("table").hidden = false;
      document.getElementById("none")?.remove();
    }
    Live.tell();
  },

  async ask() {
    clearTimeout(Live.timer);
    if (!Live.on || document.hidden || Live.asking) return;
    Live.asking = true;
    try {
      const address = new URL(Live.button.dataset.url, document.baseURI);
      address.searchParams.set("after", Live.button.dataset.after);
      const answer = await fetch(address, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      Live.take(await answer.text());
      Live.failures = 0;
    } catch {
      Live.failures += 1;
      if (Live.failures > 5) {
        Live.turn(false);
        Live.say("Live has stopped: the server did not answer, or you have to log in again.");
      }
    }
    Live.asking = false;
    if (Live.on) Live.timer = setTimeout(Live.ask, Live.EVERY * (1 + Live.failures));
  },

  turn(on) {
    Live.on = on;
    Live.failures = 0;
    Live.button.setAttribute("aria-pressed", String(on));
    Live.say(on ? "Waiting for calls." : "");
    for (const pages of document.querySelectorAll(".pages")) pages.hidden = true; // they follow the rows of before
    if (on) Live.ask();
  },
};

if (Live.button) {
  Live.button.hidden = false;
  Live.button.addEventListener("click", () => Live.turn(!Live.on));
  document.addEventListener("visibilitychange", () => Live.ask());
}
