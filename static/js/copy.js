// Adds: the buttons of code blocks copy the code.
// Without it: the buttons are not shown, and code is selected and copied by hand.
const SHOWN = 2000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  const code = button?.closest("pre")?.querySelector("code");
  if (!code) return;
  if (await copied(code.textContent)) tell(button);
  else getSelection()?.selectAllChildren(code);
});

// A page that was not served safely has no clipboard: the code is then only selected.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function tell(button) {
  button.dataset.copy = "done";
  button.textContent = "Copied";
  setTimeout(() => {
    button.dataset.copy = "";
    button.textContent = "Copy";
  }, SHOWN);
}
