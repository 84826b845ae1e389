"""What in a text looks as if it should not be public: keys, tokens, passwords, addresses of private networks.

Owns what is taken for one, and how it is shown without being told: its first characters and its length.
Pure; each rule first asks for a literal that it cannot be without, and every repetition is bounded, so that the
time follows the length of the text. Finds what has a known shape, and what stands behind a word like
`password=` and looks random; a secret in plain words it does not know.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from math import log2
from string import ascii_letters, digits
from typing import Any

# Characters that are shown of a secret, and of the line before it.
FIRST = 4
BEFORE = 60
# Characters of a private key's block at most.
BLOCK = 20_000

ADDRESS = "an address of a private network"
CONNECTION = "a connection string with its password"
PASSWORD_IN_ADDRESS = "a password in an address"  # noqa: S105 (what it is called)
PRIVATE_KEY = "a private key"

DATABASES = ("postgres", "mysql", "mariadb", "mongodb", "redis", "amqp", "mssql", "sqlserver")
PRIVATE_V4 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
PRIVATE_V6 = IPv6Network("fc00::/7")
# What ends in .internal or .local in code, and is no host.
NO_HOSTS = {
    *("this", "self", "state", "props", "module", "node", "process", "window", "global", "config"),
    *("settings", "options", "opts", "env", "err", "error", "event", "e", "i", "data", "value"),
    *("values", "user", "session", "store", "storage", "scope", "context", "ctx", "cache", "file"),
}
FAKES = ("your", "example", "changeme", "change-me", "placeholder", "redacted", "dummy", "replace")
FAKE_PASSWORDS = frozenset(("password", "passwd", "pass", "pwd", "pw"))
CODE = re.compile(r"[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+")
SPACES = re.compile(r"\s+")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# A word that ends in "key" and is about a secret.
KEYS = re.compile(
    r"(?:api|access|secret|private|auth|encryption|encrypt|signing|master|service|account|shared|app|"
    r"storage|licen[sc]e|webhook|deploy|admin|root|session|client)[_-]?key$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Find:
    """What `text[start:end]` looks like; `is_secret` is that it is shown by its first characters alone."""

    kind: str
    start: int
    end: int
    is_secret: bool = True


@dataclass(frozen=True, slots=True)
class Shape:
    """What something looks like that begins as nothing else does. One of `hints` is in every text that has
    it; `part` is the group that is the secret."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    part: int = 0


def _shape(kind: str, pattern: str, *hints: str) -> Shape:
    return Shape(kind, hints, re.compile(pattern))


