// Adds: a search above its chat, with the places marked in the page, and keys that lead from one to the next.
// Without it: a page lists the places, each with a link to it.
const finder = document.getElementById("finder");
const messages = document.getElementById("messages");
// Places marked in one page at most: each is an object of the browser's.
const MOST = 2000;
const BLOCKS = ".message-text, .message-files > *, .part-head, .part-body > *";

const search = () => finder.querySelector(".search");
const field = () => document.getElementById("search-field");
const hits = () => [...finder.querySelectorAll("[data-hit]")];
const query = () => document.getElementById("hits")?.dataset.query ?? "";

let here = -1;
let opener = null;
let painting = 0;

// As near as scripts come to what the server does: "ß" is "ss", and each sigma is one.
const fold = (text) => text.toUpperCase().toLowerCase();

/** The characters of a block as the server compares them, and where each came from. */
function folded(block) {
  const letters = [];
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    let at = 0;
    for (const letter of node.data) {
      const plain = /\s/.test(letter) ? " " : fold(letter);
      if (plain !== " " || letters.at(-1)?.plain !== " ") {
        for (const each of plain) letters.push({ plain: each, node, at, end: at + letter.length });
      }
      at += letter.length;
    }
  }
  return letters;
}

function* places(block, wanted) {
  if (!block.textContent.trim()) return;
  const letters = folded(block);
  // By code points, so that a place in the text is a place in the list.
  const text = letters.map(({ plain }) => (plain.length === 1 ? plain : "\uffff")).join("");
  const plain = [...wanted].map((each) => (each.length === 1 ? each : "\uffff")).join("");
  for (let at = text.indexOf(plain); at >= 0; at = text.indexOf(plain, at + plain.length)) {
    const [first, last] = [letters[at], letters[at + plain.length - 1]];
    if ([...wanted].some((each, index) => letters[at + index].plain !== each)) continue;
    const range = new Range();
    range.setStart(first.node, first.at);
    range.setEnd(last.node, last.end);
    yield range;
  }
}

// Marks are not in the document: it stays equal to what frames make of it.
function paint() {
  clearTimeout(painting);
  painting = 0;
  if (!globalThis.Highlight || !messages) return;
  CSS.highlights.clear();
  const wanted = fold(query());
  if (!wanted) return;
  const current = document.getElementById(hits()[here]?.dataset.hit ?? "");
  const blocks = [...messages.querySelectorAll(BLOCKS)];
  const isHere = (block) => current?.contains(block) ?? false;
  CSS.highlights.set("found-here", marks(blocks.filter(isHere), wanted));
  CSS.highlights.set("found", marks(blocks.filter((block) => !isHere(block)), wanted));
}

function marks(blocks, wanted) {
  const highlight = new Highlight();
  for (const block of blocks) {
    for (const range of places(block, wanted)) {
      if (highlight.size >= MOST) return highlight;
      highlight.add(range);
    }
  }
  return highlight;
}

// Not with every frame of an answer that runs.
const soon = () => (painting ||= setTimeout(paint, 300));

/** In a long part or message the place itself comes into view, not only its beginning. */
function reveal() {
  const [range] = CSS.highlights?.get("found-here") ?? [];
  if (!range) return;
  const box = range.startContainer.parentElement.closest(".part-body, pre, .part-value");
  const below = () => range.getBoundingClientRect().top;
  if (box?.scrollHeight > box?.clientHeight) box.scrollTop += below() - box.getBoundingClientRect().top - box.clientHeight / 2;
  if (below() < innerHeight * 0.15 || below() > innerHeight * 0.7) scrollBy(0, below() - innerHeight * 0.35);
}

function tell() {
  const count = hits().length;
  const more = document.getElementById("hits")?.hasAttribute("data-goes-on") ? "+" : "";
  const output = document.getElementById("search-count");
  if (output) output.textContent = query() ? here < 0 ? `${count}${more} found` : `${here + 1} of ${count}${more}` : "";
  hits().forEach((hit, index) => (index === here ? hit.setAttribute("aria-current", "true") : hit.removeAttribute("aria-current")));
  for (const button of finder.querySelectorAll("[data-step]")) {
    const next = here + Number(button.dataset.step);
    button.disabled = next >= count ? !more : next < 0;
  }
  paint();
}

function show(index) {
  const hit = hits()[index];
  if (!hit) return;
  here = index;
  search().dataset.folded = "";
  tell();
  const focused = document.activeElement;
  const isHere = !document.dispatchEvent(new CustomEvent("message:go", { detail: hit.href, cancelable: true }));
  // Not among the messages of this page: the page that has it opens with the same search.
  if (!isHere) return location.assign(hit.href);
  // Whoever is led to a place by its address loses the focus.
  if (finder.contains(focused)) focused.focus({ preventScroll: true });
  reveal();
}

function step(by) {
  const next = here + by;
  if (next >= hits().length) finder.querySelector("[data-search-on]")?.click();
  else if (next >= 0) show(next);
}

function close() {
  finder.replaceChildren();
  here = -1;
  paint();
  const address = new URL(location.href);
  address.searchParams.delete("find");
  history.replaceState(history.state, "", address);
  (opener?.isConnected ? opener : document.querySelector("[data-search-open]"))?.focus();
}

function opened() {
  here = hits().findIndex(({ dataset }) => `#${dataset.hit}` === location.hash);
  if (here >= 0) search().dataset.folded = "";
  tell();
  if (here < 0) field()?.focus();
  else reveal();
}

if (finder) {
  document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
    if (target === finder) {
      opener = detail.requestConfig?.elt.closest("[data-search-open]") ?? null;
      opened();
    } else if (target.id === "hits") {
      here = -1;
      delete search().dataset.folded;
      tell();
    }
  });
  if (messages) new MutationObserver(() => query() && soon()).observe(messages, { childList: true, subtree: true, characterData: true });

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const { target } = event;
    const hit = target.closest("#finder [data-hit]");
    const button = target.closest("#finder [data-step]");
    if (hit) {
      event.preventDefault();
      show(hits().indexOf(hit));
    } else if (button) step(Number(button.dataset.step));
    else if (target.closest("[data-search-close]")) close();
    else if (target === field()) delete search().dataset.folded;
  });

  // Before others hear of a key: Enter leads on where nothing else is asked for, Escape is no wish to stop the answer.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || !event.target.closest?.("#finder")) return;
      const isNext = event.key === "Enter" && event.target === field() && hits().length && field().value.trim() === query();
      if (event.key === "Escape") close();
      else if (isNext) step(event.shiftKey ? -1 : 1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
}
