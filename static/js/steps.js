// Adds: a link to a step opens what the step is folded into, and a timeline names the bar under the pointer or focus.
// Without it: browsers open what is folded around the end of a link; names of bars are tooltips and a table.
const STEP = /^#(m[\w-]+-p\d+)$/;
const named = (hash) => document.getElementById(STEP.exec(hash)?.[1] ?? "");

/** By its line, as a reader would: what is opened so stays open while more arrives. */
function open(step) {
  for (let around = step; around; around = around.parentElement?.closest("details")) {
    if (around.localName === "details" && !around.open) around.querySelector(":scope > summary")?.click();
  }
}

function arrive() {
  const step = named(location.hash);
  if (!step) return;
  open(step);
  step.scrollIntoView({ block: "start" });
}

function say({ target }) {
  const bar = target.closest?.("[data-timeline] a[aria-label]");
  if (bar) bar.closest("[data-timeline]").querySelector("[data-says]").textContent = bar.getAttribute("aria-label");
}

document.addEventListener("click", ({ target }) => {
  const link = target.closest?.('#messages a[href^="#m"]');
  if (link) open(named(link.getAttribute("href")));
});
addEventListener("hashchange", () => open(named(location.hash)));
document.addEventListener("pointerover", say);
document.addEventListener("focusin", say);
if (location.hash) arrive();
