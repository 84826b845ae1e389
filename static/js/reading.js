// Adds: the message just sent stands at the top, a way to the latest, earlier ones without a jump.
// Without it: the page scrolls as any other, and a link shows earlier messages.
const messages = document.getElementById("messages");
const jump = document.querySelector("[data-jump]");
const dock = document.querySelector(".dock");
const SHOW_BEYOND = 200;
const HIDE_WITHIN = 60;
const REACH = 400; // px above the screen: what comes earlier is there before it is missed
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let isSending = false;
let pinned = null; // The message on its way to the top, until a person scrolls,
let held = null; // and the one that stands there.
let follows = false; // Only after a person asked for the latest, until they scroll up.
let lastTop = scrollY;
let checking = 0;

// The end of what was written, which is not the end of the page while there is room for more.
function below() {
  const end = messages.lastElementChild?.lastElementChild;
  return end ? end.getBoundingClientRect().bottom - dock.getBoundingClientRect().top : 0;
}

function check() {
  checking = 0;
  if (held) scrollBy(0, held.getBoundingClientRect().top - parseFloat(getComputedStyle(held).scrollMarginTop));
  const distance = below();
  if (follows && distance > 0) scrollBy(0, distance + HIDE_WITHIN / 2);
  else if (distance > SHOW_BEYOND) jump.hidden = false;
  else if (distance < HIDE_WITHIN) jump.hidden = true;
}

function soon() {
  checking ||= requestAnimationFrame(check);
}

function pin(article) {
  isSending = false;
  follows = false;
  messages.dataset.pinned = "";
  messages.style.setProperty("--pinned", `${article.offsetHeight}px`);
  messages.style.setProperty("--dock", `${dock.offsetHeight}px`);
  article.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
  pinned = article;
}

function letGo({ type, target }) {
  // Typing the next message is no scrolling.
  if (type !== "wheel" && type !== "touchmove" && target.matches?.("textarea")) return;
  pinned = held = null;
}

function onChanges(changes) {
  const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
  const mine = added.find((node) => node.dataset?.role === "user");
  if (isSending && mine) pin(mine);
  soon();
}

// Only by scrolling up: a page that opens short of its end must not fetch its whole past.
function reachBack() {
  const link = document.querySelector("#earlier a");
  if (link && link.getBoundingClientRect().bottom > -REACH) link.dispatchEvent(new CustomEvent("earlier"));
}

function keepPlace(event) {
  if (event.target.id !== "messages" || !event.detail.requestConfig.elt.closest("#earlier")) return;
  const height = document.documentElement.scrollHeight;
  const top = scrollY;
  const { style } = document.documentElement;
  // Or the browser, which keeps the place too unless it is the very top, would do it a second time.
  style.overflowAnchor = "none";
  const restore = () => {
    scrollTo(0, top + document.documentElement.scrollHeight - height);
    requestAnimationFrame(() => requestAnimationFrame(() => (style.overflowAnchor = "")));
  };
  event.target.addEventListener("htmx:afterSwap", restore, { once: true });
}

if (messages && jump && dock) {
  new MutationObserver(onChanges).observe(messages, { childList: true });
  new ResizeObserver(soon).observe(messages);
  addEventListener("resize", soon);
  addEventListener("scrollend", () => {
    held = pinned ?? held;
    pinned = null;
  });
  for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    addEventListener(kind, letGo, { passive: true });
  }
  // At the very top nothing scrolls any more.
  addEventListener("wheel", ({ deltaY }) => deltaY < 0 && reachBack(), { passive: true });
  addEventListener("scroll", () => {
    if (scrollY < lastTop) reachBack();
    if (scrollY < lastTop) follows = false;
    lastTop = scrollY;
    soon();
  }, { passive: true });

  document.addEventListener("htmx:beforeSend", ({ target }) => {
    if (target.matches("form[data-composer]")) isSending = true;
  });
  document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
    if (target.matches("form[data-composer]") && !detail.successful) isSending = false;
  });
  document.addEventListener("htmx:beforeSwap", keepPlace);
  document.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-jump]")) return;
    follows = true;
    jump.hidden = true;
    scrollBy({ top: below() + HIDE_WITHIN / 2, behavior: calm.matches ? "auto" : "smooth" });
  });
  soon();
}
