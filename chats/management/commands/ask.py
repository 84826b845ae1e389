"""Ask v0 from the shell, as one of the people.

Owns nothing but its arguments and what it prints: it writes an intent like a page does and waits, for
its turn as well where an answer runs. A server that is up runs it; without one this process runs the
relay itself.
"""

from __future__ import annotations

import asyncio
import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.http import Http404

from chats import permissions, relay
from chats.forms import attachments
from chats.forms.contents import NotAccepted
from chats.models import Attachment, Chat, Entry, Intent, Message, Person, Queued
from chats.models.messages import LIVE, Delivery, MessageState
from chats.models.queue import Hindrance
from chats.permissions.amounts import may_know
from chats.relay import draining, intents, queue
from chats.usage import money, words
from chats.usage.refusals import OverLimit, Refused, TooFast
from chats.v0api.types import TextPart, parts_from_wire

PATIENCE = 3.0
PAYLOAD = ("message", "model", "system", "delivery")
PROBLEMS = {
    "unsent": "v0 cannot be reached; nothing was sent.",
    "unknown": "It is not known whether v0 received the message; look before you send it again.",
    "unauthorized": "v0 does not accept the API key.",
    "credits": "v0 says that the account is out of credits.",
    "rate-limit": "v0 asks to slow down; try again later.",
}
HELD = {
    "stopped": "the answer before it was stopped",
    "failed": "the answer before it failed",
    "cut": "the answer before it was cut off",
    "filtered": "v0 held back the answer before it",
    "odd": "the answer before it ended in a way v0 does not explain",
    "rewound": "the files went back to an earlier state",
    "asks": "v0 asks something there",
    "closed": "v0 takes nothing for this chat any more",
    "problem": "a message before it could not be sent",
    "shut": "no new runs are taken at present",
}
EXAMPLES = """examples:
  manage.py ask "A page about tea" --user owner@example.com
  manage.py ask "Make it dark" --user owner@example.com --chat 0b9c…  --model v0-mini
  manage.py ask "A page like this" --user owner@example.com --attach sketch.png --delivery async
  manage.py ask "A page about tea" --user owner@example.com --json | jq -r .credits

The status is 0 when an answer came and 1 when none did; a failed answer is printed first."""


