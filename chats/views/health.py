"""That v0 does not answer, on every page with a sidebar: put there when the page is made, and fetched
again when the mark `health` changes. Owns nothing; says what the relay of this process knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats import relay
from chats.models import Person
from chats.relay.health import KeyTrouble
from chats.relay.rows import utc
from chats.rendering.words import TROUBLES
from chats.views.access import Request, signed_in


@require_safe
@signed_in
def health(request: Request, person: Person) -> HttpResponse:
    """204 when the page, which says what it shows in `shown`, shows this already."""
    told = told_of_v0(person)
    if request.GET.get("shown", "") == told["health_shown"]:
        return HttpResponse(status=204)
    return render(request, "chats/_health.html", told)


def told_of_v0(person: Person) -> dict[str, Any]:
    """The context of `chats/_health.html`; `health_version` is the mark that a page carries with it."""
    # The version first: a change between the two is then fetched, and not missed.
    version, now = relay.health_told(), relay.health()
    key = relay.key_trouble() if person.is_staff else KeyTrouble()
    return {
        "health_version": version,
        "health": now,
        "health_shown": f"{now.trouble} {key.kind}".strip(),
        "key": key,
        "key_last": utc(key.last_at) if key.last_at else "",
        "trouble_words": TROUBLES.get(now.trouble, ""),
        "since": utc(now.failing_since) if now.failing_since else "",
    }
