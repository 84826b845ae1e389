// Adds: light, dark or the system's colours, kept on this device.
// Without it: the system's colours; the switch is not shown.
const root = document.documentElement;

function mark() {
  const chosen = root.dataset.theme ?? "system";
  const field = document.querySelector(`input[name="theme"][value="${chosen}"]`);
  if (field) field.checked = true;
}

document.addEventListener("change", ({ target }) => {
  if (target.name !== "theme") return;
  if (target.value === "system") delete root.dataset.theme;
  else root.dataset.theme = target.value;
  try {
    localStorage.setItem("theme", target.value);
  } catch {
    // Storage is off: the choice holds for this page.
  }
});

mark();
