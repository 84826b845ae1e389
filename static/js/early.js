// Adds, before the first paint, what was chosen on this device: the theme, where the page does not come
// with its person's own (which is kept for when they have signed out), and a folded sidebar.
// Without it: that theme or the system's, and an open sidebar; what needs scripts stays hidden.
{
  const root = document.documentElement;
  root.dataset.scripts = "";
  try {
    const theme = localStorage.getItem("theme");
    if (root.dataset.theme) localStorage.setItem("theme", root.dataset.theme);
    else if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("sidebar") === "folded") root.dataset.sidebar = "folded";
  } catch {
    // Storage is off: nothing was chosen.
  }
}
