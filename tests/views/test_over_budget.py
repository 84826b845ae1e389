"""What budgets and levers refuse: in words, with everything that was typed, and no more than each may know."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from chats.models import (
    Chat,
    Counter,
    Intent,
    Levers,
    Limit,
    Message,
    Person,
    Queued,
    Reservation,
    Team,
)
from chats.models.budgets import Period, Scope
from chats.models.queue import Hindrance
from chats.relay import decisions, draining, intents
from chats.usage.refusals import OverLimit
from tests.views.conftest import ChatOf, ClientOf
from tests.views.test_needs_you import asking

CREDIT = 10**12
TEXT = "A page about <tea>, typed for an hour"
FAILED = {"type": "bash", "command": "npm test", "output": "1 failed", "exitCode": 1}
Fields = dict[str, Any]


def limit(scope: str, key: object = "", credits: int = 0, period: str = Period.DAY) -> Limit:
    return Limit.objects.create(scope=scope, key=str(key), period=period, credits=credits)


def spend(name: str, credits: int, reserved: int = 0) -> None:
    today = timezone.now().date()
    Counter.objects.create(
        name=name,
        day=today,
        month=today.replace(day=1),
        day_spent=credits,
        month_spent=credits,
        reserved=reserved,
    )


def told(response: HttpResponseBase) -> str:
    """A page as it is read: without marks of its own, entities or breaks."""
    text = getattr(response, "content", b"").decode()
    return " ".join(html.unescape(text).split())


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


def waiting(chat: Chat, person: Person) -> Queued:
    chat.messages.filter(role="assistant").update(state="streaming")
    return Queued.objects.create(
        chat=chat, person=person, token=uuid4(), position=1, payload={"message": TEXT}
    )


# Each door: where it is for a chat, what is sent to it, and what of that the answer still has.


def of_new(chat: Chat) -> tuple[str, Fields, list[str]]:
    more = {"options": "1", "title": "Leaves", "metadata": "a=b", "model": "v0-max"}
    kept = [f"{TEXT}</textarea>", 'value="Leaves"', "a=b</textarea>", '"v0-max" selected']
    return "/chats/", {"message": TEXT, **more}, kept


def of_send(chat: Chat) -> tuple[str, Fields, list[str]]:
    more = {"options": "1", "system": "Be brief", "model": "v0-max"}
    kept = [f"{TEXT}</textarea>", "Be brief</textarea>", '"v0-max" selected']
    return f"/chats/{chat.id}/messages/", {"message": TEXT, **more}, kept


def of_queue(chat: Chat) -> tuple[str, Fields, list[str]]:
    chat.messages.filter(role="assistant").update(state="streaming")
    return of_send(chat)


def of_again(chat: Chat) -> tuple[str, Fields, list[str]]:
    chat.messages.filter(role="user").update(text=TEXT, state="failed")
    answer = chat.messages.get(role="assistant")
    Message.objects.filter(pk=answer.pk).update(state="failed", problem="unsent")
    return f"/chats/{chat.id}/again/", {"run": str(answer.id)}, [f"{TEXT}</textarea>"]


def of_fix(chat: Chat) -> tuple[str, Fields, list[str]]:
    chat.messages.filter(role="assistant").update(parts=[FAILED])
    return f"/chats/{chat.id}/fix/", {"run": str(chat.messages.get(role="assistant").id)}, []


def of_card(chat: Chat) -> tuple[str, Fields, list[str]]:
    chat.messages.filter(role="assistant").update(**asking("plan"))
    task = decisions.waiting(chat)
    assert task is not None
    fields = {"seen": task.digest, "choice": "request-changes", "text-content": TEXT}
    return f"/chats/{chat.id}/decide/", {**fields, "model": "v0-max"}, [f"{TEXT}</textarea>"]


def of_rewind(chat: Chat) -> tuple[str, Fields, list[str]]:
    chat.messages.filter(role="assistant").update(restorable=True, v0_id="first")
    return f"/chats/{chat.id}/rewind/", {"run": str(chat.messages.get(role="assistant").id)}, []


def of_copy(chat: Chat) -> tuple[str, Fields, list[str]]:
    return f"/chats/{chat.id}/duplicate/", {"title": "Leaves"}, ['value="Leaves"']


def of_branch(chat: Chat) -> tuple[str, Fields, list[str]]:
    _, given, _ = of_rewind(chat)
    kept = ['value="Leaves"', f'name="run" value="{given["run"]}"']
    return f"/chats/{chat.id}/duplicate/", {**given, "title": "Leaves"}, kept


def of_files(chat: Chat) -> tuple[str, Fields, list[str]]:
    file = SimpleUploadedFile("tea.html", b"Tea")
    return (
        "/chats/import/",
        {"kind": "files", "file": file, "title": "Leaves"},
        [
            'value="Leaves"',
            "tea.html",
            'name="kept_file"',
        ],
    )


def of_repository(chat: Chat) -> tuple[str, Fields, list[str]]:
    given = {"kind": "repo", "repository": "https://github.com/a/b", "branch": "green"}
    return "/chats/import/", given, ['value="https://github.com/a/b"', 'value="green"']


def of_wish(chat: Chat) -> tuple[str, Fields, list[str]]:
    chat.messages.all().delete()
    Intent.objects.create(
        token=uuid4(),
        person=chat.owner,
        chat=chat,
        kind="duplicate",
        digest="x",
        payload={"source": "x", "title": "x"},
        state="unsent",
    )
    return f"/chats/{chat.id}/copy-again/", {}, ["Try again"]


def of_now(chat: Chat) -> tuple[str, Fields, list[str]]:
    row = waiting(chat, chat.owner)
    return f"/chats/{chat.id}/queue/{row.id}/now/", {}, [f"{TEXT}</p>"]


DOORS = [
    *(of_new, of_send, of_queue, of_again, of_fix, of_card, of_rewind, of_copy, of_branch),
    *(of_files, of_repository, of_wish, of_now),
]
Door = Callable[[Chat], tuple[str, Fields, list[str]]]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_each_door_says_why_not_and_keeps_what_was_filled_in(
    client: Client, chat_of: ChatOf, owner: Person, door: Door
) -> None:
    path, fields, kept = door(chat_of(owner))
    before = (Intent.objects.count(), Queued.objects.count(), Chat.objects.count())
    limit(Scope.PERSON, owner.pk)
    answer = client.post(path, {"token": str(uuid4()), **fields})
    page = told(answer)
    assert answer.status_code == 402, page[-2000:]
    assert "Your budget of today is used up: 0 of 0 credits are spent." in page
    assert "It begins anew at 00:00 UTC. An administrator can raise it." in page
    assert 'role="alert"' in page
    for words in kept:
        assert words in page
    assert (Intent.objects.count(), Queued.objects.count(), Chat.objects.count()) == before
    assert not Counter.objects.filter(reserved__gt=0).exists()
    assert not Message.objects.exclude(stop_asked_at=None).exists()
    # The budget is raised: the same press goes through.
    Limit.objects.all().delete()
    if file := fields.get("file"):
        file.seek(0)
    assert client.post(path, {"token": str(uuid4()), **fields}).status_code == 303


def test_a_page_with_scripts_gets_the_words_and_its_text_back(
    client: Client, chat_of: ChatOf, owner: Person, htmx: Callable[[Client], Client]
) -> None:
    chat = chat_of(owner)
    limit(Scope.PERSON, owner.pk)
    token = str(uuid4())
    answer = htmx(client).post(f"/chats/{chat.id}/messages/", {"message": TEXT, "token": token})
    assert answer.status_code == 402
    fragment = told(answer)
    assert "Your budget of today is used up" in fragment
    assert "<html" not in fragment
    # A fresh token, and no textarea that would replace what is typed meanwhile.
    assert 'id="token"' in fragment
    assert token not in fragment
    assert "<textarea" not in fragment
    config = told(client.get("/"))
    assert '{"code":"402|409|422|429","swap":true,"error":true}' in config


def test_what_goes_on_by_itself_says_above_the_composer_why_it_does_not(
    client: Client, chat_of: ChatOf, owner: Person, htmx: Callable[[Client], Client]
) -> None:
    chat = chat_of(owner)
    path, fields, _ = of_card(chat)
    limit(Scope.PERSON, owner.pk)
    answer = htmx(client).post(path, {"token": str(uuid4()), **fields})
    assert (answer.status_code, answer["HX-Retarget"]) == (402, "#refusal")
    assert "Your budget of today is used up" in told(answer)
    assert "<html" not in told(answer)


def test_sending_now_with_scripts_says_why_not_and_leaves_the_list(
    client: Client, chat_of: ChatOf, owner: Person, htmx: Callable[[Client], Client]
) -> None:
    row = waiting(chat_of(owner), owner)
    limit(Scope.PERSON, owner.pk)
    answer = htmx(client).post(f"/chats/{row.chat_id}/queue/{row.id}/now/")
    assert (answer.status_code, answer["HX-Retarget"]) == (402, "#refusal")
    assert "Your budget of today is used up" in told(answer)
    assert "<html" not in told(answer)
    row.refresh_from_db()
    assert not row.is_urgent


def test_no_new_runs_are_refused_with_what_the_administrator_says(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    Levers.objects.create(pk=1, is_closed=True, closed_words="The bill is <late>.")
    for door in (of_new, of_send):
        path, fields, kept = door(chat)
        answer = client.post(path, {"token": str(uuid4()), **fields})
        assert answer.status_code == 409
        assert "No new runs are taken at present. The bill is <late>." in told(answer)
        assert "The bill is &lt;late&gt;." in answer.content.decode()
        assert kept[0] in told(answer)


def test_too_fast_says_when_the_next_one_may_go(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner)
    Levers.objects.create(pk=1, sends_per_minute=1)
    path, fields, kept = of_send(chat)
    assert client.post(path, {"token": str(uuid4()), **fields}).status_code == 303
    chat.messages.filter(role="assistant").update(state="finished")
    answer = client.post(path, {"token": str(uuid4()), **fields})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "One message within a minute is the most that one person may send here." in told(answer)
    assert re.search(r'It can go <time datetime="([^"]+)" data-until="\1">', told(answer))
    assert kept[0] in told(answer)
    path, fields, _ = of_copy(chat)
    answer = client.post(path, {"token": str(uuid4()), **fields})
    assert answer.status_code == 429
    assert f"Try again in {answer['Retry-After']} s." in told(answer)


def test_too_many_at_once_says_so(client: Client, chat_of: ChatOf, owner: Person) -> None:
    Levers.objects.create(pk=1, runs_at_once=1)
    chat = chat_of(owner)
    path, fields, kept = of_send(chat)
    assert client.post(path, {"token": str(uuid4()), **fields}).status_code == 303
    path, fields, kept = of_new(chat)
    answer = client.post(path, {"token": str(uuid4()), **fields})
    assert (answer.status_code, answer.has_header("Retry-After")) == (429, False)
    assert "One run at once is the most that one person may have here." in told(answer)
    assert kept[0] in told(answer)


def test_amounts_are_told_to_those_who_may_know_them(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, admin: Person, team: Team
) -> None:
    """The owner owns the team, too; the mate is a member."""
    chat = chat_of(owner, team=team, privacy="team-edit")

    def refused(who: Person, path: str = f"/chats/{chat.id}/messages/") -> str:
        answer = client_of(who).post(path, {"message": TEXT, "token": str(uuid4())})
        assert answer.status_code == 402
        found = re.search(r"data-sentence>(.*?) It begins", told(answer))
        assert found is not None
        return found[1]

    held = limit(Scope.TEAM, team.pk, 2 * CREDIT)
    spend(f"team {team.pk}", CREDIT, reserved=CREDIT)
    words = "The team's budget of today is used up"
    amounts = ": 1 of 2 credits are spent, and 1 put aside for what is not paid yet."
    assert [refused(who) for who in (owner, mate)] == [words + amounts, words + "."]
    held.delete()
    held = limit(Scope.INSTALLATION, "", 0, Period.MONTH)
    words = "The installation's budget of this month is used up"
    none = ": 0 of 0 credits are spent."
    assert [refused(who) for who in (owner, mate)] == [words + ".", words + "."]
    assert refused(admin, "/chats/") == words + none
    held.delete()
    limit(Scope.CHAT, chat.pk)
    words = "This chat's budget of today is used up"
    assert [refused(who) for who in (owner, mate)] == [words + none, words + none]


def test_who_can_raise_a_budget_is_said(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, admin: Person, team: Team
) -> None:
    chat = chat_of(owner, team=team, privacy="team-edit")
    held = limit(Scope.CHAT, chat.pk)
    said = {}
    for who in (owner, mate):
        fields = {"message": TEXT, "token": str(uuid4())}
        said[who.pk] = told(client_of(who).post(f"/chats/{chat.id}/messages/", fields))
    assert "Whoever manages this chat can raise it." in said[mate.pk]
    assert "You can raise it." in said[owner.pk]
    held.delete()
    limit(Scope.INSTALLATION)
    page = told(client_of(admin).post("/chats/", {"message": TEXT, "token": str(uuid4())}))
    assert "You can raise it, as an administrator." in page


def test_nobody_is_told_of_a_budget_of_somebody_elses(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, team: Team
) -> None:
    chat = chat_of(owner, team=team, privacy="team-edit")
    row = waiting(chat, mate)
    limit(Scope.PERSON, mate.pk, 3 * CREDIT)
    spend(f"person {mate.pk}", 4 * CREDIT)
    place = f"/chats/{chat.id}/queue/{row.id}/now/"
    assert "Your budget of today is used up: 4 of" in told(client_of(mate).post(place))
    answer = client_of(owner).post(place)
    assert answer.status_code == 402
    assert "A budget that this message counts for is used up." in told(answer)
    assert "4 of" not in told(answer)
    # Nothing that runs was stopped for what could not follow it.
    assert not Message.objects.exclude(stop_asked_at=None).exists()
    Queued.objects.update(problem=Hindrance.BUDGET)
    chat.messages.filter(role="assistant").update(state="finished")
    listed = {who: told(client_of(who).get(f"/chats/{chat.id}/queue/")) for who in (owner, mate)}
    by_itself = "It goes out when there is room again, by itself."
    assert (
        f"Not sent: your budget of today is used up. It begins anew at 00:00 UTC. {by_itself}"
        in (listed[mate])
    )
    assert f"Not sent: a budget that it counts for is used up. {by_itself}" in listed[owner]


def test_an_edit_of_what_waits_for_a_budget_is_kept(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    row = waiting(chat_of(owner), owner)
    Queued.objects.update(problem=Hindrance.BUDGET)
    limit(Scope.PERSON, owner.pk)
    place = f"/chats/{row.chat_id}/queue/{row.id}/edit/"
    seen = re.findall(r'name="seen" value="([^"]+)"', told(client.get(place)))[0]
    assert client.post(place, {"message": "Shorter", "seen": seen}).status_code == 303
    row.refresh_from_db()
    assert (row.text, row.problem) == ("Shorter", "")


def test_what_waits_for_its_turn_says_why(client: Client, chat_of: ChatOf, owner: Person) -> None:
    chat = chat_of(owner)
    waiting(chat, owner)
    chat.messages.filter(role="assistant").update(state="finished")
    place = f"/chats/{chat.id}/queue/"
    assert "The next one goes out now." in told(client.get(place))
    Levers.objects.create(pk=1, is_closed=True)
    assert "no new runs are taken at present" in told(client.get(place))
    Levers.objects.update(is_closed=False, runs_at_once=1)
    other = chat_of(owner, "Other", state="streaming")
    answer = other.messages.get(role="assistant")
    Intent.objects.create(token=uuid4(), person=owner, chat=other, kind="send", answer=answer)
    assert "goes out when another run of its author has ended" in told(client.get(place))
    Levers.objects.update(runs_at_once=0, sends_per_minute=1)
    assert "goes out within a minute" in told(client.get(place))


def test_the_shell_is_told_and_nothing_is_written(owner: Person) -> None:
    limit(Scope.PERSON, owner.pk, CREDIT, Period.MONTH)
    spend(f"person {owner.pk}", 2 * CREDIT)
    with pytest.raises(CommandError, match=r"Your budget of this month is used up: 2 of 1 credits"):
        call_command("ask", TEXT, "--user", owner.email)
    Limit.objects.all().delete()
    Levers.objects.create(pk=1, is_closed=True, closed_words="Until Monday.")
    with pytest.raises(CommandError, match=r"No new runs are taken at present. Until Monday."):
        call_command("ask", TEXT, "--user", owner.email)
    assert not Intent.objects.exists()
    assert not Chat.objects.exists()


def test_many_who_have_to_wait_hide_nobody_who_need_not(
    owner: Person, mate: Person, chat_of: ChatOf
) -> None:
    def wait_in(who: Person) -> UUID:
        chat = chat_of(who)
        payload = {"message": "Waits"}
        Queued.objects.create(chat=chat, person=who, token=uuid4(), position=1, payload=payload)
        return chat.pk

    for _ in range(draining.MOST + 1):
        wait_in(owner)
    free = wait_in(mate)
    Intent.objects.create(
        token=uuid4(), person=owner, chat=chat_of(owner), kind="send", state="accepted"
    )
    assert len(draining.due()) == draining.MOST
    Levers.objects.create(pk=1, sends_per_minute=1)
    assert draining.due() == [free]
    Levers.objects.update(is_closed=True)
    assert draining.due() == []


def test_what_was_let_begin_with_a_copy_is_not_refused_after_it(
    owner: Person, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, v0_id="first", restorable=True)
    target = chat.messages.get(role="assistant")
    limit(Scope.INSTALLATION)
    with pytest.raises(OverLimit):
        intents.restore(owner, uuid4(), chat, target)
    assert intents.restore(owner, uuid4(), chat, target, is_admitted=True).state == "sending"
    assert not Reservation.objects.exists()
