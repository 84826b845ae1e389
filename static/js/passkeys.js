// Adds: buttons that have the browser prove somebody by a passkey, or make one, and send what it says.
// Without it: the buttons are not shown, and a password or a code does the same.
const PROBLEMS = {
  none: "This browser knows no passkeys.",
  stopped: "Nothing was chosen. Try again, or take another way.",
  known: "This device has a passkey for this account already.",
  insecure: "Passkeys work only at the address that this installation was set up for, over HTTPS.",
  server: "The server did not answer as it should. Load the page again.",
};
const REASONS = { NotAllowedError: "stopped", InvalidStateError: "known", SecurityError: "insecure" };

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (it) => it.charCodeAt(0));

function text(buffer) {
  const all = Array.from(new Uint8Array(buffer), (it) => String.fromCharCode(it)).join("");
  return btoa(all).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const known = (list) => (list ?? []).map((it) => ({ ...it, id: bytes(it.id) }));

function asked({ publicKey }) {
  const options = { ...publicKey, challenge: bytes(publicKey.challenge) };
  if (publicKey.user) {
    options.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
    options.excludeCredentials = known(publicKey.excludeCredentials);
  } else {
    options.allowCredentials = known(publicKey.allowCredentials);
  }
  return { publicKey: options };
}

function said(credential) {
  const { response } = credential;
  const found = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) found[name] = text(response[name]);
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: found,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function challenge(form) {
  const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  const answer = await fetch(form.dataset.challenge, { method: "POST", body, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error("refused");
  return answer.json();
}

async function prove(form) {
  if (!window.PublicKeyCredential) return "none";
  try {
    const options = asked(await challenge(form));
    const { credentials } = navigator;
    const makes = form.dataset.passkey === "create";
    const credential = await (makes ? credentials.create(options) : credentials.get(options));
    form.elements.credential.value = JSON.stringify(said(credential));
  } catch (error) {
    return REASONS[error.name] ?? "server";
  }
  form.submit();
  return "";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.passkey) return;
  event.preventDefault();
  const problem = form.querySelector("[data-passkey-problem]");
  problem.hidden = true;
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  const found = await prove(form);
  if (!found) return;
  button.disabled = false;
  problem.textContent = PROBLEMS[found];
  problem.hidden = false;
});
