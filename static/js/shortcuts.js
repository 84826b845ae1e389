// Adds: keys for new chat, field, search, next and previous chat, last answer; and a dialog that lists them.
// Without it: links and buttons do the same, and the browser's own keys go from one to the next.
const dialog = document.getElementById("shortcuts");
const said = document.getElementById("shortcut-said");

const open = (path) => path && location.assign(path);

function neighbour(step) {
  const links = [...document.querySelectorAll("#chats a.chat-link[href^='/chats/']")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  // From a page that is no chat, both lead to the newest.
  return links[at < 0 ? 0 : at + step]?.href;
}

async function copyAnswer() {
  const answers = document.querySelectorAll("#messages > [data-role=assistant] > .message-parts");
  const parts = [...(answers[answers.length - 1]?.querySelectorAll("[data-part=text]") ?? [])];
  const text = parts.map((part) => part.innerText.trim()).join("\n\n");
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "The last answer was copied.";
  } catch {
    said.textContent = "This browser does not let the page copy.";
  }
}

const plain = {
  "?": () => dialog.showModal(),
  "/": () => document.getElementById("message")?.focus(),
  n: () => open("/"),
  j: () => open(neighbour(1)),
  k: () => open(neighbour(-1)),
  c: copyAnswer,
  f: () => document.querySelector("[data-search-open]")?.click(),
};
const withModifiers = { O: plain.n, C: copyAnswer, ArrowDown: plain.j, ArrowUp: plain.k };

const isTyping = ({ target }) => target.closest?.("input, textarea, select, [contenteditable]");

// Without a sidebar there are neither those places nor the dialog.
if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    if (document.querySelector("dialog[open], :popover-open:not(#sidebar)")) return;
    const command = event.ctrlKey || event.metaKey;
    const modified = (command && event.shiftKey) || (event.altKey && event.shiftKey);
    const letter = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    const act = modified
      ? withModifiers[letter]
      : !command && !event.altKey && !isTyping(event) && plain[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-shortcuts]")) dialog.showModal();
    // The dialog itself is hit only beside what stands in it.
    if (target === dialog) dialog.close();
  });
}
