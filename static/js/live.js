// Adds: a page that follows its chat. Frames that come over the socket are applied in place, and a lost connection comes back.
// Without it: the page shows what it was loaded with, and reloading brings it up to date.
//
// An extension of htmx 2 beside `ws`. The page provides
//
//   <meta name="live" content='{"silence":45,"hidden":30,"retry":1,"longest":60}'>   seconds; optional
//   <div hx-ext="ws,live" ws-connect="/ws/chats/UUID/">                 /ws/me/ where there is no #at
//     <h1 id="title">…</h1>
//     <main> <div id="earlier">…</div> <div id="messages"> <article id="mUUID" data-message="UUID">… </div> </main>
//     <div id="marks" hidden> <i id="mark-NAME" data-mark="NAME" data-version="N"></i>
//       <i id="at" data-at="POSITION" data-after="UUID" data-version="N" data-page="/chats/UUID/"></i> </div>
//   </div>
//   <template id="gone-4401"> <template id="gone-4403"> <template id="gone-4404">   what is said when access ends:
//                                the child whose data-why is the reason that the socket gave, else the first
//
// and gets data-connection="connecting | live | offline | closed" on <html>. What is put into the
// page for good besides #title and #marks has data-fixed, so that a refetched window renews it.
// A swap takes no more than it must: what a reader opened, scrolled, selected or focused stays.

const TIMES = {
  silence: 45,
  hidden: 30,
  retry: 1,
  longest: 60,
  ...JSON.parse(document.querySelector('meta[name="live"]')?.content ?? "{}"),
};
const WINDOW = "#title, #earlier, #messages, #marks, #at, [data-fixed]";
const STYLES = ["put", "move", "attrs", "own", "window"];
const OWN = /-(own|notes)$/;
const FOR_HTMX = "[hx-get], [hx-post], [hx-trigger], [hx-boost]";

// The answer to a form stands at the form's address, where nothing can be fetched again.
const place = document.getElementById("at")?.dataset.page;
if (place && location.pathname !== place) history.replaceState(history.state, "", place);

/* What a frame does to the page */

// `open` as the reader has set it, by the id of the <details>, or by itself when it has none.
const chosen = new Map();
const keyOf = (details) => details.id || details;

document.addEventListener("click", ({ target }) => {
  const details = target.closest?.("summary")?.parentElement;
  if (details?.localName !== "details") return;
  const before = details.open;
  // The click opens or closes it after all listeners, unless one of them or a link inside prevents it.
  setTimeout(() => details.open !== before && chosen.set(keyOf(details), details.open));
});

const isChosen = (element, name) =>
  name === "open" && element.localName === "details" && chosen.has(keyOf(element));

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value && !isChosen(element, name)) element.setAttribute(name, value);
}

function removeAttribute(element, name) {
  if (element.hasAttribute(name) && !isChosen(element, name)) element.removeAttribute(name);
}

function setAttributes(element, news) {
  for (const { name, value } of news.attributes) if (name !== "data-gone") setAttribute(element, name, value);
  for (const name of news.dataset.gone?.split(" ") ?? []) removeAttribute(element, name);
}

function put(parent, fresh) {
  const old = document.getElementById(fresh.id);
  return old ? morph(old, fresh) : parent.appendChild(asChosen(fresh));
}

/** The same for what stands elsewhere: it becomes the last child, with what a reader did in it. */
function move(parent, fresh) {
  const old = document.getElementById(fresh.id);
  const wasOpened = chosen.get(old?.parentElement.id) === true;
  const element = old ? morph(old, fresh) : asChosen(fresh);
  const isUsed = old !== null && parent.localName === "details" && (wasOpened || isInUse(element));
  if (isUsed && !parent.open && chosen.get(keyOf(parent)) !== false) {
    parent.open = true;
    chosen.set(keyOf(parent), true);
  }
  if (old === null || !parent.moveBefore) parent.append(element);
  else parent.moveBefore(element, null);
  return element;
}

