// Adds: the buttons of code blocks copy the code, and one beside a field what is in it.
// Without it: the buttons are not shown, and both are selected and copied by hand.
const SHOWN = 2000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-copies]");
  const field = button && document.getElementById(button.dataset.copies);
  const code = button?.closest("pre")?.querySelector("code");
  if (!field && !code) return;
  if (await copied(field ? field.value : code.textContent)) tell(button);
  else if (field) field.select();
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
  const isOfCode = "copy" in button.dataset;
  if (isOfCode) button.dataset.copy = "done";
  button.textContent = "Copied";
  setTimeout(() => {
    if (isOfCode) button.dataset.copy = "";
    button.textContent = "Copy";
  }, SHOWN);
}
