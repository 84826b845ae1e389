// Adds: one polite voice for screen readers that says what the answer is doing, never what it says.
// Without it: the states are on the page, and nobody is interrupted.
const messages = document.getElementById("messages");
const announcer = document.getElementById("announcer");
const BREATH = 1500;
const OVER = ["finished", "stopped", "failed"];

let next = "";
let timer = 0;

function say() {
  timer = 0;
  if (!next) return;
  announcer.textContent = next;
  next = "";
  timer = setTimeout(say, BREATH);
}

const word = (name) => announcer.getAttribute(`data-${name}`) ?? "";

function hear(element) {
  const { part, state, role, pending } = element.dataset;
  if (part !== undefined) next = state === "running" ? word(part) : next;
  else if (role === "assistant") next = word(pending !== undefined && state === "finished" ? "pending" : state);
  else return;
  if (next && (!timer || OVER.includes(state))) {
    clearTimeout(timer);
    say();
  }
}

const speaks = (node) => node instanceof Element && node.matches("[data-part], [data-message]");

function onChanges(changes) {
  for (const { type, target, oldValue, addedNodes } of changes) {
    if (type === "attributes" && speaks(target) && oldValue !== target.dataset.state) hear(target);
    for (const node of addedNodes) if (speaks(node) && !OVER.includes(node.dataset.state)) hear(node);
  }
}

if (messages && announcer) {
  new MutationObserver(onChanges).observe(messages, {
    attributes: true,
    attributeFilter: ["data-state"],
    attributeOldValue: true,
    childList: true,
    subtree: true,
  });
}
