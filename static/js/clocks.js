// Adds: times in the reader's own words and zone, the one they chose or else the device's, and clocks
// that run beside what is running.
// Without it: times in UTC, as the server wrote them.
const timeZone = known(document.documentElement.dataset.timeZone);
const time = worded({ hour: "2-digit", minute: "2-digit" });
const day = worded({ day: "numeric", month: "short" });
const year = worded({ year: "numeric" });
const weekday = worded({ weekday: "long" });
const full = worded({ dateStyle: "full", timeStyle: "medium" });
const WEEK = 6 * 24 * 3600 * 1000; // ms, a day less: no weekday is two days
const told = new WeakSet();

// A zone that this browser has never heard of would be an error.
function known(zone) {
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

function worded(how) {
  return new Intl.DateTimeFormat(undefined, { timeZone, ...how });
}

function local(moment, isByWeekday) {
  const now = new Date();
  const isThisYear = year.format(moment) === year.format(now);
  const date = day.format(moment);
  if (isThisYear && date === day.format(now)) return time.format(moment);
  if (isByWeekday && now - moment < WEEK) return `${weekday.format(moment)}, ${time.format(moment)}`;
  return `${date}${isThisYear ? "" : ` ${year.format(moment)}`}, ${time.format(moment)}`;
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
    element.textContent = local(moment, "weekday" in element.dataset);
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
