// Adds: what somebody really had on their screen counts as read, and a page that they come back to says what is
// new since then. Other pages of this browser hear that a chat was read.
// Without it: the line above what is new has a button for that.
//
// The page provides
//
//   <section data-thread data-seen="/chats/UUID/seen/" data-seen-up-to="UUID">   only for whoever is signed in
//     <div id="messages"> <div id="new-since" data-before="mUUID"> <article id="mUUID" data-message data-state>
//   <div id="into-news" hidden>                                  where the line of a page left open arrives
//
// and a message has been seen when its end stood on the screen a moment after the page had moved.

const DWELL = 400; // ms after something has moved
const EVERY = 1000; // ms between two words to the server
const NEAR = 24; // px of an end that may be behind the dock
const ENDED = ["stopped", "failed", "finished"].map((state) => `[data-state="${state}"]`).join();

const thread = document.querySelector("[data-thread][data-seen]");
const messages = document.getElementById("messages");
const dock = document.querySelector(".dock");
const others = globalThis.BroadcastChannel ? new BroadcastChannel("seen") : null;
const read = new Map(); // by a chat's path: the answer up to which another page has read it

let told = thread?.dataset.seenUpTo ?? "";
let timer = 0;
let toldAt = -Infinity;
let hasLeft = false;

const isLive = () => document.documentElement.dataset.connection === "live" || !document.querySelector('[ws-connect^="/ws/chats/"]');
const ended = () => [...messages.querySelectorAll(`:scope > article:is(${ENDED})`)];

/** The last message whose end is on the screen, or above it; none while nobody looks. */
function last() {
  if (document.hidden) return null;
  const limit = Math.min(dock?.getBoundingClientRect().top ?? innerHeight, innerHeight) + NEAR;
  return ended().findLast((article) => article.getBoundingClientRect().bottom <= limit) ?? null;
}

const isTold = (article) => {
  const before = told && document.getElementById(`m${told}`);
  return before ? !(before.compareDocumentPosition(article) & Node.DOCUMENT_POSITION_FOLLOWING) : article.dataset.message === told;
};

function check() {
  timer = 0;
  const article = last();
  if (!article || isTold(article) || !isLive()) return;
  const wait = toldAt + EVERY - performance.now();
  if (wait > 0) timer = setTimeout(check, wait);
  else tell(article.dataset.message);
}

function soon() {
  timer ||= setTimeout(check, DWELL);
}

async function tell(message) {
  told = message;
  toldAt = performance.now();
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const body = new URLSearchParams({ message });
  try {
    const answer = await fetch(thread.dataset.seen, { method: "POST", headers, body, keepalive: true });
    if (answer.ok) others?.postMessage([document.getElementById("at").dataset.page, message]);
  } catch {
    // What was not heard is told with the next message, or shown as new once more.
  }
}

/* Coming back to a page that was left open */

async function comeBack() {
  const after = ended();
  const place = after.findIndex(({ dataset }) => dataset.message === told);
  const rest = place < 0 ? [] : after.slice(place + 1);
  if (!rest.length || !isLive()) return soon();
  try {
    await htmx.ajax("GET", thread.dataset.seen, { source: "#into-news", target: "#into-news" });
  } catch {
    // It goes without the line.
  }
  const line = document.querySelector("#into-news > .new-since");
  const first = line && document.getElementById(line.dataset.before);
  if (first?.parentNode === messages) {
    document.querySelector("#messages > .new-since")?.remove();
    first.before(line);
    // Who stood at the end sees where the new part begins.
    if (first.getBoundingClientRect().top > innerHeight || first.getBoundingClientRect().bottom < 0) {
      line.scrollIntoView({ block: "start" });
    }
  }
  document.getElementById("into-news").replaceChildren();
  soon();
}

if (thread && messages) {
  new MutationObserver(soon).observe(messages, { childList: true });
  new MutationObserver((changes) => {
    if (changes.some(({ target }) => target.parentNode === messages)) soon();
  }).observe(messages, { subtree: true, attributeFilter: ["data-state"] });
  new MutationObserver(soon).observe(document.documentElement, { attributeFilter: ["data-connection"] });
  for (const kind of ["scroll", "resize"]) addEventListener(kind, soon, { passive: true });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hasLeft = true;
    else if (hasLeft) comeBack();
  });
  soon();
}

/* The list of chats */

/** What was read elsewhere in this browser is not new here, until something else is. */
function unmark() {
  for (const row of document.querySelectorAll("#chats [data-unread]")) {
    if (!row.dataset.answer || read.get(row.pathname) !== row.dataset.answer) continue;
    delete row.dataset.unread;
    row.querySelector(".unread")?.remove();
  }
}

others?.addEventListener("message", ({ data: [path, message] }) => {
  read.set(path, message);
  unmark();
});
const list = document.querySelector(".sidebar-scroll");
// The list comes as a new element, and longer ones as rows in it.
if (list) new MutationObserver(unmark).observe(list, { childList: true, subtree: true });
