"""Mail about what waits: once, to those who want it and may still decide, and without a word of the
chat."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import (
    Chat,
    Decision,
    Follow,
    Membership,
    Mention,
    Message,
    Mute,
    Note,
    Notice,
    Person,
    Team,
)
from chats.relay import notices
from chats.relay.notices import Letter
from chats.relay.threads import Threads
from tests.app_server import AppServer, free_port, wait_until
from tests.relay.conftest import QUICK
from tests.world import World

SUBJECT = re.compile(r"^Subject: (.*)$", re.MULTILINE)


def write(app: AppServer, query: str, *values: Any) -> None:
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        assert connection.execute(query, values).rowcount


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_NOTICE_AFTER": "1", "V0_NOTICE_EVERY": "0.1"}


def test_a_task_that_waits_leads_to_one_mail_with_the_title_and_the_kind(world: World) -> None:
    """A mail is printed by the server: who develops has no mail server."""
    app = world.app
    write(app, "UPDATE chats_person SET notices_by_mail = 1 WHERE email LIKE 'owner@%'")
    names = {"plan": "a plan to approve", "permission": "a permission to give"}
    chats = [world.ask(f"A secret wish\nscenario: {name}\npace: 0") for name in names]
    for chat in chats:
        assert world.finished(chat)["asks"]
    wait_until(lambda: len(SUBJECT.findall(app.log)) == 2, what="two mails")
    # A third task is written about after the first ones were looked at again.
    third = world.ask("A secret wish\nscenario: ask-questions\npace: 0")
    wait_until(lambda: f"/chats/{third}/#ask" in app.log, what="the mail of the third")
    text = app.log[app.log.index("Subject:") :]
    assert len(SUBJECT.findall(text)) == text.count("To: owner@example.com") == 3
    for chat, kind in zip([*chats, third], [*names.values(), "questions to answer"], strict=True):
        assert text.count(f"{app.url}/chats/{chat}/#ask") == 1
        assert kind in text
    for word in ("secret wish", "Run a script", "setup-db", "index.html"):
        assert word not in text


@pytest.fixture
def asked(owner: Person, mate: Person, team: Team) -> Message:
    """A plan that has waited for the team for an hour; the mate wants a mail about such things."""
    Person.objects.filter(pk=mate.pk).update(notices_by_mail=True)
    chat = Chat.objects.create(
        owner=owner, team=team, privacy="team-edit", v0_id="c", title="Tea\nBcc: all@example.com"
    )
    return Message.objects.create(
        chat=chat,
        position=2,
        role="assistant",
        state="finished",
        v0_id="a",
        asks="plan",
        ended_at=timezone.now() - timedelta(hours=1),
    )


def decided(asked: Message, **_: Person) -> None:
    said = Message.objects.create(chat=asked.chat, position=3, role="user", state="sending")
    Decision.objects.create(asked=asked, part=0, kind="plan", choice="approved", said=said)


def goes_on(asked: Message, **_: Person) -> None:
    Message.objects.create(chat=asked.chat, position=3, role="assistant", state="streaming")


CHANGES: dict[str, Callable[..., object]] = {
    "it was decided": decided,
    "the chat went on": goes_on,
    "the chat was muted": lambda asked, mate: Mute.objects.create(person=mate, chat=asked.chat),
    "mail is not wanted any more": lambda mate, **_: set_person(mate, notices_by_mail=False),
    "the person was deactivated": lambda mate, **_: set_person(mate, is_active=False),
    "the person left the team": lambda mate, **_: Membership.objects.get(person=mate).delete(),
    "the chat was made private": lambda asked, **_: set_chat(asked, privacy="private"),
    "the chat was deleted": lambda asked, **_: set_chat(asked, deleted_at=timezone.now()),
    "v0 takes nothing any more": lambda asked, **_: set_chat(asked, write_permission=False),
    "another process has it": lambda asked, mate: notices.claim(mate.pk, asked.pk),
}


def set_person(person: Person, **fields: Any) -> None:
    Person.objects.filter(pk=person.pk).update(**fields)


def set_chat(asked: Message, **fields: Any) -> None:
    Chat.objects.filter(pk=asked.chat_id).update(**fields)


def test_a_mail_has_the_readers_own_time(asked: Message, mate: Person) -> None:
    Message.objects.filter(pk=asked.pk).update(ended_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    asked.refresh_from_db()
    for zone, told in (("", "2026-07-01 22:30 UTC"), ("Europe/Berlin", "2026-07-02 00:30 CEST")):
        letter = notices._letter(1, Person(email=mate.email, time_zone=zone), asked)
        assert f"has waited for you since {told}." in letter.text


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changed_after_the_look_is_asked_again_at_the_moment_of_sending(
    asked: Message, mate: Person, change: Callable[..., object]
) -> None:
    assert notices.due() == [(mate.pk, asked.pk)]
    change(asked=asked, mate=mate)
    assert notices.claim(mate.pk, asked.pk) is None
    assert notices.due() == []


@pytest.mark.parametrize("change", [None, *CHANGES.values()], ids=["nothing", *CHANGES])
def test_whoever_follows_a_chat_is_written_to_while_they_may_read_it(
    asked: Message, mate: Person, change: Callable[..., object] | None
) -> None:
    """A mate who may read, and cannot decide."""
    set_chat(asked, privacy="team")
    assert notices.due() == [], "what somebody does not follow waits for others"
    Follow.objects.create(person=mate, chat=asked.chat)
    assert notices.due() == [(mate.pk, asked.pk)]
    if change is not None:
        change(asked=asked, mate=mate)
        assert notices.claim(mate.pk, asked.pk) is None
        return
    letter = notices.claim(mate.pk, asked.pk)
    assert letter
    assert letter.subject.endswith("waits for somebody")
    assert "has waited for somebody who may write there since" in letter.text
    assert notices.due() == [], "once"


def test_nobody_is_written_to_who_did_not_ask_for_it_nor_too_early_nor_too_late(
    asked: Message, owner: Person, mate: Person
) -> None:
    assert owner.notices_by_mail is False
    assert notices.due() == [(mate.pk, asked.pk)]
    for age in (timedelta(minutes=9), timedelta(days=2)):
        Message.objects.filter(pk=asked.pk).update(ended_at=timezone.now() - age)
        assert notices.due() == []


def test_a_permission_is_written_about_to_the_owner_alone(
    asked: Message, owner: Person, mate: Person
) -> None:
    set_person(owner, notices_by_mail=True)
    Message.objects.filter(pk=asked.pk).update(asks="permission")
    assert notices.due() == [(owner.pk, asked.pk)]


def test_the_mail_is_one_line_of_subject_and_leads_to_the_card(
    asked: Message, mate: Person
) -> None:
    letter = notices.claim(mate.pk, asked.pk)
    assert letter
    notices.send(letter)
    (sent,) = mail.outbox
    assert (sent.to, sent.bcc) == (["mate@example.com"], [])
    assert sent.subject == "“Tea Bcc: all@example.com” needs you"
    assert f"/chats/{asked.chat_id}/#ask" in sent.body
    assert "a plan to approve" in sent.body
    assert "10 minutes" in sent.body


def test_a_mail_server_that_refuses_is_tried_again_a_few_times(
    asked: Message, mate: Person
) -> None:
    tries = 0
    while (letter := notices.claim(mate.pk, asked.pk)) is not None:
        tries += 1
        assert tries <= notices.TRIES
        notices.failed(letter.notice)
        assert notices.due() == [], "not before a while has passed"
        Notice.objects.exclude(again_at=None).update(again_at=timezone.now() - timedelta(seconds=1))
    assert tries == notices.TRIES


@pytest.mark.django_db(transaction=True)
def test_of_many_processes_at_once_one_sends(asked: Message, mate: Person) -> None:
    ready = Barrier(8)

    def claim(_: int) -> Letter | None:
        ready.wait()
        try:
            return notices.claim(mate.pk, asked.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        letters = [letter for letter in pool.map(claim, range(8)) if letter]
    assert len(letters) == Notice.objects.count() == 1
    # The same for another try after the mail server had refused.
    Notice.objects.update(again_at=timezone.now() - timedelta(seconds=1), failures=1)
    ready.reset()
    with ThreadPoolExecutor(8) as pool:
        assert len([letter for letter in pool.map(claim, range(8)) if letter]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_away_holds_nothing_up(
    asked: Message, mate: Person, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", free_port()

    async def look() -> None:
        threads = Threads()
        postman = notices.Notices(threads)
        await postman.look()
        postman.stop()
        await asyncio.get_running_loop().run_in_executor(None, threads.close)

    asyncio.run(look())
    notice = Notice.objects.get(person=mate, asked=asked)
    assert notice.failures == 1
    assert notice.again_at is not None
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    Notice.objects.all().delete()
    asyncio.run(look())
    assert not Notice.objects.exists(), "without a mail server nothing counts as sent"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(600, "10 minutes"), (60, "1 minute"), (90, "1.5 minutes"), (1, "1 second")],
)
def test_a_while_is_said_in_words(seconds: float, words: str) -> None:
    assert notices.lasting(seconds) == words


@pytest.fixture
def named(asked: Message, owner: Person, mate: Person) -> Mention:
    """A note that has named the mate for an hour, in a chat of the team."""
    written = timezone.now() - timedelta(hours=1)
    note = Note.objects.create(
        chat=asked.chat, message=asked, author=owner, text="A secret @mate", written_at=written
    )
    return Mention.objects.create(note=note, person=mate)


def test_a_note_that_names_somebody_leads_to_one_mail_without_its_text(
    named: Mention, mate: Person
) -> None:
    assert notices.named() == [(mate.pk, named.pk)]
    letter = notices.claim_mention(mate.pk, named.pk)
    assert letter
    assert (letter.to, letter.subject) == (
        "mate@example.com",
        "A note names you in “Tea Bcc: all@example.com”",
    )
    assert "Olivia Owner named you in a note" in letter.text
    assert f"/chats/{named.note.chat_id}/?at={named.note.message_id}#m" in letter.text
    assert "secret" not in letter.text
    assert notices.claim_mention(mate.pk, named.pk) is None
    assert notices.named() == []
    # The mail server did not take it: again, a while later.
    notices.failed(letter.notice)
    Notice.objects.update(again_at=timezone.now() - timedelta(seconds=1))
    assert notices.named() == [(mate.pk, named.pk)]
    assert notices.claim_mention(mate.pk, named.pk)


def looked(named: Mention) -> None:
    Mention.objects.update(seen_at=timezone.now())


def left_out(named: Mention) -> None:
    Chat.objects.update(privacy="private")


def left_the_team(named: Mention) -> None:
    Membership.objects.filter(person=named.person).delete()


def deactivated(named: Mention) -> None:
    Person.objects.filter(pk=named.person_id).update(is_active=False)


def muted(named: Mention) -> None:
    Mute.objects.create(person=named.person, chat=named.note.chat)


def wants_no_mail(named: Mention) -> None:
    Person.objects.update(notices_by_mail=False)


def deleted(named: Mention) -> None:
    Chat.objects.update(deleted_at=timezone.now())


def new(named: Mention) -> None:
    Note.objects.update(written_at=timezone.now())


def old(named: Mention) -> None:
    Note.objects.update(written_at=timezone.now() - notices.OLD - timedelta(hours=1))


@pytest.mark.parametrize(
    "change",
    [looked, left_out, left_the_team, deactivated, muted, wants_no_mail, deleted, new, old],
)
def test_nobody_is_written_to_about_a_note_that_is_not_for_them_any_more(
    named: Mention, mate: Person, change: Callable[[Mention], None]
) -> None:
    """Asked when it is listed, and again at the moment of sending."""
    change(named)
    assert notices.claim_mention(mate.pk, named.pk) is None
    assert (notices.named(), Notice.objects.count()) == ([], 0)
