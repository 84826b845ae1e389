// Adds: the browser's own time zone, offered beside the list when another one is chosen.
// Without it: the list alone.
const select = document.querySelector("#time-zone");
const offer = document.querySelector("#time-zone-proposed");
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

function show() {
  const isThere = [...select.options].some((option) => option.value === zone);
  offer.hidden = !isThere || select.value === zone;
}

if (select && offer) {
  offer.querySelector("[data-zone]").textContent = zone;
  offer.querySelector("button").addEventListener("click", () => {
    select.value = zone;
    show();
    select.focus();
  });
  select.addEventListener("change", show);
  show();
}
