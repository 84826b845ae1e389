"""v0's messages merged into ours: order, what is deleted, what was changed, what only we have."""

from __future__ import annotations

from uuid import uuid4

from chats.models import Chat, Intent, Message, Person
from chats.relay import elsewhere, store
from chats.v0api import types


def heard(id: str, role: str = "user", text: str = "", **wire: object) -> types.Message:
    parts = [{"type": "text", "text": text or id}]
    reason = "stop"
    return types.Message.from_wire(
        {"id": id, "role": role, "content": text or id, "parts": parts, "finishReason": reason}
        | {"createdAt": "2026-01-01T00:00:00Z"}
        | wire
    )


def a_chat(owner: Person, *ids: str) -> Chat:
    """A chat that has been compared; its messages are called as v0 calls them, answers "a…"."""
    chat = Chat.objects.create(owner=owner, v0_id=uuid4().hex, title="Here", v0_updated_at="before")
    for place, id in enumerate(ids, 1):
        role = "assistant" if id.startswith("a") else "user"
        row = Message(chat=chat, position=place, role=role, state="finished", v0_id=id)
        if role == "user":
            row.text = id
        else:
            row.parts, row.content = [{"type": "text", "text": id}], id
            row.finish_reason = "stop"
        row.save()
    return chat


def take(chat: Chat, *ids: str, gone: tuple[str, ...] = (), **said: object) -> elsewhere.Taken:
    """Compare with a v0 that has these messages, oldest first."""
    known = elsewhere.claim(chat.id, 0)
    assert known is not None
    listed = [heard(id, "assistant" if id.startswith("a") else "user") for id in ids]
    seen = types.Chat.from_wire({"id": chat.v0_id, "title": "Here", "updatedAt": "now", **said})
    return elsewhere.take(known, seen, listed[::-1], gone)


def order(chat: Chat) -> list[str]:
    return [row.v0_id or row.text for row in chat.messages.order_by("position")]


def test_what_is_the_same_changes_nothing(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1")
    assert take(chat, "u1", "a1") == elsewhere.Taken(in_time=True)
    chat.refresh_from_db()
    assert (chat.version, chat.rewritten, chat.v0_updated_at) == (1, 0, "now")


def test_what_is_new_at_the_end_is_added_there(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1")
    assert take(chat, "u1", "a1", "u2", "a2").changed
    chat.refresh_from_db()
    assert order(chat) == ["u1", "a1", "u2", "a2"]
    assert (chat.version, chat.rewritten) == (2, 0)


def test_what_belongs_before_known_messages_pushes_them_and_makes_pages_old(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1", "u3", "a3")
    assert take(chat, "u1", "a1", "u2", "a2", "u3", "a3").changed
    chat.refresh_from_db()
    assert order(chat) == ["u1", "a1", "u2", "a2", "u3", "a3"]
    assert chat.version == chat.rewritten == 2


def test_messages_that_are_gone_at_v0_go_here(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1", "u2", "a2")
    listed = [heard("u1"), heard("a1", "assistant")]
    assert elsewhere.missing(chat.id, listed, is_all=True) == ["u2", "a2"]
    assert take(chat, "u1", "a1", gone=("u2", "a2")).changed
    chat.refresh_from_db()
    assert order(chat) == ["u1", "a1"]
    assert chat.rewritten == chat.version


def test_what_is_older_than_the_list_reaches_is_not_missing(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1", "u2", "a2")
    listed = [heard("u2"), heard("a2", "assistant")]
    assert elsewhere.missing(chat.id, listed, is_all=False) == []


def test_a_changed_answer_is_taken_over(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1")
    known = elsewhere.claim(chat.id, 0)
    assert known is not None
    listed = [heard("a1", "assistant", "Rewritten"), heard("u1")]
    assert elsewhere.differs(chat.id, listed)
    seen = types.Chat.from_wire({"id": chat.v0_id, "title": "Here"})
    assert elsewhere.take(known, seen, listed, ()).changed
    answer = chat.messages.get(v0_id="a1")
    assert (answer.content, answer.parts[0]["text"]) == ("Rewritten", "Rewritten")
    chat.refresh_from_db()
    assert chat.rewritten == chat.version


def test_nothing_is_written_when_the_chat_went_on_meanwhile(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1")
    known = elsewhere.claim(chat.id, 0)
    assert known is not None
    store.bump(chat.id)
    seen = types.Chat.from_wire({"id": chat.v0_id, "title": "Elsewhere"})
    assert not elsewhere.take(known, seen, [heard("u9")], ("a1",)).in_time
    chat.refresh_from_db()
    assert (chat.title, order(chat), chat.v0_updated_at) == ("Here", ["u1", "a1"], "before")


def test_a_title_that_a_person_gave_stays(owner: Person) -> None:
    for field in ("title_given", "title_unsaid"):
        chat = a_chat(owner, "u1")
        Chat.objects.filter(id=chat.id).update(**{field: True})
        assert not take(chat, "u1", title="Elsewhere").changed
        chat.refresh_from_db()
        assert chat.title == "Here"


def test_the_right_to_write_follows_v0(owner: Person) -> None:
    chat = a_chat(owner, "u1")
    assert take(chat, "u1", writePermission=False).changed
    chat.refresh_from_db()
    assert chat.write_permission is False


def test_a_question_in_doubt_is_recognised_and_not_doubled(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1")
    asked = Message.objects.create(
        chat=chat, position=3, role="user", state="failed", text="u2", author=owner
    )
    answer = Message.objects.create(
        chat=chat, position=4, role="assistant", state="failed", problem="unknown"
    )
    Intent.objects.create(
        token=uuid4(), person=owner, chat=chat, kind="send", digest="", state="unknown"
    )
    Intent.objects.update(message=asked, answer=answer)
    assert take(chat, "u1", "a1", "u2", "a2").changed
    assert order(chat) == ["u1", "a1", "u2", "a2"]
    asked.refresh_from_db()
    answer.refresh_from_db()
    assert (asked.v0_id, asked.state, asked.author) == ("u2", "finished", owner)
    assert (answer.v0_id, answer.state, answer.problem) == ("a2", "finished", "")


def test_a_question_that_v0_refused_is_nobody_elses(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1")
    Message.objects.create(chat=chat, position=3, role="user", state="failed", text="u2")
    Message.objects.create(
        chat=chat, position=4, role="assistant", state="failed", problem="credits"
    )
    take(chat, "u1", "a1", "u2", "a2")
    assert order(chat) == ["u1", "a1", "u2", "", "u2", "a2"]


def test_an_unfinished_answer_is_claimed_as_accepted_and_without_an_intent(owner: Person) -> None:
    chat = a_chat(owner, "u1", "a1")
    bystander = Message.objects.create(chat=a_chat(owner), position=1, role="user", state="failed")
    known = elsewhere.claim(chat.id, 0)
    assert known is not None
    running = heard("a2", "assistant", finishReason=None)
    seen = types.Chat.from_wire({"id": chat.v0_id, "title": "Here"})
    listed = [running, heard("u2"), heard("a1", "assistant"), heard("u1")]
    assert elsewhere.take(known, seen, listed, ()).runs
    (job,) = store.claim("here", 20)
    assert (job.intent, job.state, job.v0_answer, job.payload) == (None, "accepted", "a2", {})
    store.refused(job, state="accepted", problem="gone")
    bystander.refresh_from_db()
    assert (bystander.state, bystander.problem, bystander.ended_at) == ("failed", "", None)
    assert chat.messages.get(v0_id="u2").state == "finished"
