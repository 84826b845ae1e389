"""What a person wants, written down before v0 hears of it.

Owns the one transaction that makes the user's message, the unfinished answer and the intent.
Relies on models, on permissions for the model that goes with it, and on budgets, which put aside what it
may cost; the caller has asked permissions for the chat and, after the commit, wakes the relay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from chats import permissions
from chats.models import Chat, Instructions, Intent, Message, Person, Queued, Team
from chats.models.chats import Privacy
from chats.models.messages import LIVE, WHOLE_CHATS, IntentState, MessageState
from chats.permissions import spaces
from chats.relay import store, uploads
from chats.relay.rows import utc
from chats.usage import budgets
from chats.v0api.types import model_among

# What of a payload a message keeps, for those who may know what it was sent with.
SENT_WITH = ("model", "images", "mcp", "skills", "system", "metadata")

# What stands in place of v0's own words until v0 has said them.
RESTORE = "Rewind to an earlier answer"


class Busy(Exception):
    """An answer runs in this chat: nothing was written."""


class NotForRole(Exception):
    """The person may not use this model in the chat's team: nothing was written."""


class TokenReused(Exception):
    """The form was already sent with other content: nothing was written."""


def digest(chat: UUID | None, payload: dict[str, Any]) -> str:
    content = json.dumps([str(chat or ""), payload], sort_keys=True, default=str)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def create(person: Person, token: UUID, payload: dict[str, Any], **fields: Any) -> Message:
    """A new chat of `person` with these fields; the unfinished answer to its first message. A `token`
    that was used for the same gives what it gave then. `files` in the payload are ids; Missing when
    one is gone. NotForRole, here and below, for a model, and `usage.Refused` for what may not begin now."""
    return _write(person, token, payload, None, fields)


def send(
    person: Person, token: UUID, payload: dict[str, Any], chat: Chat, **fields: Any
) -> Message:
    """A further message, with which the chat gets the field `system`; its unfinished answer. Busy while an
    answer runs or the chat is being copied; a chat v0 has never accepted is created."""
    if unfinished_copy(chat):
        raise Busy
    return _write(person, token, payload, chat, fields)


def decide(
    person: Person,
    token: UUID,
    payload: dict[str, Any],
    chat: Chat,
    *,
    kind: str,
    record: Callable[[Message], None],
) -> Message:
    """As `send`, for a decision: `record` writes it beside the message that tells of it, in the same
    transaction. Busy also when somebody else has decided."""
    return _write(person, token, payload, chat, {}, kind=kind, record=record)


def restore(
    person: Person, token: UUID, chat: Chat, target: Message, *, is_admitted: bool = False
) -> Message:
    """As `send`: the files of `target`, an earlier answer of `chat`, are to be the chat's again; the
    unfinished answer that will record it. `is_admitted`: budgets have let it begin together with the copy
    that it completes."""
    if unfinished_copy(chat):
        raise Busy
    payload = {"message": RESTORE, "restores": target.v0_id, "target": str(target.id)}
    restored = {"message": str(target.id), "created": utc(target.created_at)}

    def record(message: Message) -> None:
        Message.objects.filter(intent__message=message).update(restored=restored)

    return _write(
        *(person, token, payload, chat, {}),
        kind="restore",
        record=record,
        is_admitted=is_admitted,
    )


def found(person: Person, token: UUID, chat: Chat) -> Message | None:
    """The answer of an earlier use of this token in this chat; TokenReused for one elsewhere."""
    first = Intent.objects.filter(person=person, token=token).select_related("answer").first()
    if first is None:
        return None
    if first.chat_id != chat.id or first.answer is None:
        raise TokenReused
    return first.answer