class Command(BaseCommand):
    # As for `prepare`.
    requires_system_checks = ()

    help = "Ask v0 something as one of the people, and print the answer and the chat's address."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument("message", help="what to ask; everything v0 needs to know")
        parser.add_argument(
            "--user", required=True, metavar="EMAIL", help="the person who asks, and who pays"
        )
        parser.add_argument(
            "--chat",
            type=UUID,
            metavar="UUID",
            help="go on in this chat instead of a new one, in its turn",
        )
        parser.add_argument(
            "--model",
            choices=permissions.models(),
            help="the model that answers; v0's default without it",
        )
        parser.add_argument(
            "--system", metavar="TEXT", help="instructions for this message beside what is asked"
        )
        parser.add_argument(
            "--attach",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a file that goes with the message; may be given several times",
        )
        parser.add_argument(
            "--delivery",
            choices=Delivery.values,
            help="how the answer comes from v0: stream, async (read by poll) or sync (waited for);"
            " V0_DELIVERY without it",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object: chat, message, state, problem, finish_reason, parts as v0"
            " sent them, and credits as text (null when the cost is not known)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        person = self._person(options["user"])
        if not options["message"].strip():
            raise CommandError("The message is empty.")
        payload = {name: options[name] for name in PAYLOAD if options.get(name)}
        written = self._send(person, payload, options["chat"], options["attach"])
        answer = self._turn(written) if isinstance(written, Queued) else written
        self._wait(answer)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(answer), ensure_ascii=False))
        else:
            self._print(answer)
        if answer.state == MessageState.FAILED:
            words = PROBLEMS.get(answer.problem, f"v0 could not answer ({answer.problem}).")
            raise CommandError(f"{words} {answer.detail}".strip())

    def _person(self, email: str) -> Person:
        person = Person.objects.filter(email__iexact=email, is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active person with the address {email}.")
        return person

    def _send(
        self, person: Person, payload: dict[str, Any], chat: UUID | None, files: list[Path]
    ) -> Message | Queued:
        """What came of the message; the files are taken back when nothing did."""
        rows: list[Attachment] = []
        try:
            for path in files:
                rows.append(self._upload(person, path))  # noqa: PERF401 (each has to be taken back)
            if why := attachments.problem(rows):
                raise CommandError(why)
            if rows:
                payload["files"] = [str(row.pk) for row in rows]
            return self._write(person, payload, chat)
        except CommandError:
            attachments.forget(rows)
            raise

    def _upload(self, person: Person, path: Path) -> Attachment:
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                return attachments.made(person, UploadedFile(file, path.name, size=size), None)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except NotAccepted as error:
            raise CommandError(str(error)) from None

    def _write(
        self, person: Person, payload: dict[str, Any], chat: UUID | None
    ) -> Message | Queued:
        try:
            if chat is None:
                return intents.create(person, uuid4(), payload)
            found = permissions.chat_for(person, {}, chat, permissions.Action.SEND)
            return queue.send(person, uuid4(), payload, found)
        except Http404:
            raise CommandError(f"{person.email} can see no chat {chat}.") from None
        except PermissionDenied:
            raise CommandError(f"{person.email} may not send messages in this chat.") from None
        except intents.Busy:
            raise CommandError("This chat is not all here yet; ask again when it is.") from None
        except queue.Full:
            raise CommandError("So many messages wait in this chat that no more fit.") from None
        except Refused as error:
            raise CommandError(not_now(error, person, chat)) from None
        except intents.NotForRole as refusal:
            words = (
                f"{person.email} may not use {refusal} in the chat's team; --model names another."
            )
            raise CommandError(words) from None

    def _turn(self, row: Queued) -> Message:
        """The answer to a message that waits, once it is its turn."""
        while True:
            intent = Intent.objects.filter(person=row.person, token=row.token).first()
            if intent is not None and intent.answer is not None:
                return intent.answer
            now = Queued.objects.select_related("chat").filter(id=row.id).first()
            if now is None:
                if Intent.objects.filter(person=row.person, token=row.token).exists():
                    continue
                raise CommandError("The message was removed while it waited; nothing was sent.")
            first = now.chat.queue.first()
            why = HELD.get(queue.held(now.chat, first))
            if why and first == now and now.problem == Hindrance.BUDGET:
                why = "a budget that it counts for is used up"
            if why:
                raise CommandError(f"The message waits in the chat, because {why}.")
            running = now.chat.messages.filter(role="assistant", state__in=LIVE).first()
            if running is not None:
                self._wait(running)
            time.sleep(0.1)
            draining.drain()

    def _wait(self, answer: Message) -> None:
        deadline = time.monotonic() + PATIENCE * settings.V0_LOOK_EVERY
        while time.monotonic() < deadline:
            answer.refresh_from_db()
            if answer.holder or not answer.is_live:
                break
            time.sleep(0.1)
        if answer.holder or not answer.is_live:
            while answer.is_live:
                time.sleep(0.2)
                answer.refresh_from_db()
        else:
            asyncio.run(_run(answer.id))
            answer.refresh_from_db()

    def _print(self, answer: Message) -> None:
        parts = parts_from_wire(answer.parts)
        text = "\n\n".join(part.text for part in parts if isinstance(part, TextPart))
        if text:
            self.stdout.write(text)
        self.stdout.write(f"http://localhost:{settings.PORT}/chats/{answer.chat_id}/")


def not_now(error: Refused, person: Person, chat: UUID | None) -> str:
    """Why the person may not ask now, with what they may know of it."""
    actions = permissions.actions(person, Chat.objects.get(pk=chat)) if chat else frozenset()
    roles = permissions.team_roles_of([person.pk]).get(person.pk, {})
    sees = permissions.Action.SEE_COST in actions
    knows = isinstance(error, OverLimit) and may_know(
        person, error.standing.limit, roles, sees_cost=sees
    )
    said = words.refusal(
        error,
        knows_amounts=knows,
        is_staff=person.is_staff,
        manages=permissions.Action.MANAGE in actions,
    )
    return f"{said} Try again in {error.again} s." if isinstance(error, TooFast) else said


def as_json(answer: Message) -> dict[str, Any]:
    """An answer that has ended, in the words of the wire; credits to their last digit."""
    entry = Entry.objects.filter(message_id=answer.id, is_told=True).first()
    return {
        "chat": str(answer.chat_id),
        "message": str(answer.id),
        "state": answer.state,
        "problem": answer.problem,
        "finish_reason": answer.finish_reason,
        "parts": answer.parts,
        "credits": f"{money.credits(entry.credits_total).normalize():f}" if entry else None,
    }


async def _run(answer: UUID) -> None:
    held = await relay.start()
    try:
        await held.until_over(answer)
    finally:
        await relay.stop()
