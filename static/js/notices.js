// Adds: the browser's own notices when an answer ends, fails or needs somebody while the page is in the background.
// Without it: the sidebar and the tab's title say the same, and mail does when it is wanted.
//
// What happened is read from the rows of the sidebar, which follow every chat of one's list:
//
//   #chats[data-notices]            the person wants notices
//     .chat-link[data-answer]       the chat's newest answer, with its data-state, and
//       [data-waits] [data-note] [data-followed] [data-muted] [aria-current] [data-running]
//
// An answer is told of once, whatever became of it, and by one tab: tabs claim it by a lock and in
// localStorage, of which they hear a little later from each other, and one that is being looked at claims it
// without a word. The browser replaces notices of one tag.

const WAIT = 400; // ms: a tab that is being looked at comes first
const KEPT = 50;
const HELD = 60_000; // ms: what one tab has stored the others know by then
const CLAIMS = "notices-told";
const CHOICE = "notices-offer";
const OVER = ["finished", "failed"];
const NAMED = "Somebody names you in a note.";
const WORDS = { finished: "The answer has ended.", failed: "The answer has failed.", waits: "It needs you." };

const scroll = document.querySelector(".sidebar-scroll");
const offer = document.getElementById("notices-offer");
const known = new Set(); // chats
const told = new Set(); // answers that need no word any more
let hasLeft = false;

const permission = () => globalThis.Notification?.permission ?? "none";
const rows = () => [...document.querySelectorAll("#chats .chat-link")];
const isOver = ({ dataset }) => OVER.includes(dataset.state) || dataset.state === "stopped";

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? null;
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage is off: each tab tells by itself, and the tag keeps it one notice.
  }
}

/** Whether nobody has told of it yet; from now on somebody has. */
function claim(answer) {
  // There are locks only where the connection is secure.
  if (!navigator.locks) return noted(answer);
  return new Promise((decide) => {
    const hold = (lock) => {
      decide(lock !== null && noted(answer));
      return lock && new Promise((free) => setTimeout(free, HELD));
    };
    navigator.locks.request(`${CLAIMS} ${answer}`, { ifAvailable: true }, hold).catch(() => decide(noted(answer)));
  });
}

function noted(answer) {
  const claims = read(CLAIMS) ?? [];
  if (claims.includes(answer)) return false;
  write(CLAIMS, [...claims, answer].slice(-KEPT));
  return true;
}

const concerns = ({ dataset, ariaCurrent }) =>
  !("muted" in dataset) && ("followed" in dataset || "waits" in dataset || ariaCurrent === "page");

/** A note that names somebody, as an answer: what was there when the page was loaded is old. */
function lookAtNote(row, isKnown) {
  const { note } = row.dataset;
  if (!note || told.has(note)) return;
  told.add(note);
  if (isKnown && !("muted" in row.dataset)) tell(row, note, NAMED, row.href);
}

function look() {
  for (const row of rows()) {
    const { answer } = row.dataset;
    const isKnown = known.has(row.pathname);
    lookAtNote(row, isKnown);
    known.add(row.pathname);
    if (!answer || !isOver(row) || told.has(answer)) continue;
    told.add(answer);
    // A row that was not here before tells what is old.
    if (isKnown && OVER.includes(row.dataset.state) && concerns(row)) happened(row);
  }
}

function happened(row) {
  const { answer, state } = row.dataset;
  const kind = state === "finished" && "waits" in row.dataset ? "waits" : state;
  tell(row, answer, WORDS[kind], kind === "waits" ? `${row.href}#ask` : row.href);
}

function tell(row, tag, words, place) {
  const title = row.querySelector(".chat-link-title").textContent;
  if (!document.hidden) {
    claim(tag);
    return;
  }
  if (permission() !== "granted" || !document.querySelector("#chats[data-notices]")) return;
  setTimeout(async () => (await claim(tag)) && show(title, words, tag, place), WAIT);
}

function show(title, body, tag, place) {
  try {
    const notice = new Notification(title, { body, tag });
    notice.onclick = () => {
      notice.close();
      focus();
      const url = new URL(place);
      if (url.pathname === location.pathname) document.getElementById(url.hash.slice(1))?.scrollIntoView();
      else location.assign(place);
    };
  } catch {
    // Some browsers for phones have the name and not the thing.
  }
}

/* Asking for the browser's leave: by a button, never on load */

function tellPermission() {
  const now = permission();
  for (const line of document.querySelectorAll("[data-permission]")) line.hidden = line.dataset.permission !== now;
}

const mayOffer = () => permission() === "default" && read(CHOICE) === null && document.querySelector("#chats[data-notices]");

document.addEventListener("visibilitychange", () => {
  if (document.hidden) hasLeft ||= rows().some((row) => "running" in row.dataset && concerns(row));
  else if (hasLeft && mayOffer()) offer.hidden = false;
});

document.addEventListener("click", async ({ target }) => {
  const isYes = target.closest("[data-notices-allow]");
  if (!isYes && !target.closest("[data-notices-never]")) return;
  write(CHOICE, isYes ? "yes" : "no");
  offer.hidden = true;
  if (isYes) await globalThis.Notification?.requestPermission();
  tellPermission();
});

look();
tellPermission();
// The list comes as a new element, and longer ones as rows in it.
if (scroll) new MutationObserver(look).observe(scroll, { childList: true, subtree: true });
