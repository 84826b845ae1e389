"""Who may see a chat, between here and a v0 that agrees, refuses, hangs and breaks: both sides end as the
dialog says. Every way of failing has a chat of its own, and all of them are told at once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from chats.models import AuditEntry, Chat, Membership, Person, Team
from chats.relay import intents, levels, wish_rows
from chats.relay.levels import is_refusal
from chats.relay.relay import Relay
from chats.v0api import types
from chats.v0api.errors import InDoubt, InvalidRequest, NotSent, status_error
from tests.relay.inside import Inside, until

# The level before and after; whether it gives, and whether it takes.
GIVING, TAKING, BOTH = ("private", "team"), ("public", "private"), ("team", "unlisted")
FAULTS: dict[str, dict[str, Any]] = {
    "agrees": {},
    "refuses 403": {"kind": "status", "status": 403, "message": "not with this key"},
    "refuses 422": {"kind": "status", "status": 422, "message": "not this level"},
    "is ill": {"kind": "status", "status": 503, "times": 1},
    "resets": {"kind": "reset", "times": 1},
    "resets after it": {"kind": "reset", "when": "after", "times": 1},
    "refuses after it": {"kind": "status", "status": 403, "when": "after"},
    "hangs": {"kind": "hang", "times": None},
    "says another": {"kind": "other-privacy", "times": 1},
}
REFUSED = ("refuses 403", "refuses 422", "says another")


@dataclass
class Story:
    """A chat that goes from one level to another while v0 does what its name says."""

    chat: Chat
    old: str
    new: str
    v0: str

    @property
    def is_giving(self) -> bool:
        return self.new != "private"

    @property
    def stays_refused(self) -> bool:
        return self.is_giving and self.v0 in REFUSED

    @property
    def stays_pending(self) -> bool:
        return self.v0 == "hangs"

    def is_settled(self, now: Chat) -> bool:
        """Where v0 hangs nothing is waited for."""
        if self.stays_pending:
            return True
        if self.stays_refused:
            return bool(now.privacy_refused) and not now.privacy_unsaid
        return now.privacy == self.new and not now.privacy_wanted and not now.privacy_unsaid


@pytest.fixture
def patient(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Inside:
    # What is repeated is repeated soon.
    monkeypatch.setattr("chats.relay.errands.FIRST_PAUSE", 0.1)
    return inside


def made(inside: Inside, team: Team, levels: Sequence[str]) -> list[Chat]:
    """Chats of the owner's team that v0 has at the same levels."""
    files = [{"name": "a.txt", "content": "a"}]
    headers, url = {"Authorization": f"Bearer {inside.key}"}, f"{inside.sandbox.base_url}/chats/"
    with httpx.Client(headers=headers, base_url=url, trust_env=False, verify=False) as v0:
        answers = [v0.post("from-files", json={"files": files, "privacy": it}) for it in levels]
    ids = [answer.json()["chat"]["id"] for answer in answers]
    of = {"owner": inside.person, "team": team}
    return Chat.objects.bulk_create(
        Chat(**of, v0_id=id, privacy=level, privacy_at_v0=level)
        for id, level in zip(ids, levels, strict=True)
    )


def dialog(client: Client, chat: Chat) -> str:
    html = client.get(f"/chats/{chat.pk}/share/", headers={"HX-Request": "true"}).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def choose(client: Client, chat: Chat, level: str) -> int:
    """As the form says that was made for the chat as it is now."""
    path = f"/chats/{chat.pk}/share/"
    seen = re.search(
        r'name="seen" value="([^"]*)"',
        client.get(path + f"?privacy={level}", headers={"HX-Request": "true"}).content.decode(),
    )
    assert seen
    status = client.post(path, {"privacy": level, "seen": seen[1]}).status_code
    chat.refresh_from_db()
    return status


def at_v0(inside: Inside) -> dict[str, str]:
    """v0's level of each chat."""
    return {chat["id"]: chat["privacy"] for chat in inside.at_v0("/chats?limit=100")["chats"]}


def settle(inside: Inside, stories: list[Story]) -> None:
    @sync_to_async
    def are_settled() -> bool:
        rows = Chat.objects.in_bulk([story.chat.pk for story in stories])
        return all(story.is_settled(rows[story.chat.pk]) for story in stories)

    async def wait(held: Relay) -> None:
        while not await are_settled():  # noqa: ASYNC110
            await asyncio.sleep(0.2)

    inside.during(wait)
    for story in stories:
        story.chat.refresh_from_db()


