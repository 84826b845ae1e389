// Adds: fragments that differ from one person to the next are fetched again when a mark says that they are old.
// Without it: they are as old as the page.
//
// A mark is <i data-mark="NAME" data-version="N"> in #marks. When its version changes, the event
// `mark:NAME` is fired on <body>, for a fragment that says
//
//   hx-get="…" hx-trigger="mark:NAME from:body" hx-sync="this:queue last"
//
// A fragment with data-marked="NAME" data-version="N" that arrives older than the mark is asked for
// again, and so is one whose mark changes while it is on its way. One in which a finger or a button is down
// stays until it is up, and is asked for again: a press on what goes away leads nowhere. `mark:own` and
// `mark:notes` are fired, too, for an ended message that came whole, without what is one's own.

const SPREAD = 300; // ms: not all pages ask at the same moment
const ENDED = ["stopped", "failed", "finished"];
const LONGEST = 6;
const pending = new Set();
const older = new Map();
const late = new Map(); // by the id of what asks already

function fire(name, spread = SPREAD) {
  if (pending.has(name)) return;
  pending.add(name);
  setTimeout(() => {
    pending.delete(name);
    overtake(name);
    document.body.dispatchEvent(new CustomEvent(`mark:${name}`));
  }, Math.random() * spread);
}

// What is on its way was made before this change, and whoever asked for it may be replaced by it.
function overtake(name) {
  for (const { id } of document.querySelectorAll(`.htmx-request[hx-trigger^="mark:${name} "]`)) late.set(id, name);
}

// This one is fired by answers to a press, too (HX-Trigger), and after a gap in the socket. Before htmx hears of it.
document.addEventListener("mark:sidebar", () => overtake("sidebar"), true);

function changed({ type, target, oldValue, addedNodes }) {
  if (type === "attributes") {
    const { mark, version } = target.dataset;
    if (mark && version !== oldValue) fire(mark);
    return;
  }
  for (const { dataset, id } of addedNodes) {
    if (dataset?.mark) fire(dataset.mark);
    if (!ENDED.includes(dataset?.state)) continue;
    for (const name of ["own", "notes"]) {
      if (document.getElementById(`${id}-${name}`)?.hasChildNodes() === false) fire(name);
    }
  }
}

const observer = new MutationObserver((records) => records.forEach(changed));
const marks = document.getElementById("marks");
const messages = document.getElementById("messages");
if (marks) {
  observer.observe(marks, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-version"],
    attributeOldValue: true,
  });
}
if (messages) observer.observe(messages, { childList: true });

for (const kind of ["htmx:afterSettle", "live:put"]) {
  document.addEventListener(kind, ({ target }) => {
    if (late.has(target.id)) fire(late.get(target.id));
    late.delete(target.id);
    // What comes into a dialog may be older than a mark that overtook it.
    const inside = target.localName === "dialog" && target.querySelector("[data-marked]");
    const fragment = inside || target.closest?.("[data-marked]");
    if (fragment) compare(fragment);
  });
}

function compare(fragment) {
  const { marked, version } = fragment.dataset;
  const mark = document.getElementById(`mark-${marked}`);
  const times = Number(version) < Number(mark?.dataset.version) ? (older.get(marked) ?? 0) + 1 : 0;
  older.set(marked, Math.min(times, LONGEST));
  if (times) fire(marked, SPREAD * 2 ** Math.min(times, LONGEST));
}

let pressed = null;
const putOff = new Set();

document.addEventListener("pointerdown", ({ target }) => (pressed = target), true);
for (const kind of ["pointerup", "pointercancel"]) {
  // The click comes after it, in the same turn.
  document.addEventListener(kind, () => setTimeout(release), true);
}

function release() {
  pressed = null;
  putOff.forEach((name) => fire(name));
  putOff.clear();
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const [, name] = detail.target.getAttribute("hx-trigger")?.match(/^mark:(\S+) /) ?? [];
  if (!name || !detail.target.contains(pressed)) return;
  detail.shouldSwap = false;
  putOff.add(name);
});

// A page reads its rows before the State whose marks it shows, and may have missed a change between.
document.addEventListener("DOMContentLoaded", () => {
  for (const fragment of document.querySelectorAll("[data-marked]")) compare(fragment);
});
