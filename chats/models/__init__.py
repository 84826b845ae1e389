"""What is kept. Owns the tables and their constraints; relies on Django alone, never on v0's client,
the relay or rendering."""

from chats.models.attachments import Attachment
from chats.models.audit import AuditEntry, Event, record
from chats.models.budgets import Alert, Counter, Levers, Limit, Override, Reservation
from chats.models.chats import Chat, Instructions
from chats.models.decisions import Decision
from chats.models.guests import Guest, GuestRole
from chats.models.invitations import Invitation
from chats.models.messages import Intent, Message
from chats.models.notes import Mention, Note
from chats.models.notices import Mute, Notice
from chats.models.outcomes import Outcome
from chats.models.people import Composer, EmailChange, Person, SetupLink
from chats.models.presence import Presence
from chats.models.prompts import Prompt
from chats.models.queue import Queued
from chats.models.seen import Follow, Seen
from chats.models.teams import Membership, Team, TeamRules
from chats.models.usage import Billed, Entry, Reconciliation

__all__ = [
    "Alert",
    "Attachment",
    "AuditEntry",
    "Billed",
    "Chat",
    "Composer",
    "Counter",
    "Decision",
    "EmailChange",
    "Entry",
    "Event",
    "Follow",
    "Guest",
    "GuestRole",
    "Instructions",
    "Intent",
    "Invitation",
    "Levers",
    "Limit",
    "Membership",
    "Mention",
    "Message",
    "Mute",
    "Note",
    "Notice",
    "Outcome",
    "Override",
    "Person",
    "Presence",
    "Prompt",
    "Queued",
    "Reconciliation",
    "Reservation",
    "Seen",
    "SetupLink",
    "Team",
    "TeamRules",
    "record",
]
