// Adds: light, dark or the system's colours at once, kept on this device. The switch in the menu tells
// the server by itself; the one in the profile is sent with its form.
// Without it: what the profile says, else the system's colours; the switch in the menu is not shown.
const root = document.documentElement;

function mark() {
  const chosen = root.dataset.theme ?? "system";
  for (const field of document.querySelectorAll(`input[name="theme"][value="${chosen}"]`)) {
    field.checked = true;
  }
}

document.addEventListener("change", ({ target }) => {
  if (target.name !== "theme") return;
  root.dataset.theme = target.value;
  mark();
  try {
    localStorage.setItem("theme", target.value);
  } catch {
    // Storage is off: the choice holds for this page.
  }
});

mark();
