// Adds: a chat opens where it goes on for its reader (what is new, else its end), or at the message that the address
// names, before anything is painted.
// Without it: it opens at its first message, or at the one behind the address's #.
{
  const asked = new URLSearchParams(location.search);
  const at = `m${asked.get("at")}`;
  if (!location.hash && document.getElementById(at)) location.replace(`#${at}`);
  else if (!location.hash && !asked.has("before")) {
    const since = document.getElementById("new-since");
    if (since) since.scrollIntoView({ block: "start" });
    else scrollTo(0, document.documentElement.scrollHeight);
  }
}
