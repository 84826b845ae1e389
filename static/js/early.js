// Adds, before the first paint, what a person chose on this device: theme and a folded sidebar.
// Without it: the system's theme and an open sidebar; what needs scripts stays hidden.
{
  const root = document.documentElement;
  root.dataset.scripts = "";
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("sidebar") === "folded") root.dataset.sidebar = "folded";
  } catch {
    // Storage is off: nothing was chosen.
  }
}
