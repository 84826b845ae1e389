// Adds: the actions of a message copy it, or its link; a message that is on the page is gone to without a reload.
// Without it: they are links to its text, to itself and to the page of its details.
const SHOWN = 2000;
const dialog = document.getElementById("dialog");

const acts = {
  copy: ({ href }) => copy(fetchText(href)),
  link: ({ href }) => copy(Promise.resolve(href)),
};

async function fetchText(href) {
  const answer = await fetch(href);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

// The text is on its way while the browser still knows that somebody asked for it.
async function copy(text) {
  try {
    const item = { "text/plain": text.then((plain) => new Blob([plain], { type: "text/plain" })) };
    if (globalThis.ClipboardItem) await navigator.clipboard.write([new ClipboardItem(item)]);
    else await navigator.clipboard.writeText(await text);
    return true;
  } catch {
    return false;
  }
}

function tell(link) {
  link.dataset.done = "";
  const said = document.getElementById("shortcut-said");
  if (said) said.textContent = "Copied.";
  setTimeout(() => delete link.dataset.done, SHOWN);
}

async function act(link) {
  // A page that was not served safely has no clipboard: the link then does what it does without scripts.
  if (await acts[link.dataset.act](link)) tell(link);
  else location.assign(link.href);
}

/** What is folded, and what it is folded into, by its line, as a reader would: so it stays open. */
function unfold(target) {
  for (let around = target; around; around = around.parentElement?.closest("details")) {
    if (around.localName === "details" && !around.open) around.querySelector(":scope > summary")?.click();
  }
}

/** Goes to what an address names, if it is on this page; whether it is. */
function goTo(href) {
  const { hash, pathname, search } = new URL(href, location.href);
  const target = hash && document.getElementById(hash.slice(1));
  if (!target || pathname !== document.getElementById("at")?.dataset.page) return false;
  unfold(target);
  // First by the hash, which marks the target; then the whole address, which others can use.
  location.hash = hash;
  history.replaceState(history.state, "", pathname + search + hash);
  target.scrollIntoView({ block: "start" });
  return true;
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[data-act], a.message-link, .details a[href*='#m']");
  if (!link) return;
  if (acts[link.dataset.act]) {
    event.preventDefault();
    act(link);
  } else if (goTo(link.href)) {
    event.preventDefault();
    dialog?.close();
  }
});

// What another script wants to show, such as a hit of a search.
document.addEventListener("message:go", (event) => goTo(event.detail) && event.preventDefault());
