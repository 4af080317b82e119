// Times in the zone of the browser, with UTC beside. Without this script pages show UTC.
"use strict";

const Times = {
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
  pad: (number, digits = 2) => String(number).padStart(digits, "0"),
  day: (at) => `${at.getFullYear()}-${Times.pad(at.getMonth() + 1)}-${Times.pad(at.getDate())}`,
  minutes: (at) => `${Times.pad(at.getHours())}:${Times.pad(at.getMinutes())}`,
  seconds: (at) => `${Times.minutes(at)}:${Times.pad(at.getSeconds())}`,
  text(at, precision) {
    if (precision === "day") return Times.day(at);
    if (precision === "milliseconds") return `${Times.day(at)} ${Times.seconds(at)}.${Times.pad(at.getMilliseconds(), 3)}`;
    return `${Times.day(at)} ${Times[precision](at)}`;
  },
  name(at) {
    const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(at);
    return parts.find(({ type }) => type === "timeZoneName").value;
  },
  show(root) {
    if (["UTC", "Etc/UTC"].includes(Times.zone)) return;
    for (const element of root.querySelectorAll("time[data-precision]:not([data-shown])")) {
      const at = new Date(element.dateTime);
      const { precision, form } = element.dataset;
      const utc = element.textContent.replace(/ UTC$/, "");
      element.dataset.shown = "";
      element.textContent = Times.text(at, precision) + (form === "bare" ? "" : ` ${Times.name(at)}`);
      element.title = `${utc} UTC`;
      if (form === "both") {
        const beside = document.createElement("small");
        beside.textContent = ` ${utc} UTC`;
        element.after(beside);
      }
    }
    for (const tick of root.querySelectorAll("text[data-time]")) tick.textContent = Times.minutes(new Date(tick.dataset.time));
    for (const zone of root.querySelectorAll("[data-zone]")) zone.textContent = Times.zone;
  },
};

Times.show(document);