SHAPES = (
    _shape("a key of v0", r"v1:[\w-]{6,100}:[\w-]{8,200}", "v1:"),
    _shape("a token of Vercel", r"vc[acikpr]_[A-Za-z0-9]{20,200}", "vc"),
    _shape("a token of Vercel Blob", r"vercel_blob_rw_\w{16,200}", "vercel_blob_rw_"),
    _shape("a key of an AI provider", r"sk-(?:[a-z]{2,8}\d{0,2}-)?[\w-]{20,250}", "sk-"),
    _shape(
        "a secret key of Stripe", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}", "k_live_", "k_test_"
    ),
    _shape("a webhook's secret", r"whsec_[A-Za-z0-9+/=]{20,200}", "whsec_"),
    _shape("a token of GitHub", r"gh[pousr]_[A-Za-z0-9]{30,255}", *(f"gh{c}_" for c in "pousr")),
    _shape("a token of GitHub", r"github_pat_\w{22,255}", "github_pat_"),
    _shape("a token of GitLab", r"glpat-[\w-]{20,200}", "glpat-"),
    _shape("an access key of AWS", r"A(?:KIA|SIA)[0-9A-Z]{16}(?![0-9A-Za-z])", "AKIA", "ASIA"),
    _shape("a key of Google", r"AIza[\w-]{35}", "AIza"),
    _shape("a token of Google", r"ya29\.[\w-]{20,250}", "ya29."),
    _shape("a token of Slack", r"xox[a-z]-[A-Za-z0-9-]{10,250}", "xox"),
    _shape("a token of Slack", r"xapp-\d-[A-Za-z0-9-]{10,250}", "xapp-"),
    _shape("a token of npm", r"npm_[A-Za-z0-9]{36}", "npm_"),
    _shape("a token of PyPI", r"pypi-[\w-]{50,250}", "pypi-"),
    _shape("a token of Hugging Face", r"hf_[A-Za-z0-9]{30,100}", "hf_"),
    _shape("a key of SendGrid", r"SG\.[\w-]{16,64}\.[\w-]{16,100}", "SG."),
    _shape("a token of DigitalOcean", r"do[opr]_v1_[0-9a-f]{64}", "_v1_"),
    _shape("a signed token (JWT)", r"eyJ[\w-]{8,300}\.eyJ[\w-]{4,4000}(?:\.[\w-]{0,2000})?", "eyJ"),
)
BEGIN_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
END_KEY = re.compile(r"-----END [A-Z0-9 ]{1,80}-----")
IN_ADDRESS = re.compile(r"""://([^\s/:@"'<>`]{0,100}):([^\s/@"'<>`]{1,200})@([\w.-]{0,200})""")
BEARER = re.compile(r"[Bb]earer ([A-Za-z0-9._~+/=-]{16,2000})")
# The word, what stands between, and the value. Quotes in quotes have backslashes.
ASSIGNED = re.compile(
    r"[kKtTsSpP](?:ey|EY|oken|OKEN|ecret|ECRET|assw(?:or)?d|ASSW(?:OR)?D|assphrase|ASSPHRASE|wd|WD)"
    r"""[\\"'\]]{0,4}[ \t]{0,3}(?::=|=>|=|:)[ \t]{0,3}[\\"'`]{0,3}"""
    r"([A-Za-z0-9+/_.~!@#$%^*?-]{8,500}={0,2})"
)
V4 = re.compile(r"1(?:0|72|92)(?:\.\d{1,3}){3}")
V6 = re.compile(r"[fF][cCdD][0-9a-fA-F]{2}:[0-9a-fA-F:]{2,36}")
PRIVATE_NAME = re.compile(r"\.(?:internal|local)")
IN_HOSTS = f"{ascii_letters}{digits}-."
LONGEST_HOST = 253


def finds(text: str) -> list[Find]:
    """What is in `text`, in order; of those that overlap the one that begins first, or is longer."""
    found = sorted(_all(text), key=lambda each: (each.start, -each.end))
    kept: list[Find] = []
    for each in found:
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def line(text: str, find: Find, found: Sequence[Find]) -> str:
    """The place in words that do not tell a secret: what stands before it in its line, and its beginning.
    `found` is all that was found in `text`, none of which is told with it.

    What follows is left out: it may still be of the secret.
    """
    start = max(text.rfind("\n", 0, find.start) + 1, find.start - BEFORE)
    at = start
    told = "…" if start and text[start - 1] != "\n" else ""
    # Those that end in what is shown, also where they began before it.
    for other in found[bisect_right(found, start, key=lambda each: each.end) :]:
        if other.start >= find.start:
            break
        told = f"{told}{text[at : max(at, other.start)]}".removesuffix("…") + "…"
        at = other.end
    told = SPACES.sub(" ", f"{told}{text[at : find.start]}").lstrip()
    shown = text[find.start : find.end]
    return told + (masked(shown) if find.is_secret else shown)