/** What a reader has opened, or stands in, is not folded away under their eyes. */
const isInUse = (element) =>
  element.contains(document.activeElement) ||
  [element, ...element.querySelectorAll("details[id]")].some((details) => chosen.get(details.id) === true);

function asChosen(fresh) {
  if (!chosen.size || !(fresh instanceof Element)) return fresh;
  const inside = fresh.querySelectorAll("details[id]");
  for (const details of fresh.matches("details[id]") ? [fresh, ...inside] : inside) {
    if (chosen.has(details.id)) details.open = chosen.get(details.id);
  }
  return fresh;
}

/** Makes `old` equal to `fresh`, touching only what differs, and returns what stands there then. */
function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) {
    old.replaceWith(asChosen(fresh));
    return fresh;
  }
  if (old instanceof CharacterData) {
    rewrite(old, fresh.data);
    return old;
  }
  // The same time is in the reader's own words already.
  if (old.localName === "time" && old.dateTime === fresh.dateTime && old.dataset.since === fresh.dataset.since) {
    return old;
  }
  for (const { name, value } of fresh.attributes) setAttribute(old, name, value);
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) removeAttribute(old, name);
  // What one person sees at the end of a message was fetched, and frames leave it empty.
  if (!(OWN.test(old.id) && !fresh.hasChildNodes())) morphChildren(old, fresh);
  return old;
}

/** Children that have an id are found by it, others by their place. */
function morphChildren(old, fresh) {
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const twin = twinOf(child, old, next);
    if (!twin) {
      old.insertBefore(asChosen(child), next);
      continue;
    }
    if (twin === next) next = next.nextSibling;
    else old.insertBefore(twin, next);
    morph(twin, child);
  }
  while (next) {
    const surplus = next;
    next = next.nextSibling;
    surplus.remove();
  }
}

function twinOf(child, parent, next) {
  if (child.id) {
    const twin = document.getElementById(child.id);
    return twin?.parentNode === parent ? twin : null;
  }
  return next && !next.id && next.nodeName === child.nodeName ? next : null;
}

/** Text keeps its beginning, and with it a selection inside. */
function rewrite(text, data) {
  let same = 0;
  while (same < data.length && text.data[same] === data[same]) same += 1;
  if (same < data.length || same < text.length) text.replaceData(same, text.length - same, data.slice(same));
}

/** The list as the server shows it now, and everything beside it that frames change. */
function renew(fragment) {
  const fresh = new Map([...fragment.querySelectorAll(WINDOW)].map((element) => [element.id, element]));
  if (!fresh.has("messages") || !fresh.has("at")) throw new Error("a window without #messages or #at");
  const stay = keepScroll();
  const renewed = [];
  for (const [id, element] of fresh) {
    const old = document.getElementById(id);
    // Scripts of the page have attributes of their own on the list.
    if (id === "messages") morphChildren(old, withNews(old, element));
    else if (old) renewed.push(morph(old, element));
  }
  stay();
  return renewed;
}

/** What is new is said to whoever comes to a page: while it is read no line comes between its messages, and
 * the one that is there stays where it is, though its reader may have told the server meanwhile. */
function withNews(old, fresh) {
  const line = old.querySelector(":scope > .new-since");
  fresh.querySelector(":scope > .new-since")?.remove();
  if (line) [...fresh.children].find(({ id }) => id === line.dataset.before)?.before(line.cloneNode(true));
  return fresh;
}

/** Remembers where the first visible message stands; the function it returns brings it back there. */
function keepScroll() {
  const seen = [...document.querySelectorAll("#messages > *")].find((e) => e.getBoundingClientRect().bottom > 0);
  const top = seen?.getBoundingClientRect().top;
  return () => {
    if (!seen?.isConnected) return;
    let scroller = seen.parentElement;
    while (scroller && !/auto|scroll/.test(getComputedStyle(scroller).overflowY)) scroller = scroller.parentElement;
    (scroller ?? document.scrollingElement).scrollTop += seen.getBoundingClientRect().top - top;
  };
}

const wordsOf = (node) => node.textContent.replace(/\s+/g, " ").trim();

