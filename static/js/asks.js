// Adds: a card's answers are sent when each question has one; the first that has none says so and takes the focus.
//       Enter in a box of a card presses no button. What is being written in a card that goes away is kept.
// Without it: the server says which question has no answer, and what was filled in stays.
const WORDS = "Choose an answer, or write one.";

const isAnswered = (question) =>
  question.querySelector(":checked") !== null || question.querySelector("textarea").value.trim() !== "";

function judge(form) {
  for (const question of form.querySelectorAll(".ask-question")) {
    const first = question.querySelector("input, textarea");
    first.setCustomValidity(isAnswered(question) ? "" : WORDS);
  }
}

const cardOf = (target) => target.closest?.('.ask[data-ask="questions"]');

document.addEventListener("input", ({ target }) => cardOf(target) && judge(cardOf(target)));

// Before the browser asks what is valid.
document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[name=choice]") && cardOf(target)) judge(cardOf(target));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.(".ask input")) event.preventDefault();
});

const written = (card) =>
  [...card.querySelectorAll("textarea")]
    .filter(({ value, defaultValue }) => value !== defaultValue)
    .map(({ value }) => value.trim())
    .filter(Boolean)
    .join("\n\n");

function onRemoved(records) {
  for (const node of records.flatMap(({ removedNodes }) => [...removedNodes])) {
    const card = node instanceof Element && (node.matches(".ask") ? node : node.querySelector(".ask"));
    const detail = card && written(card);
    if (detail) document.dispatchEvent(new CustomEvent("card:gone", { detail }));
  }
}

const messages = document.getElementById("messages");
if (messages) new MutationObserver(onRemoved).observe(messages, { childList: true, subtree: true });
