// Adds: what somebody types is never lost: a draft per chat, and text that was refused is given back.
// Without it: a refusal is a page with the text in the field, and a reload may empty it.
const form = document.querySelector("form[data-composer]");
const field = form?.querySelector("textarea");
const key = `draft:${form?.dataset.composer}`;
const SAVE_AFTER = 300;

let sent = ""; // Given to the server, which has not taken it yet.
let offered = ""; // Given back, and not in the field yet.
let tokenIsUsed = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
let timer = 0;
let isForgetting = false;

function store(name, text) {
  try {
    if (text && !isForgetting) localStorage.setItem(name, text);
    else localStorage.removeItem(name);
  } catch {
    // Storage is off or full: the draft lives as long as the page.
  }
}

function stored(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

// What is on its way keeps its token: sent again after a reload, it is still the same message.
function save() {
  store(key, field.value || sent || offered);
  store(`${key}:token`, sent && !field.value ? document.getElementById("token").value : "");
}

function put(text) {
  field.value = text;
  field.dispatchEvent(new CustomEvent("composer:set", { bubbles: true }));
}

// Directly when nothing is being typed, else by a button.
function giveBack(text) {
  const button = document.querySelector("[data-put-back]");
  const direct = !field.value;
  if (direct) put(text);
  offered = direct ? "" : text;
  button.hidden = direct;
  save();
}

function say(sentence) {
  const refusal = document.getElementById("refusal");
  refusal.querySelector("[data-sentence]").textContent = sentence;
  refusal.hidden = false;
}

// A token stands for one message. Once it may have been used, other text needs another.
function renewToken() {
  tokenIsUsed = false;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  document.getElementById("token").value = hex;
}

function refusalOf(status) {
  const { noAnswer, noAccess, broken } = document.getElementById("refusal").dataset;
  if (status >= 500) return broken;
  return status >= 400 ? noAccess : noAnswer;
}

function onAnswer({ detail }) {
  const text = sent;
  sent = "";
  if (detail.successful) {
    offered = "";
    save();
    // A message that was edited has gone out: a reload must not put it back.
    if (new URLSearchParams(location.search).has("edit")) history.replaceState(null, "", location.pathname);
    return;
  }
  const status = detail.xhr?.status ?? 0;
  // The words came with the answer, and with them a fresh token.
  if (![402, 409, 422, 429].includes(status)) {
    tokenIsUsed = true;
    say(refusalOf(status));
  }
  giveBack(text);
}

const lastAsked = () => [...document.querySelectorAll(".message[data-role=user] .message-text")].pop()?.textContent;

const plain = (token) => token.replaceAll("-", "").toLowerCase();

// The same form has arrived before: as a message that waits.
function waits(token) {
  const rows = [...document.querySelectorAll("[data-queued-token]")];
  return rows.some(({ dataset }) => plain(dataset.queuedToken) === plain(token));
}

function open() {
  const draft = stored(key);
  const token = stored(`${key}:token`);
  if (token && (waits(token) || draft.trim() === lastAsked()?.trim())) {
    save();
    return;
  }
  if (token) {
    document.getElementById("token").value = token;
    tokenIsUsed = true;
  }
  if (!field.value) put(draft);
  else if (draft && draft !== field.value) {
    say(document.getElementById("refusal").dataset.draft);
    giveBack(draft);
  }
}

// A chat that takes nothing any more: what was being typed there goes along into a new one.
document.addEventListener("click", ({ target }) => {
  const chat = target.closest("[data-carry]")?.dataset.carry;
  if (!chat) return;
  const text = (field?.value || offered || stored(`draft:${chat}`)).trim();
  const other = stored("draft:new").trim();
  if (text && text !== other) store("draft:new", other ? `${other}\n\n${text}` : text);
});

if (form) {
  document.addEventListener("input", ({ target }) => {
    if (tokenIsUsed && target.form === form) renewToken();
    if (target !== field) return;
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER);
  });

  document.addEventListener("submit", (event) => {
    if (event.target !== form) return;
    if (!field.value.trim()) event.preventDefault();
    else if (!form.hasAttribute("hx-post")) {
      // This page is left; what comes next either has the text in its field or has taken it.
      tokenIsUsed = true;
      clearTimeout(timer);
      store(key, "");
    }
  });

  document.addEventListener("htmx:beforeSend", (event) => {
    if (event.target !== form) return;
    sent = field.value;
    put("");
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target === form) onAnswer(event);
  });

  document.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-put-back]")) return;
    put(field.value ? `${offered}\n\n${field.value}` : offered);
    offered = "";
    document.getElementById("refusal").hidden = true;
    field.focus();
    save();
  });

  // A card went away while somebody was writing in it.
  document.addEventListener("card:gone", ({ detail }) => {
    say(document.getElementById("refusal").dataset.decided);
    giveBack(detail);
  });

  addEventListener("pagehide", () => {
    if (form.hasAttribute("hx-post") || !tokenIsUsed) save();
  });

  open();
}

document.addEventListener("submit", ({ target }) => {
  if (!target.matches("[data-sign-out]")) return;
  isForgetting = true;
  for (const name of Object.keys(localStorage)) if (name.startsWith("draft:")) store(name, "");
});