def duplicate(
    person: Person,
    token: UUID,
    source: Chat,
    *,
    title: str = "",
    privacy: str = Privacy.PRIVATE,
    team: Team | None = None,
    rewind: Message | None = None,
) -> Chat:
    """A copy of `source`, which v0 has, in the space of `team` or of `person`; still empty and private
    until v0 agrees to `privacy`. The files of the answer `rewind` are to be the copy's.

    Busy while an answer runs in `source`.
    """
    payload = {"source": source.v0_id, "title": title or copy_title(source)}
    payload |= _shared(privacy, team) | ({"rewind": str(rewind.id)} if rewind else {})
    if source.messages.filter(role="assistant", state__in=LIVE).exists():
        raise Busy
    model = source.model if source.model in spaces.models(person, team) else ""
    given = {"copied_from": source, "model": model, "title_given": bool(title)}
    return _whole_chat(person, token, "duplicate", payload, title=payload["title"], **given)


def copy_title(source: Chat) -> str:
    """What a copy is called unless somebody chooses another title."""
    return f"{source.title[:193]} (copy)".lstrip()


def bring(
    person: Person,
    token: UUID,
    kind: str,
    payload: dict[str, Any],
    *,
    title: str = "",
    privacy: str = Privacy.PRIVATE,
    team: Team | None = None,
) -> Chat:
    """A new chat of files, as `relay.imports` says what the payload of each `kind` holds; empty and
    private until v0 has it."""
    titled = {"title": title} if title else {}
    payload = {**payload, **titled, **_shared(privacy, team)}
    return _whole_chat(person, token, kind, payload, title=title, title_given=bool(title))


def _shared(privacy: str, team: Team | None) -> dict[str, Any]:
    """What of it was chosen: without it, a private chat in the personal space."""
    wider = {} if privacy == Privacy.PRIVATE else {"privacy": str(privacy)}
    return wider | ({"team": team.pk} if team else {})


def _whole_chat(
    person: Person, token: UUID, kind: str, payload: dict[str, Any], **fields: Any
) -> Chat:
    """The same token with the same content is the same chat; TokenReused for other content."""
    mark = digest(None, {"kind": kind, **payload})
    try:
        with transaction.atomic():
            chat = Chat.objects.create(owner=person, team_id=payload.get("team"), **fields)
            _begin(chat)
            intent = Intent.objects.create(
                token=token, person=person, chat=chat, kind=kind, digest=mark, payload=payload
            )
            budgets.reserve(intent)
            return chat
    except IntegrityError:
        first = Intent.objects.select_related("chat").filter(person=person, token=token).first()
        if first is None or first.digest != mark:
            raise TokenReused from None
        return first.chat


def wish(chat: Chat) -> Intent | None:
    """The wish that a chat came of as a whole: a copy, or one of files."""
    return Intent.objects.filter(chat=chat, kind__in=WHOLE_CHATS).first()


def unfinished_copy(chat: Chat) -> Intent | None:
    """The wish for a chat that is not all here yet, or never came."""
    done = Q(state=IntentState.ACCEPTED, lease_until=None)
    return Intent.objects.filter(~done, chat=chat, kind__in=WHOLE_CHATS).first()


def wish_again(chat: Chat) -> bool:
    """Wants once more what v0 is known not to have made; whether it was such a wish. May be Refused."""
    return _reopen(chat, (IntentState.UNSENT, IntentState.REFUSED), IntentState.WAITING)


def look_again(chat: Chat) -> bool:
    """Looks once more for what could not be found; nothing is sent. Whether there was such a wish."""
    return _reopen(chat, (IntentState.UNKNOWN,), IntentState.CHECKING)


def _reopen(chat: Chat, states: Sequence[str], state: str) -> bool:
    over = Intent.objects.filter(chat=chat, kind__in=WHOLE_CHATS, state__in=states)
    with transaction.atomic():
        store.bump(chat.id)
        if state == IntentState.WAITING:
            for intent in over.select_related("chat", "person"):
                # What is still put aside for it stands for the same run.
                budgets.release(intent.pk)
                budgets.reserve(intent)
        return bool(over.update(state=state, lease_until=None))


