// Adds: the options of a message close with Escape and by a click beside them, and Enter there sends nothing.
// Without it: they open and close by their own button, and Enter in one of their fields sends the form.
const options = document.getElementById("options");

function close() {
  const within = options.contains(document.activeElement);
  options.open = false;
  if (within) options.querySelector("summary").focus();
}

if (options) {
  document.addEventListener("click", ({ target }) => {
    // What was swapped away under the click is no click beside them.
    if (options.open && target.isConnected && !options.contains(target) && !target.closest("#refusal")) options.open = false;
  });

  // Before others hear of it: Escape here is not a wish to stop the answer.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || !options.open) return;
      if (event.key === "Escape" && !event.defaultPrevented) {
        event.preventDefault();
        close();
      } else if (event.key === "Enter" && options.contains(event.target) && event.target.matches("input")) {
        event.preventDefault();
      }
    },
    true,
  );
}
