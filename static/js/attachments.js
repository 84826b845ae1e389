// Adds: files are uploaded as they are picked, pasted or dropped, with progress; a long paste becomes a file.
// Without it: the form's own field takes files along, and boxes keep those of a message that was refused.
const form = document.querySelector("form[data-composer]");
const list = document.getElementById("attachments");
const field = form?.querySelector("textarea");
const drop = document.getElementById("drop");
const address = document.getElementById("address");
const wait = document.getElementById("attachments-wait");
const key = `draft:${form?.dataset.composer}:files`;
const texts = new WeakMap(); // Of rows that were a paste.

const rows = (more = "") => [...list.querySelectorAll(`.attachment:not([data-problem])${more}`)];
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function say(sentence) {
  document.getElementById("attachments-said").textContent = sentence;
}

function made(name, words) {
  const row = document.getElementById(name).content.firstElementChild.cloneNode(true);
  row.querySelector(".attachment-name").textContent = words;
  return row;
}

function refuse(sentence, instead) {
  const row = made("attachment-problem", sentence);
  if (instead) instead.replaceWith(row);
  else list.append(row);
  say(sentence);
}

// Rows and the sentence of a refusal are the server's; one that gives neither has said no otherwise.
function answerOf(request) {
  const found = [...(request.response?.querySelectorAll(".attachment") ?? [])];
  if (found.length) return found.map((row) => document.importNode(row, true));
  const { broken, noAccess, tooLarge } = list.dataset;
  if (request.status === 413) return [made("attachment-problem", tooLarge)];
  return [made("attachment-problem", request.status && request.status < 500 ? noAccess : broken)];
}

function post(body, { onProgress = () => {}, onEnd }) {
  const request = new XMLHttpRequest();
  request.open("POST", list.dataset.attachments);
  request.responseType = "document";
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  for (const row of rows("[data-attachment]")) body.append("attachment", row.dataset.attachment);
  request.upload.addEventListener("progress", onProgress);
  request.addEventListener("loadend", () => onEnd(answerOf(request)));
  request.send(body);
  return request;
}

function whyNot(file) {
  const { most, bytes, tooMany, tooLarge } = list.dataset;
  if (rows(":not([data-sent])").length >= Number(most)) return tooMany;
  const held = sum(rows(":not([data-sent])").map((row) => Number(row.dataset.size)));
  return held + file.size > Number(bytes) ? `“${file.name}”: ${tooLarge}` : "";
}

function upload(file, text = "") {
  const sentence = whyNot(file);
  if (sentence) {
    refuse(sentence);
    return false;
  }
  const row = made("attachment-uploading", file.name);
  row.dataset.size = file.size;
  list.append(row);
  const body = new FormData();
  body.append("file", file, file.name);
  const request = post(body, {
    onProgress: ({ loaded, total }) => (row.querySelector("progress").value = loaded / total),
    onEnd: (found) => onUploaded(row, found, text),
  });
  row.stop = () => request.abort();
  return true;
}

function onUploaded(row, found, text) {
  if (!row.isConnected) return;
  const has = document.activeElement === row.querySelector("button");
  row.replaceWith(...found);
  wait.hidden ||= !list.querySelector("[data-uploading]");
  const [last] = found;
  if (has) last.querySelector("button")?.focus();
  say(last.querySelector(".attachment-name").textContent + ("problem" in last.dataset ? "" : ` ${list.dataset.said}`));
  if (!text) return;
  if ("problem" in last.dataset) type(text);
  else {
    texts.set(last, text);
    last.querySelector(".attachment-remove").before(made("attachment-undo", list.dataset.undo));
  }
}

function type(text) {
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function remove(row, back = field) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.stop?.();
  row.remove();
  wait.hidden ||= !list.querySelector("[data-uploading]");
  (next?.querySelector("[data-remove]") ?? back).focus();
  const path = row.querySelector("[data-remove]").dataset.remove;
  if (!path) return;
  const token = form.elements.csrfmiddlewaretoken.value;
  // What is left there, a sent one or one that could not be asked for, goes by itself.
  fetch(path, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => {});
}