def masked(secret: str) -> str:
    """The first characters, less than half of them, and the length."""
    first = secret[: min(FIRST, len(secret) // 3)]
    return f"{first}… ({len(secret)} characters)"


def flat(value: Any) -> Iterator[str]:
    """The lines of a JSON value, each with the name that it has, so that a name stands by what it names."""
    rest: list[tuple[str, Any]] = [("", value)]
    while rest:
        name, each = rest.pop()
        match each:
            case Mapping():
                if name:
                    yield name
                rest += reversed([(f"{key}: ", inside) for key, inside in each.items()])
            case list() | tuple():
                rest += reversed([(name, inside) for inside in each])
            case None | bool():
                continue
            case _:
                yield f"{name}{each}"


def _all(text: str) -> Iterator[Find]:
    for shape in SHAPES:
        if any(hint in text for hint in shape.hints):
            yield from _of_shape(text, shape)
    if "PRIVATE KEY" in text:
        yield from _private_keys(text)
    if "://" in text and "@" in text:
        yield from _in_addresses(text)
    if "earer " in text:
        yield from _of(text, BEARER, "a bearer token", lambda found: _is_random(found[1], 16, 3.0))
    yield from _of(text, ASSIGNED, "", _is_assigned)
    if "10." in text or "172." in text or "192.168." in text:
        yield from _addresses(text, V4, "_-.", _is_private_v4)
    if ":" in text:
        yield from _addresses(text, V6, "_-.:", _is_private_v6)
    if ".internal" in text or ".local" in text:
        yield from _hosts(text)


def _of_shape(text: str, shape: Shape) -> Iterator[Find]:
    for found in _matches(text, shape.pattern):
        if not _continues(text, found.start()) and not _is_filler(found[0]):
            yield Find(shape.kind, found.start(), found.end())


def _of(
    text: str, pattern: re.Pattern[str], kind: str, is_one: Callable[[re.Match[str]], bool]
) -> Iterator[Find]:
    """Those whose first group is the secret; without a `kind`, called after the word before it."""
    for found in _matches(text, pattern):
        if is_one(found):
            yield Find(kind or _called(found), found.start(1), found.end(1))


def _matches(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Every place at which it matches: one that is none in the end must not hide what is in it."""
    at = 0
    while (found := pattern.search(text, at)) is not None:
        yield found
        at = found.start() + 1


def _continues(text: str, start: int) -> bool:
    """Whether what begins there is the rest of a word."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")


def _is_filler(secret: str) -> bool:
    """Whether it stands for a secret in some instructions."""
    told = secret.lower()
    return len(set(told)) < 7 or "xxxx" in told or "your" in told or "..." in told


def _private_keys(text: str) -> Iterator[Find]:
    at = 0
    while (found := BEGIN_KEY.search(text, at)) is not None:
        last = min(len(text), found.start() + BLOCK)
        end = END_KEY.search(text, found.end(), last)
        at = end.end() if end else last
        yield Find(PRIVATE_KEY, found.start(), at)


def _in_addresses(text: str) -> Iterator[Find]:
    for found in _matches(text, IN_ADDRESS):
        user, password, host = found.groups()
        is_default = host in ("localhost", "127.0.0.1", "") and password.isalpha()
        is_fake = password.lower() in FAKE_PASSWORDS or _is_fake(password)
        if is_default or is_fake or password == user == "":
            continue
        scheme = text[max(0, found.start() - 20) : found.start()].lower()
        is_database = any(name in scheme for name in DATABASES)
        kind = CONNECTION if is_database else PASSWORD_IN_ADDRESS
        yield Find(kind, found.start(2), found.end(2))


def _called(found: re.Match[str]) -> str:
    match found[0][:2].lower():
        case "ke":
            return "a key"
        case "to":
            return "a token"
        case "se":
            return "a secret"
        case _:
            return "a password"


def _is_assigned(found: re.Match[str]) -> bool:
    value = found[1].rstrip(".,:;!?&")
    before = found.string[max(0, found.start() - 40) : found.start()]
    word = f"{re.split('[^A-Za-z0-9_-]', before)[-1]}{found[0][:3]}".lower()
    if "public" in word or "publishable" in word or _is_fake(value) or UUID.fullmatch(value):
        return False
    if found.string[found.end() : found.end() + 1] == "(" or CODE.fullmatch(value):
        return False
    match _called(found):
        case "a key":
            is_one = word in ("key", "_key") or not word[-4:-3].isalpha() or bool(KEYS.search(word))
            return is_one and _is_random(value, 20, 3.3)
        case "a password":
            return _is_password(value)
        case _:
            return _is_random(value, 16, 3.0)


def _is_fake(value: str) -> bool:
    told = value.lower()
    is_named = told[0] in "$<{%[" or any(word in told for word in FAKES)
    return is_named or "xxx" in told or "***" in told or "..." in told or len(set(told)) < 4


def _is_password(value: str) -> bool:
    has_more = any(char.isdigit() or char in "!@#$%^&*+=~/" for char in value)
    return has_more and any(map(str.isalpha, value)) and entropy(value) >= 2.5


def _is_random(value: str, least: int, bits: float) -> bool:
    """Whether it is long, has letters and digits, and repeats itself little."""
    if len(value) < least:
        return False
    figures = sum(map(str.isdigit, value))
    # Some words with a number in them are no secret.
    is_mixed = figures > 1 or (figures == 1 and value != value.lower() and value != value.upper())
    return is_mixed and any(map(str.isalpha, value)) and entropy(value) >= bits


def entropy(value: str) -> float:
    """Bits for each of its characters, if each came as often as it does in it."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values())


def _addresses(
    text: str, pattern: re.Pattern[str], joins: str, is_private: Callable[[str, int], bool]
) -> Iterator[Find]:
    """After one of `joins` it is a part of something longer, such as a version."""
    for found in pattern.finditer(text):
        start, end = found.span()
        before, after = text[max(0, start - 1) : start], text[end : end + 2]
        goes_on = after[:1].isalnum() or (after[:1] == "." and after[1:].isdigit())
        is_alone = not goes_on and not before.isalnum() and (not before or before not in joins)
        if is_alone and is_private(text, start):
            yield Find(ADDRESS, start, end, is_secret=False)


def _is_private_v4(text: str, start: int) -> bool:
    found = V4.match(text, start)
    assert found
    try:
        address = IPv4Address(found[0])
    except AddressValueError:
        return False
    # The networks themselves are in every manual.
    is_network = text[found.end() : found.end() + 1] == "/"
    networks = [network for network in PRIVATE_V4 if address in network]
    return bool(networks) and not (is_network and address == networks[0].network_address)


def _is_private_v6(text: str, start: int) -> bool:
    found = V6.match(text, start)
    assert found
    told = found[0]
    try:
        return IPv6Address(told if told.endswith("::") else told.rstrip(":")) in PRIVATE_V6
    except AddressValueError:
        return False


def _hosts(text: str) -> Iterator[Find]:
    for ending in PRIVATE_NAME.finditer(text):
        before = text[max(0, ending.start() - LONGEST_HOST) : ending.start()]
        labels = before[len(before.rstrip(IN_HOSTS)) :]
        start = ending.start() - len(labels)
        if labels.strip(".-") == labels and _is_host(text, labels.lower(), start, ending.end()):
            yield Find(ADDRESS, start, ending.end(), is_secret=False)


def _is_host(text: str, labels: str, start: int, end: int) -> bool:
    """Whether it stands where a host does: not as a file's name, and not as a member of something."""
    before, after = text[max(0, start - 7) : start], text[end : end + 2]
    if after[:1].isalnum() or after[:1] in ("_", "-", "(", "[", "?"):
        return False
    if not labels or (after[:1] == "." and after[1:].isalnum()):
        return False
    if before.endswith(("://", "@")):
        return True
    if before.endswith(("from ", "import ")):
        return False
    if before[-1:].isalnum() or before[-1:] in (".", "/", "_", "-", "$", "\\"):
        return False
    if after[:1] == ":" and after[1:].isdigit():
        return True
    return labels.split(".", 1)[0] not in NO_HOSTS