def with_model(person: Person, payload: dict[str, Any], team: Team | None) -> dict[str, Any]:
    """The payload with a model that `person` may use in `team`; NotForRole when it names another one.
    What nobody may choose here any more stands for v0's own."""
    wanted, allowed = payload.get("model"), spaces.models(person, team)
    if permissions.model(wanted) and wanted not in allowed:
        raise NotForRole(wanted)
    model = model_among(allowed, wanted)
    return {**payload, "model": model} if model else payload


def _write(
    person: Person,
    token: UUID,
    payload: dict[str, Any],
    chat: Chat | None,
    fields: dict[str, Any],
    *,
    kind: str = "",
    record: Callable[[Message], None] | None = None,
    is_admitted: bool = False,
) -> Message:
    mark = digest(chat.id if chat else None, {**payload, **fields})
    if kind != "restore":
        payload = with_model(person, payload, chat.team if chat else fields.get("team"))
    try:
        with transaction.atomic():
            intent = _rows(person, token, payload, mark, chat or _chat(person, fields), kind)
            if not is_admitted:
                budgets.reserve(intent)
            _keep(intent.chat, payload, fields)
            assert intent.message is not None
            assert intent.answer is not None
            if record is not None:
                record(intent.message)
            if Queued.objects.filter(person=person, token=token).exists():
                # It waits already. Rows of one chat follow each other here: each bumps it first.
                raise TokenReused
            return intent.answer
    except IntegrityError:
        first = earlier(person, token, mark)
        if first is None:
            raise Busy from None
        return first


def earlier(person: Person, token: UUID, mark: str) -> Message | None:
    """The answer of an earlier use of this token for the same, which `mark` is the digest of; None
    before there was one. TokenReused when it was for something else."""
    first = Intent.objects.filter(person=person, token=token).select_related("answer").first()
    if first is None:
        return None
    if first.answer is None or first.digest != mark:
        raise TokenReused
    return first.answer


def _chat(person: Person, fields: dict[str, Any]) -> Chat:
    columns = {name: value for name, value in fields.items() if name != "system"}
    chat = Chat.objects.create(owner=person, **columns)
    _begin(chat)
    return chat


def _begin(chat: Chat) -> None:
    """What a new chat takes along of its team."""
    if chat.team and chat.team.system_prompt:
        Instructions.objects.create(chat=chat, of_team=chat.team.system_prompt)


def _keep(chat: Chat, payload: dict[str, Any], fields: dict[str, Any]) -> None:
    """Where the chat's next message begins."""
    model, system = payload.get("model"), fields.get("system")
    if model and model != chat.model:
        Chat.objects.filter(id=chat.id).update(model=model)
    if system:
        Instructions.objects.update_or_create(chat=chat, defaults={"text": system})
    elif system is not None:
        Instructions.objects.filter(chat=chat, of_team="").delete()
        Instructions.objects.filter(chat=chat).update(text="")


def _rows(
    person: Person, token: UUID, payload: dict[str, Any], mark: str, chat: Chat, kind: str
) -> Intent:
    store.bump(chat.id)
    last = chat.messages.aggregate(last=Max("position"))["last"] or 0
    message = Message.objects.create(
        chat=chat,
        position=last + 1,
        role="user",
        state=MessageState.SENDING,
        author=person,
        text=payload["message"],
        sent_with={name: payload[name] for name in SENT_WITH if name in payload},
    )
    if payload.get("files"):
        message.attachments = uploads.take(person, message, payload["files"])
        message.save(update_fields=["attachments"])
    answer = Message.objects.create(
        chat=chat, position=last + 2, role="assistant", state=MessageState.SENDING
    )
    return Intent.objects.create(
        token=token,
        person=person,
        chat=chat,
        kind=kind or ("send" if chat.v0_id else "create"),
        digest=mark,
        payload=payload,
        message=message,
        answer=answer,
    )
