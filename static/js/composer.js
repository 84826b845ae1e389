// Adds: Enter sends or queues, Escape stops, examples fill the text, and the field grows in every browser.
// Without it: Enter starts a line, the buttons send and stop, an example opens the page with its text.
const grows = CSS.supports("field-sizing", "content");

// 229 is what browsers that do not set isComposing give for a key that an input method takes.
const isComposing = (event) => event.isComposing || event.keyCode === 229;

function onEnter(event) {
  if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const form = event.target.form;
  const takes = form.querySelector('[data-mode]:not([data-mode="closed"])');
  if (takes && event.target.value.trim() && !event.repeat) form.requestSubmit();
}

function onEscape(event) {
  if (event.defaultPrevented || document.querySelector(":popover-open, dialog[open]")) return;
  document.querySelector('#action[data-look="stop"]:not(:disabled)')?.click();
}

function grow(field) {
  if (grows) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function fill(text) {
  const field = document.getElementById("message");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

document.addEventListener("keydown", (event) => {
  if (isComposing(event)) return;
  if (event.key === "Escape") onEscape(event);
  if (event.key === "Enter" && event.target.matches(".composer-text")) onEnter(event);
});

document.addEventListener("click", (event) => {
  const example = event.target.closest("[data-prompt]");
  if (event.detail > 1 && event.target.closest(".composer-button")) {
    // Another button comes to stand where Send stood: a double click on Send is one wish.
    event.preventDefault();
  } else if (example) {
    event.preventDefault();
    fill(example.value);
  } else if (event.target.matches(".composer, .composer-row, .composer-hint")) {
    document.getElementById("message").focus();
  }
});

for (const kind of ["input", "composer:set"]) {
  document.addEventListener(kind, ({ target }) => {
    if (target.matches(".composer-text")) grow(target);
  });
}
