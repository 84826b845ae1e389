// Adds: `/` in an empty message opens the saved prompts; one that is chosen is put there, and Tab leads through its blanks.
// Without it: the page of saved prompts has a link that opens a new chat with one.
const box = document.getElementById("prompts-box");
const list = document.getElementById("prompts");
const said = document.getElementById("prompts-said");
const field = document.getElementById("message");

const WORD = /^\/([^\n]{0,60})$/;
const BLANK = /\{\{[^{}\n]{1,60}\}\}/g;
let asked = null; // the one request for the list
let closedFor = null; // what stood in the field when somebody closed the list

const options = () => [...list.querySelectorAll("[role=option]:not([hidden])")];
const chosen = () => list.querySelector("[aria-selected=true]");

function fill() {
  return new Promise((resolve, reject) => {
    list.addEventListener("htmx:afterSettle", resolve, { once: true });
    for (const failure of ["htmx:responseError", "htmx:sendError"]) list.addEventListener(failure, reject, { once: true });
    list.dispatchEvent(new CustomEvent("prompts"));
  });
}

function select(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function close() {
  box.hidden = true;
  select(null);
  said.textContent = "";
}

async function look() {
  const word = WORD.exec(field.value)?.[1];
  if (word === undefined || field.value === closedFor) return close();
  closedFor = null;
  await (asked ??= fill().catch(() => (asked = null)));
  if (WORD.exec(field.value)?.[1] !== word || document.activeElement !== field) return;
  const wanted = word.trim().toLowerCase();
  for (const option of list.querySelectorAll("[role=option]")) {
    option.hidden = !option.firstElementChild.textContent.toLowerCase().includes(wanted);
  }
  const found = options();
  const isEmpty = !list.childElementCount;
  // A path or a command that somebody types is no search for a prompt.
  if (!found.length && (word.includes(" ") || (isEmpty && word))) return close();
  const { one, many, none, empty } = said.dataset;
  const nothing = box.querySelector("[data-none]");
  nothing.hidden = found.length > 0;
  nothing.textContent = isEmpty ? empty : none;
  box.hidden = false;
  select(found[0]);
  said.textContent = found.length === 1 ? one : found.length ? `${found.length} ${many}` : nothing.textContent;
}

function insert(option) {
  field.value = option.dataset.text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  close();
  field.focus();
  if (!nextBlank(0)) field.setSelectionRange(field.value.length, field.value.length);
}

/** Selects the first blank at or after `from`; false when there is none. */
function nextBlank(from) {
  const next = [...field.value.matchAll(BLANK)].find(({ index }) => index >= from);
  if (next) field.setSelectionRange(next.index, next.index + next[0].length);
  return Boolean(next);
}

function onKey(event) {
  if (event.target !== field || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const stop = () => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  if (box.hidden) {
    // After the last blank Tab leaves the field, as it does everywhere.
    if (event.key === "Tab" && !event.shiftKey && nextBlank(field.selectionEnd)) stop();
    return;
  }
  const found = options();
  const at = found.indexOf(chosen());
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    closedFor = field.value;
    close();
    stop();
  } else if (step && found.length) {
    select(found[(at + step + found.length) % found.length]);
    stop();
  } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && chosen()) {
    insert(chosen());
    stop();
  }
}

if (box && field) {
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-autocomplete", "list");
  field.addEventListener("input", look);
  field.addEventListener("blur", () => setTimeout(() => box.contains(document.activeElement) || close()));
  // Before those that send a message or leave the field.
  document.addEventListener("keydown", onKey, { capture: true });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option) insert(option);
  });
}
