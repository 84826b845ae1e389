// Adds: `@` in a note opens the people who may read it, and who is chosen is named.
// Without it: a name that is typed after `@` names them as well.
const WORD = /(?:^|[^\w@./+-])@([^\n@]{0,60})$/u;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
let closedFor = null; // what stood before the caret when somebody closed the list

const parts = (field) => ({
  box: field.form.querySelector("#mentions-box"),
  list: field.form.querySelector("#mentions"),
  said: field.form.querySelector("#mentions-said"),
});

const before = (field) => field.value.slice(0, field.selectionEnd);
const shown = (list) => [...list.querySelectorAll("[role=option]:not([hidden])")];
const chosenIn = (list) => list.querySelector("[aria-selected=true]");

function select(field, option) {
  const { list } = parts(field);
  chosenIn(list)?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function close(field) {
  const { box, said } = parts(field);
  box.hidden = true;
  said.textContent = "";
  select(field, null);
}

/** Fetched once for a form: whoever may read notes is no long list. */
function filled(list) {
  list.people ??= new Promise((resolve, reject) => {
    list.addEventListener("htmx:afterSettle", resolve, { once: true });
    for (const failure of ["htmx:responseError", "htmx:sendError"]) list.addEventListener(failure, reject, { once: true });
    list.dispatchEvent(new CustomEvent("mentions"));
  }).catch(() => (list.people = undefined));
  return list.people;
}

const calls = (option, word) => `${option.textContent} ${option.dataset.name}`.toLowerCase().includes(word);

async function look(field) {
  const word = WORD.exec(before(field))?.[1];
  if (word === undefined || before(field) === closedFor) return close(field);
  closedFor = null;
  const { box, list, said } = parts(field);
  await filled(list);
  if (!field.isConnected || document.activeElement !== field || WORD.exec(before(field))?.[1] !== word) return;
  for (const option of list.children) option.hidden = !calls(option, word.trim().toLowerCase());
  const found = shown(list);
  // What follows a name that stands there already is the rest of the sentence.
  if (!found.length) return close(field);
  box.hidden = false;
  select(field, found[0]);
  said.textContent = `${found.length === 1 ? said.dataset.one : `${found.length} ${said.dataset.many}`}`;
}

function insert(field, option) {
  const start = before(field).lastIndexOf("@") + 1;
  field.setRangeText(`${option.dataset.name} `, start, field.selectionEnd, "end");
  closedFor = before(field);
  close(field);
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function onKey(event) {
  const { target: field, key } = event;
  if (!field.matches?.("[data-mentions]") || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const { box, list } = parts(field);
  if (box.hidden) return;
  const found = shown(list);
  const at = found.indexOf(chosenIn(list));
  if (key === "Escape") {
    closedFor = before(field);
    close(field);
  } else if (key in STEPS) select(field, found[(at + STEPS[key] + found.length) % found.length]);
  else if ((key === "Enter" || key === "Tab") && !event.shiftKey && found[at]) insert(field, found[at]);
  else return;
  // Escape closes the list and not the dialog around it.
  event.preventDefault();
  event.stopImmediatePropagation();
}

document.addEventListener("keydown", onKey, { capture: true });

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("[data-mentions]")) return;
  target.setAttribute("aria-controls", "mentions");
  target.setAttribute("aria-autocomplete", "list");
  look(target);
});

document.addEventListener("focusout", ({ target }) => {
  if (target.matches?.("[data-mentions]")) setTimeout(() => target.isConnected && document.activeElement !== target && close(target));
});

document.addEventListener("pointerdown", (event) => event.target.closest?.("#mentions") && event.preventDefault());

document.addEventListener("click", ({ target }) => {
  const option = target.closest?.("#mentions [role=option]");
  if (option) insert(option.closest("form").querySelector("[data-mentions]"), option);
});
