// Adds: notes that stay unfolded while others write, a note that names somebody counts as seen when it was on their
//       screen, the field of a note is empty after it was taken, and one that was not taken says so.
// Without it: notes are as old as the page, and "Needs you" has a button for each.
const list = document.getElementById("notes");
const SEEN_AFTER = 1000; // ms on the screen
const unfolded = new Set(); // messages at which somebody has just written
const told = new Set();
const timers = new Map();

/* What stays as it is when the notes are fetched again */

document.addEventListener("htmx:configRequest", ({ target, detail }) => {
  if (!list || target.id !== "own") return;
  for (const { dataset } of document.querySelectorAll("details[data-noted][open]")) unfolded.add(dataset.noted);
  for (const id of unfolded) detail.formData.append("open", id);
  unfolded.clear();
});

// The form itself: what it fetches to choose names from is no note.
const isForm = (element) => element.matches?.("form.note-form") ?? false;

document.addEventListener("htmx:beforeOnLoad", ({ target, detail }) => {
  if (isForm(target) && target.dataset.noteOf && detail.xhr.status < 300) unfolded.add(target.dataset.noteOf);
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { elt } = detail.requestConfig;
  if (!isForm(elt) || detail.isError) return;
  try {
    sessionStorage.removeItem(`edit:${elt.querySelector("[data-edits]").dataset.edits}`);
  } catch {
    // Storage is off: there was no draft.
  }
});

/* What was not taken stays in its field, and who may not read notes any more has none on the screen */

function say(form, isOver) {
  const line = form.querySelector("[data-failed]");
  line.textContent = isOver ? line.dataset.over : line.dataset.failed;
  line.hidden = false;
}

function failed({ target, detail }) {
  const status = detail.xhr?.status ?? 0;
  const isOver = [403, 404].includes(status);
  // The words for 409 and 422 came with the answer.
  if (isForm(target) && ![409, 422].includes(status)) say(target, isOver);
  if (!isOver || target.id !== "notes-thread") return;
  target.replaceChildren();
  const dialog = target.closest("dialog");
  if (!dialog?.querySelector("[data-mentions]")?.value) dialog?.close();
}

for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(kind, failed);

/* Who is named in a note has looked when it was on their screen for a moment */

function look(entry) {
  const { target } = entry;
  clearTimeout(timers.get(target));
  timers.delete(target);
  if (entry.isIntersecting) timers.set(target, setTimeout(saw, SEEN_AFTER, target));
}

function saw(note) {
  const id = note.dataset.unseen;
  if (!id || told.has(id) || document.hidden || !note.isConnected) return;
  told.add(id);
  htmx.ajax("POST", list.dataset.seen, { source: list, target: list, swap: "none", values: { note: id } });
}

const observer = new IntersectionObserver((entries) => entries.forEach(look), { threshold: 0.5 });

function watch() {
  for (const note of document.querySelectorAll("[data-unseen]")) {
    observer.unobserve(note);
    observer.observe(note);
  }
}

if (list) {
  // Slots come without a word from htmx, and the dialog is filled by it.
  new MutationObserver(watch).observe(document.getElementById("messages"), { childList: true, subtree: true });
  document.addEventListener("htmx:afterSettle", watch);
  document.addEventListener("visibilitychange", watch);
  watch();
}
