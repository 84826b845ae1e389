"""Messages and the intents behind them. Owns the constraints that keep one live answer per chat and
one message per intent, and the lease by which a process holds a run."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chats.models.chats import Chat
from chats.models.people import Person

# The metadata that a chat is found by again when it is not known whether v0 created it.
OURS = "v0web_intent"
LIVE = ("sending", "checking", "streaming")
# What makes a chat of files, and each way by which a chat comes to be without a first message.
IMPORTS = ("files", "zip", "repo")
WHOLE_CHATS = ("duplicate", *IMPORTS)
KINDS = ("create", "send", "resolve", "restore", *WHOLE_CHATS)


class MessageState(models.TextChoices):
    SENDING = "sending"
    CHECKING = "checking"
    STREAMING = "streaming"
    STOPPED = "stopped"
    FAILED = "failed"
    FINISHED = "finished"


class Task(models.TextChoices):
    """What an agent can wait for."""

    QUESTIONS = "questions"
    PLAN = "plan"
    INTEGRATION = "integration"
    PERMISSION = "permission"
    CONNECT = "connect"


class StopReason(models.TextChoices):
    """What asked an answer to stop, in place of a person."""

    BUDGET = "budget"


class Message(models.Model):
    """One message of a chat, ours from the moment it was typed and v0's truth once it is final.

    `text` is what a person typed, `parts` an answer's parts as v0 sent them (a list of JSON
    objects), `content` v0's closing prose, and `asks` the task
    it ended on. `author` wrote it here; what was written in v0's own pages has the author's id there as
    `v0_author`, which is "" for everything else, and whoever is known here for that id as `v0_person`. `sent_with` is what a person chose beside the text (see `relay.intents`), for those alone
    who may send. `restored` is of an answer that records that the files went back: the uuid of the
    earlier answer as `message`, and when that was made as `created`. `problem` is a code that templates put into words and
    `detail` v0's own words; before `again_at` v0 takes no other try. `waited_since` is when the chat
    began to wait for the decision that an answer follows. `stop_reason` is "" unless it was no person who
    wanted it to stop. `holder`, `fence` and `lease_until` say which process runs it: every
    write of a run names its fence.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="messages")
    position = models.PositiveIntegerField()
    v0_id = models.CharField(max_length=128, blank=True, db_index=True)
    role = models.CharField(max_length=10, choices=[("user", "user"), ("assistant", "assistant")])
    state = models.CharField(max_length=10, choices=MessageState.choices)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="messages"
    )
    v0_author = models.CharField(max_length=128, blank=True)
    v0_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    text = models.TextField(blank=True)
    content = models.TextField(blank=True)
    parts = models.JSONField(default=list, blank=True)
    attachments = models.JSONField(default=list, blank=True)
    sent_with = models.JSONField(default=dict, blank=True)
    finish_reason = models.CharField(max_length=40, null=True, blank=True)
    restorable = models.BooleanField(default=False)
    restored = models.JSONField(default=dict, blank=True)
    asks = models.CharField(max_length=20, choices=Task.choices, blank=True)
    problem = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    again_at = models.DateTimeField(null=True, blank=True)
    stop_asked_at = models.DateTimeField(null=True, blank=True)
    stop_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    stop_reason = models.CharField(max_length=10, choices=StopReason.choices, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    waited_since = models.DateTimeField(null=True, blank=True)
    holder = models.CharField(max_length=40, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["chat", "position"], name="one_message_per_position"),
            models.UniqueConstraint(
                fields=["chat"],
                condition=Q(role="assistant", state__in=LIVE),
                name="one_live_answer_per_chat",
            ),
            models.UniqueConstraint(
                fields=["chat", "v0_id"], condition=~Q(v0_id=""), name="one_row_per_v0_message"
            ),
        )
        indexes = (
            models.Index(
                fields=["lease_until"],
                condition=Q(role="assistant", state__in=LIVE),
                name="live_answers_by_lease",
            ),
            models.Index(fields=["chat"], condition=~Q(asks=""), name="answers_that_ask"),
        )

    def __str__(self) -> str:
        return f"{self.role} message {self.id}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def writer(self) -> Person | None:
        """Whoever wrote it, here or at v0; None for an answer, and where nobody knows."""
        return self.author or self.v0_person


class IntentState(models.TextChoices):
    WAITING = "waiting", "written, not sent yet"
    POSTING = "posting", "about to be sent, or sent with no answer yet"
    CHECKING = "checking", "in doubt: being looked up"
    ACCEPTED = "accepted", "v0 has it"
    REFUSED = "refused", "v0 said no"
    UNSENT = "unsent", "proved not to have reached v0"
    UNKNOWN = "unknown", "could not be found out: a person chooses"


class Delivery(models.TextChoices):
    """How an answer comes from v0."""

    STREAM = "stream", "as it is written"
    ASYNC = "async", "read by poll"
    SYNC = "sync", "with the response, at the end"


class Intent(models.Model):
    """What a person wanted, written before v0 hears of it, so that it is sent at most once.

    `token` is the form's UUID; the same token with the same `digest` is the same intent. `payload`
    holds what is sent, as `relay.asking` says. `baseline` is the newest v0 message id known
    before the POST: ours can only be a later one; `delivery` is how it was sent. An intent without an
    `answer` (a copy of a chat, a chat of files) is held by `lease_until`; any other by its answer's
    lease.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.UUIDField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="intents")
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="intents")
    kind = models.CharField(
        max_length=10,
        choices=[(kind, kind) for kind in KINDS],
    )
    digest = models.CharField(max_length=64)
    payload = models.JSONField(default=dict)
    baseline = models.CharField(max_length=128, blank=True)
    delivery = models.CharField(max_length=10, choices=Delivery.choices, blank=True)
    state = models.CharField(
        max_length=10, choices=IntentState.choices, default=IntentState.WAITING
    )
    message = models.OneToOneField(
        Message, models.CASCADE, related_name="intent_of_message", null=True, blank=True
    )
    answer = models.OneToOneField(
        Message, models.CASCADE, related_name="intent", null=True, blank=True
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "token"], name="one_intent_per_token"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
