"""What a text is found to hold before it is made public: keys, passwords, addresses of private networks.

No secret stands here as a whole, so that whoever looks through this file for one finds none.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chats.rendering.exposed import ADDRESS, entropy, finds, flat, line, masked
from tests.app_server import ROOT

RANDOM = "Zx9Kq2Lm7Rt4Vb8Nc3Wd6Yf1Hg5Jp0Sa"
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UPPER = "Q7ZK2MX4RT9LW3VB"

KEYS = {
    "a key of v0": f"v1:team_{RANDOM[:8]}:{RANDOM}",
    "a token of Vercel": f"vcp_{RANDOM}",
    "a token of Vercel Blob": f"vercel_blob_rw_{RANDOM}",
    "a key of an AI provider": f"sk-proj-{RANDOM}",
    "a secret key of Stripe": f"sk_live_{RANDOM}",
    "a webhook's secret": f"whsec_{RANDOM}",
    "a token of GitHub": f"ghp_{RANDOM}{RANDOM[:4]}",
    "a token of GitLab": f"glpat-{RANDOM}",
    "an access key of AWS": f"AKIA{UPPER}",
    "a key of Google": f"AIza{RANDOM}abc",
    "a token of Slack": f"xoxb-{RANDOM}",
    "a token of npm": f"npm_{RANDOM}abcd",
    "a token of PyPI": f"pypi-{RANDOM}{RANDOM}",
    "a token of Hugging Face": f"hf_{RANDOM}",
    "a key of SendGrid": f"SG.{RANDOM[:22]}.{RANDOM}",
    "a token of DigitalOcean": f"dop_v1_{HEX}",
    "a signed token (JWT)": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{RANDOM}",
    "a private key": f"-----BEGIN RSA PRIVATE KEY-----\n{RANDOM}\n{RANDOM}\n-----END RSA PRIVATE KEY-----",
}
BEHIND_WORDS = {
    f"API_KEY={RANDOM}": "a key",
    f'"apiKey": "{RANDOM}"': "a key",
    f'{{\\"access_key\\": \\"{RANDOM}\\"}}': "a key",
    f"export CLIENT_SECRET='{RANDOM}'": "a secret",
    f"token => {RANDOM}": "a token",
    f"Authorization: Bearer {RANDOM}": "a bearer token",
    "DB_PASSWORD=hunter22!": "a password",
    "password: Tr0ub4dor&3": "a password",
    f"AccountName=x;AccountKey={RANDOM}{RANDOM}==;": "a key",
}
IN_ADDRESSES = {
    "postgres://app:hunter2@db.example.com/app": "a connection string with its password",
    "mongodb+srv://root:s3cr3t@cluster.example.net": "a connection string with its password",
    "https://mona:hunter2@git.example.com/x.git": "a password in an address",
}
PRIVATE = (
    *("10.1.2.3", "http://172.16.0.9:8080/x", "172.31.255.1", "192.168.1.20", "10.0.0.5/8"),
    *(
        "fd12:3456:789a::1",
        "http://[fc00::2]/",
        "wiki.internal",
        "http://nas.local/",
        "db.prod.internal",
    ),
    *("redis.internal:6379", "root@pi.local", "host=printer.local"),
)
NOTHING = (
    *("127.0.0.1:3000", "http://localhost:5432", "0.0.0.0", "172.15.0.1", "172.32.0.1", "8.8.8.8"),
    *(
        "v10.1.2.3",
        "1.10.2.3.4",
        "10.1.2",
        "10.0.0.0/8",
        "999.10.1.2.3",
        "10.300.1.1",
        "fc:aa:15:01",
    ),
    *(
        ".env.local",
        "cp .env.development.local x",
        "app/db.local.ts",
        "state.local",
        "node:internal",
    ),
    *("from allauth.core.internal import x", "error.internal(1)", "./settings.local"),
    *(
        "apiKey: process.env.API_KEY",
        "password: z.string().min(8)",
        "token: ${TOKEN_2}",
        "key={item.id}",
    ),
    *(
        'autocomplete="current-password"',
        "password: new-password",
        "API_KEY=your-api-key-goes-here-1",
    ),
    *("sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx", "sk-...", "risk-management-of-the-whole-company-2026"),
    *(
        'key="0b9a7c3e-6f0f-4a52-9d5e-1f2a3b4c5d6e"',
        "NEXT_PUBLIC_KEY=aB3dE5fG7hJ9kL1mN3pQ5",
        "monkey: banana2",
    ),
    *("postgres://postgres:postgres@localhost:5432/app", "https://user:password@host.example"),
    *(
        "postgres://$USER:$PASSWORD@host/db",
        "const tokens = countTokens(text1)",
        "TOKEN = x-v0-preview-token",
    ),
    *(
        "ghp_short",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "eyJ is how they begin",
    ),
)


def told(text: str) -> list[str]:
    """The line of each find."""
    found = finds(text)
    return [line(text, each, found) for each in found]


def kinds(text: str) -> list[str]:
    return [find.kind for find in finds(text)]


def tells_nothing_of(secret: str, shown: str) -> None:
    """But its beginning: no five characters that follow each other."""
    runs = {secret[at : at + 5] for at in range(4, len(secret) - 5)}
    assert not [run for run in runs if run in shown]


@pytest.mark.parametrize("kind", KEYS)
def test_what_has_a_known_shape_is_found_and_never_told(kind: str) -> None:
    secret = KEYS[kind]
    for text in (secret, f"Take `{secret}`, please.", f"\n\tx = '{secret}'\n", f"({secret})"):
        assert kinds(text) == [kind]
        assert masked(secret)[:4] in told(text)[0]
        tells_nothing_of(secret, told(text)[0])


def test_what_stands_behind_a_word_and_looks_random_is_found() -> None:
    for text, kind in (BEHIND_WORDS | IN_ADDRESSES).items():
        assert kinds(text) == [kind], text
        assert RANDOM not in told(text)[0]
        assert "hunter2" not in told(text)[0]


def test_an_address_of_a_private_network_is_found_and_told() -> None:
    for text in PRIVATE:
        for around in (text, f"See {text}.", f'"{text}"', f"a\n{text}\nb", f"{text}, and"):
            found = finds(around)
            assert [find.kind for find in found] == [ADDRESS], around
            assert around[found[0].start : found[0].end] in told(around)[0]


def test_what_only_looks_like_one_is_not_found() -> None:
    wrong = {text: kinds(text) for text in NOTHING if finds(text)}
    assert not wrong


def test_nothing_is_found_in_what_the_sandbox_says() -> None:
    texts = {
        path: "\n".join(flat(json.loads(path.read_text("utf-8"))))
        for path in (ROOT / "tests/transcripts").glob("*.json")
    }
    texts |= {path: path.read_text("utf-8") for path in ROOT.glob("chats/sandbox/agent/*.py")}
    assert len(texts) > 30
    wrong: dict[Path, list[str]] = {path: kinds(text) for path, text in texts.items()}
    assert {path.name: found for path, found in wrong.items() if found} == {}


TEXTS = st.text(max_size=80)


@given(TEXTS, TEXTS, st.sampled_from(sorted(KEYS)))
@example("10.0.0.1 ", " 192.168.0.1", "a token of GitHub")
def test_it_is_found_whatever_stands_around_it(before: str, after: str, kind: str) -> None:
    text = f"{before} {KEYS[kind]} {after}"
    at = len(before) + 1
    assert [find for find in finds(text) if find.start <= at < find.end]
    assert not [shown for shown in told(text) if KEYS[kind] in shown]


@given(st.text(alphabet="ab0.:/@-_= \n\"'<keytoksc1", max_size=200))
def test_finds_are_in_order_and_apart(text: str) -> None:
    found = finds(text)
    ends = [0, *(find.end for find in found)]
    assert all(end <= find.start < find.end for end, find in zip(ends, found, strict=False))
    assert ends[-1] <= len(text)
    assert len(told(text)) == len(found)


@given(st.lists(st.sampled_from(sorted(KEYS)), min_size=2, max_size=4), st.integers(0, 90))
def test_a_line_tells_nothing_of_another_secret_in_it(found: list[str], apart: int) -> None:
    """Wherever the part that is shown begins: in the middle of one before it, too."""
    text = f" {'-' * apart} ".join(KEYS[kind] for kind in found)
    assert kinds(text) == found
    for shown in told(text):
        for kind in found:
            # Many begin alike.
            tells_nothing_of(KEYS[kind].replace("-", "")[8:], shown.replace("-", ""))


def test_a_line_is_short_and_of_one_line() -> None:
    secret = KEYS["a token of Slack"]
    assert told(f"{'x' * 200} {secret}") == [f"…{'x' * 59} {masked(secret)}"]
    assert told(f"before\n\tSLACK =\t'{secret}' after\nit") == [f"SLACK = '{masked(secret)}"]
    assert told(f"{secret} {secret}x")[1].count("…") == 2
    assert told("postgres://app:hunter2@db.internal") == [
        *("postgres://app:hu… (7 characters)", "postgres://app:…@db.internal")
    ]


def test_a_short_secret_is_told_by_less_than_half() -> None:
    assert masked("hunter2") == "hu… (7 characters)"
    assert masked(RANDOM) == "Zx9K… (32 characters)"


def test_names_stand_by_what_they_name() -> None:
    value = {"env": {"API_KEY": RANDOM, "n": 1, "on": True}, "list": ["a", {"b": None}]}
    assert list(flat(value)) == ["env: ", f"API_KEY: {RANDOM}", "n: 1", "list: a", "list: "]
    deep: object = "end"
    for _ in range(5000):
        deep = [deep]
    assert list(flat(deep)) == ["end"]


def test_entropy_is_of_the_characters() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


@pytest.mark.parametrize(
    "text", ["key=", "10.10.", ".local", "eyJ", "://a:", "fd00:", "bearer a1", "sk-", "-----BEGIN "]
)
def test_what_is_made_to_take_long_does_not(text: str) -> None:
    """By the number of places, not by the clock: a quadratic one would not come back."""
    assert isinstance(finds(text * 20_000), list)
