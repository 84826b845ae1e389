"""`manage.py samples`: a few finished chats of the demo people, made by really asking.

Owns what is asked. Relies on intents and a relay of this process, so that everything about the
answers is as it would be from the page. Does nothing where a chat exists.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError

from chats import relay
from chats.demo import is_demo
from chats.models import Chat, Message, Person, Team
from chats.models.chats import Privacy
from chats.relay import intents

# Who asks, in which privacy, and what, message by message.
SAMPLES = (
    (
        "owner@example.com",
        Privacy.PRIVATE,
        (
            "A landing page for a neighbourhood bakery, with opening hours and the week's breads",
            "Make it dark",
        ),
    ),
    (
        "owner@example.com",
        Privacy.TEAM,
        ("A status page for our services, with a list of what happened this month",),
    ),
    (
        "mate@example.com",
        Privacy.TEAM_EDIT,
        ("A sign-up form for our summer workshop", "Add a contact form below it"),
    ),
)


class Command(BaseCommand):
    # As for `prepare`.
    requires_system_checks = ()

    help = (
        "Ask the sandbox for the demo's sample chats. Only with DEBUG and without V0_API_KEY, while"
        " the sandbox runs; does nothing where a chat exists."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_demo():
            raise CommandError("Samples exist only with DEBUG and the sandbox.")
        if Chat.objects.exists():
            return
        for email, privacy, messages in SAMPLES:
            ask_all(Person.objects.get(email=email), privacy, messages)


def ask_all(person: Person, privacy: Privacy, messages: tuple[str, ...]) -> None:
    first, *later = messages
    team = None if privacy == Privacy.PRIVATE else Team.objects.get()
    answer = intents.create(person, uuid4(), {"message": first}, privacy=privacy, team=team)
    run(answer.id)
    for message in later:
        chat = Chat.objects.get(pk=answer.chat_id)
        run(intents.send(person, uuid4(), {"message": message}, chat).id)


def run(answer: UUID) -> None:
    asyncio.run(finish(answer))
    state = Message.objects.get(pk=answer).state
    if state != "finished":
        raise CommandError(f"A sample ended as {state}.")


async def finish(answer: UUID) -> None:
    held = await relay.start()
    try:
        await held.until_over(answer)
    finally:
        await relay.stop()