/** What is one reader's own, by id. A message that is not on this page yet, or any more, has no place
 * for it; what says the same again is left alone, with what a reader opened or filled in. */
function putOwn(target, fragment) {
  return [...fragment.children].flatMap((fresh) => {
    if (fresh.id === target.id) return putTarget(target, fresh);
    const old = document.getElementById(fresh.id);
    if (!old || (old.childElementCount && wordsOf(old) === wordsOf(fresh))) return [];
    old.replaceChildren(...[...fresh.childNodes].map(asChosen));
    return [old];
  });
}

/** What listens for a mark stays: one put in its place would be deaf until htmx has settled it, and a
 * mark that is fired meanwhile would be missed. */
function putTarget(target, fresh) {
  if (!fresh.dataset.marked) {
    target.replaceWith(fresh);
    return [fresh];
  }
  morph(target, fresh);
  // htmx tells nobody of what an extension has swapped.
  target.dispatchEvent(new CustomEvent("live:put", { bubbles: true }));
  return [];
}

function swap(style, target, fragment) {
  switch (style) {
    case "own":
      return putOwn(target, fragment);
    case "put":
      return [put(target, fragment.firstElementChild)];
    case "move":
      return [move(target, fragment.firstElementChild)];
    case "attrs":
      setAttributes(target, fragment.firstElementChild);
      return [];
    default:
      return renew(fragment);
  }
}

const isForHtmx = (element) => element.matches(FOR_HTMX) || element.querySelector(FOR_HTMX) !== null;

/* The connection: one socket at a time, which names the page's position */

let api;
let holder = null; // the element that has ws-connect
let socket = null; // the one that is listened to
let isApplying = false;
let hasFailed = false;
let tries = 0;
let forgotAt = -Infinity;
let retry;
let silence;
let greeted = null; // the last socket that has said something
let isRenewing = false;
let isAskedAgain = false;
let renewedFrom; // the first message of the page when its window was asked for
let isClosed = false;
let hiddenAt = 0;

const at = () => document.getElementById("at");
const show = (connection) => (document.documentElement.dataset.connection = connection);
const seconds = (count, action) => setTimeout(action, count * 1000);

function address(url) {
  const address = new URL(url);
  const page = at()?.dataset;
  for (const name of page ? ["at", "after", "version"] : []) address.searchParams.set(name, page[name] ?? "");
  return address;
}

function connect(url) {
  clearTimeout(retry);
  const former = socket;
  const current = (socket = new WebSocket(address(url)));
  former?.close();
  // Before all listeners of hx-ws: a socket that was given up says nothing any more, or there were two.
  for (const name of ["open", "message", "error", "close"]) {
    current.addEventListener(name, (event) => current === socket || event.stopImmediatePropagation());
  }
  current.addEventListener("message", begin);
  // On open, hx-ws has added its own listener: `end` comes after it, even when that one raised.
  current.addEventListener("open", () => {
    current.addEventListener("message", end);
    // A page without a position has nothing to catch up with.
    if (!at()) greet();
  });
  listen();
  if (document.documentElement.dataset.connection !== "offline") show("connecting");
  return current;
}

function listen() {
  clearTimeout(silence);
  silence = seconds(TIMES.silence, reconnect);
}

function reconnect() {
  clearTimeout(retry);
  if (isClosed || !holder?.isConnected) return;
  api.getInternalData(holder).webSocket?.publicInterface.reconnect();
}

/** Tries again after a while that grows, with full jitter: everybody was cut off at the same moment. */
function later() {
  clearTimeout(silence);
  clearTimeout(retry);
  show("offline");
  retry = seconds(Math.random() * Math.min(TIMES.longest, TIMES.retry * 2 ** tries), reconnect);
  tries = Math.min(tries + 1, 16);
}

function begin() {
  isApplying = true;
  hasFailed = false;
  listen();
}

function end() {
  if (isApplying || hasFailed) forget();
  else settle();
}

function settle() {
  // Frames that break again and again must not be asked for at the pace of a good connection.
  if (performance.now() - forgotAt > TIMES.longest * 1000) tries = 0;
  greet();
  if (at()?.hasAttribute("data-stale")) renewWindow();
}

