// Adds: a chat's menu as a popover with arrow keys, its forms and those of an answer in a dialog, its title changed
// in place.
// Without it: the menu and each form are pages of their own.
const dialog = document.getElementById("dialog");
const titled = document.querySelector("[data-title]");
const titleForm = titled?.querySelector("form");
const ITEMS = "a, button";
const GAP = 4; // px between a menu and what opened it

function openMenu(menu, opener) {
  menu.showPopover();
  const { left, right, top, bottom } = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = bottom + GAP + height <= innerHeight;
  menu.style.left = `${Math.max(GAP, Math.min(left + width > innerWidth ? right - width : left, innerWidth - width - GAP))}px`;
  menu.style.top = `${below ? bottom + GAP : Math.max(GAP, top - GAP - height)}px`;
  menu.opener = opener;
  menu.querySelector(ITEMS)?.focus();
}

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

function step(event, menu) {
  const items = [...menu.querySelectorAll(ITEMS)];
  const at = items.indexOf(document.activeElement);
  const next = { Home: 0, End: items.length - 1 }[event.key] ?? (at + STEPS[event.key] + items.length) % items.length;
  if (event.key === "Tab") menu.hidePopover();
  if (!items[next]) return;
  event.preventDefault();
  items[next].focus();
}

function openTitle() {
  const title = document.getElementById("title");
  titleForm.elements.title.value = title.textContent;
  titled.dataset.editing = "";
  titleForm.hidden = false;
  titleForm.elements.title.select();
}

function closeTitle() {
  delete titled.dataset.editing;
  titleForm.hidden = true;
}

// Not before it has settled: until then htmx does not know the links in it.
document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  if (target.matches(".menu")) openMenu(target, detail.requestConfig.elt);
  if (target === dialog && !dialog.open) {
    document.querySelector(".menu:popover-open")?.hidePopover();
    dialog.showModal();
  }
});

document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (!detail.successful || detail.requestConfig.verb !== "post") return;
  // What stays shows in the dialog what came of it.
  if (target.closest("dialog") === dialog && !detail.requestConfig.elt.closest("[data-stays]")) dialog.close();
  target.closest(".menu")?.hidePopover();
  if (target !== titleForm) return;
  // The frame that says the same is on its way.
  document.getElementById("title").textContent = titleForm.elements.title.value.trim();
  closeTitle();
});

// What stands inside a message is no instruction to htmx; a link there is led into the dialog by hand.
function openInDialog(event, { href }) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  htmx.ajax("GET", href, { source: "#into-dialog", target: dialog });
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const link = target.closest("a[data-dialog]");
  if (link && dialog) openInDialog(event, link);
  if (titleForm && target.closest("#title")) openTitle();
  if (target === dialog || (dialog?.open && target.closest("[data-dialog-close]"))) {
    event.preventDefault();
    dialog.close();
  }
});

// Before others hear of a key: Escape here is not a wish to stop the answer.
document.addEventListener(
  "keydown",
  (event) => {
    const { target, key } = event;
    const menu = target.closest?.(".menu:popover-open");
    if (menu && (key in STEPS || ["Home", "End", "Tab"].includes(key))) step(event, menu);
    if (!titleForm) return;
    if (key === "Escape" && target.form === titleForm) {
      event.preventDefault();
      closeTitle();
    } else if (key === "F2" && !titleForm.contains(target)) {
      event.preventDefault();
      openTitle();
    }
  },
  true,
);

document.addEventListener("focusout", ({ target }) => {
  if (titleForm && target.form === titleForm && target.value === document.getElementById("title")?.textContent) closeTitle();
});

for (const notice of document.querySelectorAll("[data-lasts]")) {
  setTimeout(() => notice.remove(), Number(notice.dataset.lasts) * 1000);
}