function undo(row) {
  type(texts.get(row));
  remove(row);
  field.focus();
}

// Picked

form?.addEventListener("change", ({ target }) => {
  if (target.id !== "files") return;
  for (const file of target.files) upload(file);
  target.value = "";
});

// Pasted

field?.addEventListener("paste", (event) => {
  const { clipboardData: data } = event;
  const text = data.getData("text/plain");
  if (text.length > Number(list.dataset.long)) {
    if (upload(new File([text], list.dataset.pasted, { type: "text/plain" }), text)) event.preventDefault();
  } else if (!text && data.files.length) {
    event.preventDefault();
    for (const file of data.files) upload(file);
  }
});

// Dropped

const hasFiles = ({ dataTransfer }) => form && dataTransfer?.types.includes("Files");

for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    if (!drop.matches(":popover-open")) drop.showPopover();
  });
}

document.addEventListener("dragleave", (event) => {
  if (hasFiles(event) && !event.relatedTarget) drop.hidePopover();
});

document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  drop.hidePopover();
  for (const item of event.dataTransfer.items) {
    if (item.kind !== "file") continue;
    if (item.webkitGetAsEntry?.()?.isDirectory) refuse(list.dataset.folder);
    else upload(item.getAsFile());
  }
  field.focus();
});

// By address

function attachAddress() {
  const problem = document.getElementById("address-problem");
  const body = new FormData();
  body.append("url", address.value);
  post(body, {
    onEnd: ([found]) => {
      const words = found.querySelector(".attachment-name").textContent;
      problem.textContent = "problem" in found.dataset ? words : "";
      if (problem.textContent) return;
      list.append(found);
      address.value = "";
      document.getElementById("attach-address").hidePopover();
      say(`${words} ${list.dataset.said}`);
      field.focus();
    },
  });
}

address?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  attachAddress();
});

// An address that was not attached is not to be sent by the way.
document.getElementById("attach-address")?.addEventListener("toggle", ({ newState }) => {
  if (newState === "closed") address.value = document.getElementById("address-problem").textContent = "";
  else address.focus();
});

document.addEventListener("click", ({ target }) => {
  const row = target.closest(".attachment");
  if (row && target.closest("[data-remove]")) remove(row);
  if (row && target.closest("[data-undo]")) undo(row);
  if (target.closest("[data-attach-address]")) attachAddress();
});

// Sent

document.addEventListener(
  "submit",
  (event) => {
    if (event.target !== form || !list.querySelector("[data-uploading]")) return;
    event.preventDefault();
    event.stopPropagation();
    wait.hidden = false;
    say(wait.textContent);
  },
  true,
);

document.addEventListener("htmx:beforeSend", ({ target }) => {
  if (target !== form) return;
  for (const row of list.querySelectorAll(".attachment")) row.dataset.sent = "";
});

document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target !== form) return;
  for (const row of list.querySelectorAll("[data-sent]")) {
    if (detail.successful) row.remove();
    else delete row.dataset.sent;
  }
});

// Kept: a page that is loaded again has what was attached and not sent.

function save() {
  const ids = rows("[data-attachment]").map((row) => row.dataset.attachment);
  try {
    if (ids.length) localStorage.setItem(key, JSON.stringify(ids));
    else localStorage.removeItem(key);
  } catch {
    // Storage is off or full: the files live as long as the page.
  }
}

async function restore() {
  try {
    const ids = JSON.parse(localStorage.getItem(key) ?? "[]");
    if (!ids.length || rows().length) return;
    const asked = new URLSearchParams(ids.map((id) => ["attachment", id]));
    const answer = await fetch(`${list.dataset.attachments}?${asked}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const row of page.querySelectorAll("[data-attachment]")) list.append(document.importNode(row, true));
  } catch {
    // They are as gone as after a day; the text is still there.
  }
}

if (form) {
  restore().then(() => new MutationObserver(save).observe(list, { childList: true }));
}
