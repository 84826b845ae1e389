// Adds: the list of waiting messages stays as somebody left it when it is fetched again, what changed in it is said, and an edit that was not saved is still there.
// Without it: the list is folded when it is long, and its forms are pages of their own.
const said = document.getElementById("queue-said");
let isOpen; // As somebody left it; undefined until they touch it.
let place; // The id of the row in which the focus was.
let told; // The list that was looked at last.

const list = () => document.getElementById("queue");
const wordsOf = (section) => section?.querySelector("[data-queue-summary]")?.textContent.trim() ?? "";
let words = wordsOf(list());

// A press is what somebody means by it; a list that arrives open means nothing.
document.addEventListener("click", ({ target }) => {
  const summary = target.closest?.("[data-queue-summary]");
  if (summary) isOpen = !summary.parentElement.open;
});

document.addEventListener("htmx:beforeSwap", () => {
  place = document.activeElement?.closest?.(".queue-row")?.id;
});

function onList(section) {
  const box = section.querySelector("details");
  if (box && isOpen !== undefined) box.open = isOpen;
  const now = wordsOf(section);
  if (said && now !== words) said.textContent = now;
  words = now;
  // What had the focus is gone or cannot be pressed any more: the next thing there, or the field.
  const isLost = document.activeElement === document.body || document.activeElement?.disabled;
  if (!place || !isLost) return;
  const row = document.getElementById(place);
  (row?.querySelector("button:not(:disabled), a") ?? document.getElementById("message"))?.focus();
}

for (const kind of ["htmx:afterSettle", "htmx:oobAfterSwap"]) {
  document.addEventListener(kind, () => {
    if (list() === told) return;
    told = list();
    if (told) onList(told);
  });
}

// Edits that were not saved

const keyOf = (field) => `edit:${field.dataset.edits}`;

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("[data-edits]")) return;
  try {
    sessionStorage.setItem(keyOf(target), target.value);
  } catch {
    // Storage is off or full: the edit lives as long as its form.
  }
});

function resume(field) {
  try {
    const kept = sessionStorage.getItem(keyOf(field));
    if (kept && field.value === field.defaultValue) field.value = kept;
  } catch {
    // As above.
  }
}

document.addEventListener("htmx:afterSettle", ({ target }) => {
  const field = target.querySelector?.("[data-edits]");
  if (field) resume(field);
});

for (const field of document.querySelectorAll("[data-edits]")) resume(field);

function forget(form) {
  const field = form.querySelector?.("[data-edits]");
  if (field) sessionStorage.removeItem(keyOf(field));
}

document.addEventListener("htmx:afterRequest", ({ target, detail }) => detail.successful && forget(target));

document.addEventListener("submit", ({ target }) => {
  if (target.hasAttribute("hx-disable")) forget(target);
  if (!target.matches("[data-sign-out]")) return;
  for (const name of Object.keys(sessionStorage)) if (name.startsWith("edit:")) sessionStorage.removeItem(name);
});
