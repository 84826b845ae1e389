// Adds: a chat opens at its end, or at the message that the address names, before anything is painted.
// Without it: it opens at its first message, or at the one behind the address's #.
{
  const asked = new URLSearchParams(location.search);
  const at = `m${asked.get("at")}`;
  if (!location.hash && document.getElementById(at)) location.replace(`#${at}`);
  else if (!location.hash && !asked.has("before")) scrollTo(0, document.documentElement.scrollHeight);
}
