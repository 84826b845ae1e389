// Adds: when access ends, nothing stays on the page but what is said of it and what somebody had typed; a page
// that the browser keeps while one is elsewhere is not shown again before its connection says that it may be.
// Without it: the conversation goes, and what stands around it stays until the page is left.
const root = document.documentElement;
const TYPED = "textarea, input:not([type]), input[type=text], input[type=search]";
// What tells nothing of a chat.
const STAYS = ".bar-menu, .bar-unfold, .brand, .connection, .upstream, [href^='/accounts/login/']";
const HOLDS = "#dialog, #bar-menu, #sidebar-menu, #shortcut-said";
let isGone = false;

const typed = () => [
  ...new Set(
    [...document.querySelectorAll(`main :is(${TYPED}), #dialog :is(${TYPED})`)]
      .filter((field) => field.value.trim() && field.value !== field.defaultValue && !field.readOnly)
      .map(({ value }) => value),
  ),
];

/** To be copied: nobody can send it from here any more. */
function giveBack(texts) {
  const template = document.getElementById("gone-typed");
  for (const text of texts) {
    const kept = template?.content.firstElementChild.cloneNode(true);
    if (!kept) return;
    kept.querySelector("textarea").value = text;
    document.querySelector("main")?.append(kept);
  }
}

function empty(code) {
  const dialog = document.getElementById("dialog");
  if (dialog?.open) dialog.close();
  for (const element of document.querySelectorAll(HOLDS)) element.replaceChildren();
  for (const element of document.querySelectorAll(".bar > *")) if (!element.matches(STAYS)) element.remove();
  // Nobody is signed in, or somebody else: their list is not this page's to show.
  if (code === 4401) for (const id of ["sidebar", "health"]) document.getElementById(id)?.replaceChildren();
}

document.addEventListener("live:gone", ({ detail: code }) => {
  isGone = true;
  delete root.dataset.left;
  const texts = typed();
  empty(code);
  // The conversation goes after this event.
  queueMicrotask(() => giveBack(texts));
});

// What was asked for before comes too late; the list of chats is asked for anew.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isGone && !event.target.closest("#sidebar, #health")) event.detail.shouldSwap = false;
});

addEventListener("pagehide", ({ persisted }) => {
  if (persisted && root.dataset.connection) root.dataset.left = "";
});

new MutationObserver(() => {
  if (root.dataset.connection === "live") delete root.dataset.left;
}).observe(root, { attributeFilter: ["data-connection"] });
