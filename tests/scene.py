"""The cast with something in each of their chats, and each of them with a session.

Owns the arrangement that the routes of the rights table are walked in.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from chats.models import Chat, Guest, Message, Note, Person, Queued
from tests.people import Cast, cast


@dataclass
class Scene:
    """The cast, in each of their chats a message with a failed answer that may be repeated, a note of the
    chat's owner on it, and another message that waits."""

    people: Cast
    answers: dict[UUID, Message]
    queued: dict[UUID, UUID]
    notes: dict[UUID, UUID]
    guests: dict[UUID, int]
    sessions: dict[str, str]

    def client(self, who: str, **headers: str) -> Client:
        """`hx_request="true"` is a header of each of its requests."""
        client = Client(headers={name.replace("_", "-"): value for name, value in headers.items()})
        if key := self.sessions[who]:
            client.cookies["sessionid"] = key
        return client

    def place(self, name: str, chat: Chat) -> str:
        more: list[object] = [self.answers[chat.pk].pk] if name.startswith("message") else []
        more += [self.notes[chat.pk]] if name.startswith("note_") else []
        more += [self.queued[chat.pk]] if name.startswith("queue_") else []
        more += [self.guests[chat.pk]] if name.startswith("guest_") else []
        more += ["stranger"] if name == "view_as" else []
        return reverse(name, args=[chat.pk, *more])

    def call(self, client: Client, name: str, method: str, chat: Chat) -> HttpResponseBase:
        """One request with a form that says nothing that could be taken."""
        fields = {"run": str(self.answers[chat.pk].pk)} if method == "POST" else {}
        return client.generic(
            method,
            self.place(name, chat),
            "&".join(f"{key}={value}" for key, value in fields.items()),
            "application/x-www-form-urlencoded",
        )


def stage() -> Scene:
    people = cast()
    answers, queued, notes = {}, {}, {}
    for chat in people.chats.values():
        Message.objects.create(chat=chat, position=1, role="user", state="failed", text="Hello")
        answers[chat.pk] = Message.objects.create(
            chat=chat, position=2, role="assistant", state="failed", problem="unsent"
        )
        note = Note.objects.create(
            chat=chat, message=answers[chat.pk], author=chat.owner, text="Between us"
        )
        notes[chat.pk] = note.pk
        row = Queued.objects.create(
            chat=chat,
            person=chat.owner,
            token=uuid4(),
            position=1,
            payload={"message": "Waits"},
        )
        queued[chat.pk] = row.pk
    guests = dict(Guest.objects.filter(role="reader").values_list("chat", "pk"))
    sessions = {who: session(people, who) for who in people.people}
    return Scene(people, answers, queued, notes, guests, sessions)


def session(people: Cast, who: str) -> str:
    """The key of a session in which that person is signed in and holds their links; "" for none. Who is
    deactivated has signed in before."""
    client, person, links = Client(), people.people[who], people.grants(who)
    if person is not None:
        sign_in(client, person)
    if links:
        held = client.session
        held["links"] = dict(links)
        held.save()
        return held.session_key or ""
    return client.session.session_key or "" if person is not None else ""


def sign_in(client: Client, person: Person) -> None:
    """As `client.force_login`, which first makes a session of nobody's only to throw it away."""
    request = HttpRequest()
    request.session = SessionStore()
    login(request, person, settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""
