// Adds: the tab says live what the chat is called, by a dot that its answer is running, and how much waits for one.
// Without it: the tab says what was so when the page was made.
const title = document.getElementById("title");
const messages = document.getElementById("messages");
const LIVE = ["sending", "checking", "streaming"].map((state) => `[data-state="${state}"]`).join();
const COUNT = /^\(\d+\+?\) /;

function words() {
  if (!title || !messages) return document.title.replace(COUNT, "");
  const name = document.getElementById("title").textContent.trim() || "New chat";
  const runs = messages.querySelector(`:scope > [data-role="assistant"]:is(${LIVE})`) !== null;
  return `${runs ? "● " : ""}${name} – v0web`;
}

function tell() {
  // A page whose chat was taken away says that, and nothing else.
  if (document.documentElement.dataset.connection === "closed") return;
  const count = document.getElementById("needs-you")?.dataset.count;
  const told = `${count ? `(${count}) ` : ""}${words()}`;
  if (document.title !== told) document.title = told;
}

const needs = document.getElementById("needs-you");
// A new count is put as a new element.
if (needs) new MutationObserver(tell).observe(needs.parentNode, { childList: true });

if (title && messages) {
  const states = { attributes: true, attributeFilter: ["data-state"], childList: true, subtree: true };
  new MutationObserver((changes) => {
    if (changes.some(({ target }) => target === messages || target.parentNode === messages)) tell();
  }).observe(messages, states);
  // A new title may be put as a new element.
  new MutationObserver(tell).observe(title.parentNode, { childList: true, subtree: true, characterData: true });
}
