// Adds: folding the sidebar on large screens, and a list that is asked for again when no socket lives, with
// what is one's own in a chat; so is the notice that v0 does not answer, and also while it stands: each process knows of its own calls.
// Without it: the sidebar stands, and the list and the notice are as old as the page.
const ASK_EVERY = 15_000;
const root = document.documentElement;

document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-sidebar-fold]")) return;
  const folded = root.dataset.sidebar !== "folded";
  if (folded) root.dataset.sidebar = "folded";
  else delete root.dataset.sidebar;
  document.querySelector(folded ? ".bar [data-sidebar-fold]" : ".sidebar [data-sidebar-fold]")?.focus();
  try {
    localStorage.setItem("sidebar", folded ? "folded" : "open");
  } catch {
    // Storage is off: the choice holds for this page.
  }
});

const isLive = () => root.dataset.connection === "live";
const ask = (name = "sidebar") => document.body.dispatchEvent(new CustomEvent(`mark:${name}`));

setInterval(() => {
  if (document.hidden) return;
  if (!isLive()) for (const name of ["sidebar", "own"]) ask(name);
  if (!isLive() || document.querySelector("#health p")) ask("health");
}, ASK_EVERY);

// What was running when the page was made may have ended before its socket could say so.
new MutationObserver((_, observer) => {
  if (!isLive()) return;
  observer.disconnect();
  if (document.querySelector("#chats [data-running]")) ask();
}).observe(root, { attributeFilter: ["data-connection"] });
