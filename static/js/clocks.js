// Adds: times in the reader's own zone and words, and clocks that run beside what is running.
// Without it: times in UTC, as the server wrote them.
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const told = new WeakSet();

function local(moment) {
  const now = new Date();
  if (moment.toDateString() === now.toDateString()) return time.format(moment);
  const year = moment.getFullYear() === now.getFullYear() ? "" : ` ${moment.getFullYear()}`;
  return `${day.format(moment)}${year}, ${time.format(moment)}`;
}

function elapsed(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function tell() {
  for (const element of document.querySelectorAll("time[datetime]:not([data-since], [data-until])")) {
    const moment = new Date(element.dateTime);
    if (told.has(element) || Number.isNaN(moment.getTime())) continue;
    told.add(element);
    element.textContent = local(moment);
    element.title = full.format(moment);
  }
}

function tick() {
  for (const element of document.querySelectorAll("time[data-since]")) {
    const since = Date.parse(element.dataset.since || element.dateTime);
    if (Number.isNaN(since)) continue;
    const text = elapsed(Math.max(0, Math.round((Date.now() - since) / 1000)));
    if (element.textContent !== text) element.textContent = text;
  }
}

// What v0 asked to wait for: a count of seconds, and a button that can be pressed when they are over.
function countDown() {
  for (const element of document.querySelectorAll("time[data-until]")) {
    const left = Math.ceil((Date.parse(element.dataset.until) - Date.now()) / 1000);
    const text = left > 0 ? `in ${elapsed(left)}` : "now";
    if (element.textContent !== text) element.textContent = text;
    element.title = full.format(new Date(element.dataset.until));
  }
  for (const button of document.querySelectorAll("button[data-not-before]")) {
    button.disabled = Date.parse(button.dataset.notBefore) > Date.now();
  }
}

document.addEventListener("htmx:wsAfterMessage", tell);
document.addEventListener("htmx:afterSettle", tell);
document.addEventListener("htmx:afterSettle", countDown);
setInterval(tick, 1000);
setInterval(countDown, 1000);
tell();
tick();
countDown();
