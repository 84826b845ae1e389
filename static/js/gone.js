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

const made = (id) => document.getElementById(id)?.content.firstElementChild.cloneNode(true);

/** What was typed is to be copied: nobody can send it from here any more. */
function fill(texts) {
  const main = document.querySelector("main");
  const heading = made("gone-heading");
  if (heading) main?.prepend(heading);
  for (const text of texts) {
    const kept = made("gone-typed");
    if (!kept) return;
    kept.querySelector("textarea").value = text;
    main?.append(kept);
  }
}

function empty(code) {
  const dialog = document.getElementById("dialog");
  if (dialog?.open) dialog.close();
  for (const element of document.querySelectorAll(HOLDS)) element.replaceChildren();
  for (const element of document.querySelectorAll(".bar > *")) {
    // Its place is kept by nothing but an empty one.
    if (element.matches(".bar-title")) element.replaceWith(Object.assign(document.createElement("span"), { className: "bar-title" }));
    else if (!element.matches(STAYS)) element.remove();
  }
  // The list of chats is asked for anew; until it comes, this one is in it no more.
  const [chat] = location.pathname.match(/^\/chats\/[^/]+\//) ?? [];
  if (chat) document.querySelector(`#chats a[href="${chat}"]`)?.closest("li")?.remove();
  // Nobody is signed in, or somebody else: their list is not this page's to show.
  if (code !== 4401) return;
  document.getElementById("health")?.replaceChildren();
  for (const element of document.querySelectorAll("#sidebar > :not(.sidebar-top)")) element.remove();
}

document.addEventListener("live:gone", ({ detail: code }) => {
  isGone = true;
  delete root.dataset.left;
  const texts = typed();
  // What is on its way may have been answered before.
  for (const asking of document.querySelectorAll(".htmx-request")) {
    asking.addEventListener("htmx:beforeOnLoad", (event) => event.preventDefault());
  }
  empty(code);
  // The conversation goes after this event.
  queueMicrotask(() => fill(texts));
});

// What a form has sent is answered too late; the list of chats is asked for anew.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isGone && !event.target.closest("#sidebar, #health")) event.detail.shouldSwap = false;
});

addEventListener("pagehide", ({ persisted }) => {
  if (persisted && root.dataset.connection) root.dataset.left = "";
});

new MutationObserver(() => {
  if (root.dataset.connection === "live") delete root.dataset.left;
}).observe(root, { attributeFilter: ["data-connection"] });