function greet() {
  if (greeted && greeted !== socket) missed();
  greeted = socket;
  show("live");
}

/** What is one person's own has no position: after a gap it is asked for. */
const missed = () => document.body.dispatchEvent(new CustomEvent("mark:sidebar"));

/** The page is not what the server takes it for: it asks for everything. */
function forget() {
  isApplying = false;
  forgotAt = performance.now();
  if (at()) at().dataset.at = "";
  const broken = socket;
  socket = null;
  broken.close();
  later();
}

const first = () => document.querySelector("#messages > [data-message]")?.dataset.message;

async function renewWindow() {
  isAskedAgain = isRenewing;
  if (isRenewing) return;
  isRenewing = true;
  const url = new URL(location.href);
  renewedFrom = first();
  if (renewedFrom) url.searchParams.set("from", renewedFrom);
  try {
    await htmx.ajax("GET", url.pathname + url.search, { source: "#at", target: "#at", swap: "window" });
  } catch {
    // It stays stale, and the next frame asks again.
  }
  seconds(TIMES.retry, () => {
    isRenewing = false;
    // What was said to be stale meanwhile must not wait for a frame that may come much later.
    if (isAskedAgain && at()?.hasAttribute("data-stale")) renewWindow();
  });
}

/** Access ended: the page says so, and the text goes. */
function close(code, reason) {
  if (isClosed) return;
  isClosed = true;
  clearTimeout(silence);
  show("closed");
  // Whoever keeps what somebody typed does it now.
  document.dispatchEvent(new CustomEvent("live:gone", { detail: code }));
  const said = [...(document.getElementById(`gone-${code}`)?.content.children ?? [])];
  const words = (said.find(({ dataset }) => dataset.why === reason) ?? said[0])?.cloneNode(true);
  document.title = words?.firstChild.textContent.trim() ?? "";
  document.getElementById("title")?.replaceChildren();
  document.querySelector("main")?.replaceChildren(...(words ? [words] : []));
  if (code !== 4401) missed();
}

document.addEventListener("htmx:wsConnecting", ({ target }) => (holder = target));
document.addEventListener("htmx:wsAfterMessage", () => (isApplying = false));
document.addEventListener("htmx:oobErrorNoTarget", () => (hasFailed = isApplying));
document.addEventListener("htmx:wsClose", ({ detail }) => {
  const { code, reason } = detail.event;
  if (code >= 4400 && code < 4500) close(code, reason);
  else later();
});

// Where no socket gets through, what is one's own is asked for all the same, and is none any more. One that
// lives says why, in a moment.
document.addEventListener("htmx:responseError", ({ detail }) => {
  const isLive = document.documentElement.dataset.connection === "live";
  if (!isLive && detail.elt.id === "own" && detail.xhr.status === 404) close(4404);
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = performance.now();
  else if (performance.now() - hiddenAt >= TIMES.hidden * 1000) reconnect();
});
addEventListener("online", reconnect);
// A page that comes back as it was left has missed what happened meanwhile.
addEventListener("pageshow", ({ persisted }) => persisted && reconnect());
addEventListener("offline", () => isClosed || show("offline"));

htmx.createWebSocket = connect;
// hx-ws cannot take back a retry, nor does it retry after every code: its own is put off for ever.
htmx.config.wsReconnectDelay = () => 2 ** 31 - 1;

htmx.defineExtension("live", {
  init: (internal) => void (api = internal),
  isInlineSwap: (style) => ["put", "move", "attrs"].includes(style),
  handleSwap(style, target, fragment) {
    if (!STYLES.includes(style)) return false;
    // A window that was asked for before earlier messages came would take them away again.
    if (style === "window" && first() !== renewedFrom) {
      isAskedAgain = true;
      return [];
    }
    try {
      const changed = swap(style, target, fragment).filter(isForHtmx);
      if (style === "window") reconnect();
      return changed;
    } catch (error) {
      // htmx would go on with another way to swap.
      console.error(error);
      hasFailed = true;
      return [];
    }
  },
});
