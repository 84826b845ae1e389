// Adds: what changed in the list of waiting messages is said, the focus stays in it, and an edit that was not saved is still there.
// Without it: the list is fetched again in silence, and a form that is closed is empty.
const said = document.getElementById("queue-said");
const wordsOf = () => document.querySelector("[data-queue-summary]")?.textContent.trim() ?? "";
let words = wordsOf();
let held = ""; // The id of what had the focus in the list.

document.addEventListener("htmx:beforeSwap", () => {
  const { activeElement } = document;
  held = activeElement?.closest?.(".queue-row") ? activeElement.id : "";
});

// Moved with its row, it has lost the focus; or it cannot be pressed any more, or is gone.
function focusAgain() {
  const { activeElement } = document;
  if (!held || (activeElement !== document.body && !activeElement?.disabled)) return;
  const same = document.getElementById(held);
  const row = same?.closest(".queue-row");
  const next = same?.disabled ? row.querySelector("button:not(:disabled), a") : same;
  (next ?? document.getElementById("message"))?.focus();
}

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "queue") return;
  const now = wordsOf();
  if (said && now !== words) said.textContent = now;
  words = now;
  focusAgain();
});

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
