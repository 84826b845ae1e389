// Adds: a chat opens at its end, before anything is painted.
// Without it: it opens at its first message, or at the one that the address names.
if (!location.hash && !new URLSearchParams(location.search).has("before")) {
  scrollTo(0, document.documentElement.scrollHeight);
}