def let_hang(inside: Inside, stories: list[Story], monkeypatch: pytest.MonkeyPatch) -> None:
    """Until v0 was given up, and asked again, twice for each. That little patience is for them alone: an
    answer that merely comes late is an answer in doubt too, and a fault that was to meet once has met then."""
    told: Counter[str] = Counter()

    async def wait(held: Relay) -> None:
        ask = held.client.update_chat

        async def counted(chat: str, **wanted: Any) -> types.Chat:
            told[chat] += 1
            return await ask(chat, **wanted)

        monkeypatch.setattr(held.client, "update_chat", counted)
        await until(lambda: all(told[story.chat.v0_id or ""] > 2 for story in stories))

    patience, inside.settings.V0_HEADERS_TIMEOUT = settings.V0_HEADERS_TIMEOUT, 0.6
    inside.during(wait)
    inside.settings.V0_HEADERS_TIMEOUT = patience
    for story in stories:
        story.chat.refresh_from_db()


def test_both_sides_end_as_the_dialog_says(
    patient: Inside, client: Client, mate: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team.objects.create(name="Example")
    for person in (patient.person, mate):
        Membership.objects.create(team=team, person=person)
    client.force_login(patient.person)
    told = [(v0, *change) for v0 in FAULTS for change in (GIVING, TAKING, BOTH)]
    chats = made(patient, team, [old for _, old, _ in told])
    stories = [Story(chat, old, new, v0) for chat, (v0, old, new) in zip(chats, told, strict=True)]
    for story in stories:
        if FAULTS[story.v0]:
            # What takes is repeated until v0 agrees.
            given = {"times": None if story.is_giving else 1, **FAULTS[story.v0]}
            patient.fault(f"/chats/{story.chat.v0_id}", given.pop("kind"), method="PATCH", **given)
        assert choose(client, story.chat, story.new) == 303
        # Taking counts at once, and giving not before v0 has agreed.
        assert story.chat.privacy == (story.old if story.is_giving else story.new)
    settle(patient, stories)
    hung = [story for story in stories if story.stays_pending]
    let_hang(patient, hung, monkeypatch)
    there = at_v0(patient)
    for story in stories:
        story_ends_well(client, story, there[story.chat.v0_id or ""])
    patient.sandbox.clear_faults()
    for story in hung:
        # Whatever may have reached v0, it is told the level that was left.
        if story.is_giving:
            assert choose(client, story.chat, story.old) == 303
            # What it took away comes back only when v0 has agreed to that.
            still = story.new if (story.old, story.new) == BOTH else ""
            assert (story.chat.privacy, story.chat.privacy_wanted) == (story.old, still)
            assert story.chat.privacy_unsaid
            story.new = story.old
        story.v0 = "agrees"
    settle(patient, hung)
    there = at_v0(patient)
    for story in hung:
        assert there[story.chat.v0_id or ""] == story.chat.privacy == story.new
        assert (story.chat.privacy_wanted, story.chat.privacy_refused) == ("", "")


def story_ends_well(client: Client, story: Story, there: str) -> None:
    told, chat = dialog(client, story.chat), story.chat
    name = f"{story.old} to {story.new}, v0 {story.v0}"
    if story.stays_pending:
        assert "counts as soon as v0 agrees" in told or "v0 is told until it agrees" in told, name
        assert ("Take it back" in told) == story.is_giving, name
        return
    if not story.stays_refused:
        assert (chat.privacy, there, chat.privacy_at_v0) == (story.new,) * 3, name
        assert "v0 agrees" not in told, name
        assert "v0 has not agreed" not in told, name
        return
    # v0 has what it had, and here nobody has gained anything.
    assert (chat.privacy, there, chat.privacy_wanted) == (story.old, story.old, story.new), name
    assert "v0 has not agreed to" in told, name
    assert chat.privacy_refused in told.replace("&quot;", '"').replace("“", "“"), name
    assert "Try again" in told, name
    if story.old == "private":
        assert "Nothing has changed" in told, name
        assert "Leave it" in told, name
    else:
        assert "v0 still has it as “Team can read”" in told, name
        assert "Back to “Team can read”" in told, name
        assert "Make it private" in told, name


def test_what_is_refused_after_it_was_done_is_given_even_if_v0_fails_to_say_so_at_first(
    patient: Inside, client: Client
) -> None:
    team = Team.objects.create(name="Example")
    Membership.objects.create(team=team, person=patient.person)
    client.force_login(patient.person)
    [chat] = made(patient, team, ["private"])
    path = f"/chats/{chat.v0_id}"
    patient.fault(path, "status", status=403, method="PATCH", when="after")
    # Reads are repeated twice: the fourth one is of another try.
    patient.fault(path, "status", status=503, method="GET", times=3)
    story = Story(chat, "private", "team", "refuses after it")
    assert choose(client, chat, "team") == 303
    settle(patient, [story])
    assert (chat.privacy, chat.privacy_at_v0, chat.privacy_refused) == ("team", "team", "")


def test_what_was_refused_is_asked_again_left_or_made_private(
    patient: Inside, client: Client
) -> None:
    team = Team.objects.create(name="Example")
    Membership.objects.create(team=team, person=patient.person)
    client.force_login(patient.person)
    again, left, closed = (
        Story(chat, "team", "public", "refuses 403") for chat in made(patient, team, ["team"] * 3)
    )
    for story in (again, left, closed):
        path = f"/chats/{story.chat.v0_id}"
        patient.fault(path, "status", status=403, method="PATCH")
        choose(client, story.chat, "public")
    settle(patient, [again, left, closed])
    assert not levels.due()
    choose(client, again.chat, "public")
    choose(client, left.chat, "team")
    choose(client, closed.chat, "private")
    # v0 is known to have the level that was left: it is not told again.
    assert {level.chat for level in levels.due()} == {again.chat.pk, closed.chat.pk}
    for story, level in ((again, "public"), (left, "team"), (closed, "private")):
        story.new, story.v0 = level, "agrees"
    settle(patient, [again, left, closed])
    there = at_v0(patient)
    assert [there[story.chat.v0_id or ""] for story in (again, left, closed)] == [
        *("public", "team", "private")
    ]
    noted = AuditEntry.objects.filter(event="chat.privacy", chat=again.chat.pk)
    told = [(entry.details["old"], entry.details["new"]) for entry in noted.order_by("pk")]
    assert told == [("team", "public"), ("public", "public"), ("team", "public")]


@pytest.mark.parametrize(
    ("status", "is_final"),
    [
        *((status, True) for status in (400, 402, 403, 404, 413, 418, 422)),
        *((status, False) for status in (307, 401, 408, 409, 425, 429, 500, 503)),
    ],
)
def test_only_what_v0_would_say_again_is_a_refusal(status: int, is_final: bool) -> None:
    assert is_refusal(status_error(status, "")) == is_final


def test_what_never_arrived_is_no_refusal_and_what_we_may_not_send_is_one() -> None:
    assert not is_refusal(NotSent())
    assert not is_refusal(InDoubt())
    assert is_refusal(InvalidRequest("privacy", "must be one of them"))


@pytest.mark.django_db
def test_what_v0_hears_late_and_nobody_wants_any_more_is_told_to_it_again(
    owner: Person, team: Team
) -> None:
    chat = Chat.objects.create(
        owner=owner, team=team, privacy="team", v0_id="v0", privacy_wanted="public"
    )
    [late] = levels.due()
    # Taken back, and v0 was told so by another process before the first request came true.
    Chat.objects.filter(pk=chat.pk).update(privacy_wanted="", privacy_at_v0="team")
    assert levels.agreed(late, "public")
    for _ in range(2):
        chat.refresh_from_db()
        assert (chat.privacy, chat.privacy_wanted, chat.privacy_unsaid) == ("team", "", True)
        Chat.objects.filter(pk=chat.pk).update(privacy_unsaid=False)
        assert levels.overtaken(late)
    assert [level.privacy for level in levels.due()] == ["team"]


def test_every_chat_that_is_made_at_v0_is_asked_for_with_its_level(inside: Inside) -> None:
    person = inside.person
    answer = inside.create("scenario: refusal\npace: 0")
    inside.run(answer)
    source = answer.chat
    wished = [
        intents.duplicate(person, uuid4(), source, privacy="unlisted"),
        intents.duplicate(person, uuid4(), source),
        intents.bring(person, uuid4(), "repo", {"url": "https://github.com/a/b"}, privacy="public"),
        intents.bring(person, uuid4(), "repo", {"url": "https://github.com/a/b"}),
    ]

    @sync_to_async
    def are_there() -> bool:
        return Chat.objects.filter(pk__in=[chat.pk for chat in wished], v0_id=None).count() == 0

    async def wait(held: Relay) -> None:
        while not await are_there():  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    inside.during(wait)
    asked = [request["body"].get("privacy") for request in inside.sandbox.requests(inside.key)]
    assert sorted(asked, key=str) == sorted(["private", "unlisted", "private", "public", "private"])
    assert [bool(Chat.objects.get(pk=chat.pk).link_slug) for chat in wished] == [
        *(True, False, False, False)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("made_as", ["unlisted", "private"])
def test_a_chat_that_v0_makes_at_another_level_is_asked_for_once_more(
    owner: Person, made_as: str
) -> None:
    chat = intents.bring(owner, uuid4(), "repo", {"url": "https://a.example"}, privacy="unlisted")
    [wish] = wish_rows.claim()
    wire = {"id": "v0", "privacy": made_as, "authorId": "a", "createdAt": "2026-01-01T00:00:00Z"}
    wish_rows.accepted(
        wish, types.Chat.from_wire({**wire, "metadata": {}, "writePermission": True})
    )
    chat.refresh_from_db()
    assert chat.link_slug
    assert (chat.privacy, chat.privacy_wanted) == (
        ("unlisted", "") if made_as == "unlisted" else ("private", "unlisted")
    )
    assert [level.privacy for level in levels.due()] == (
        [] if made_as == "unlisted" else ["unlisted"]
    )
