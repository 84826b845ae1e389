"""Limits as staff see and set them: for whom, how much, how far they are used, and what raises them.

Owns these pages and the names of whom a limit is for. Relies on `usage.limits` for every change, and on
permissions for the titles of chats: staff see those alone that they may read anyway. Who is not there any more
is named as deleted, and their limit can still be removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chats import accounts, permissions
from chats.forms.limits import ENDS, PERIODS, ROLES, SCOPES, AmountForm, LimitForm, RaiseForm
from chats.models import Chat, Limit, Override, Person, Team
from chats.models.budgets import Period, Scope
from chats.usage import limits, money
from chats.views.access import Request, form_methods, signed_in, uuid_or_none
from chats.views.manage import chosen, listed, page, typed
from chats.views.meters import meters

SHOWN = {
    "": "All",
    Scope.INSTALLATION.value: "The installation",
    Scope.TEAM.value: "Teams",
    Scope.ROLE.value: "Roles",
    Scope.PERSON.value: "People",
    Scope.CHAT.value: "Chats",
}
DAILY = {Period.DAY.value: "daily", Period.MONTH.value: "monthly"}
ORDER = Case(
    *(When(scope=scope, then=Value(place)) for place, scope in enumerate(SHOWN)), default=Value(9)
)
# Of those found by a name; whoever looks for more says more.
FOUND = 500
PAST = 10
DONE = {
    "added": "Added. It counts from now on, with what was spent before it.",
    "changed": "Saved. It counts from now on.",
    "raised": "Raised. It ends by itself.",
    "ended": "Ended. The limit itself counts again.",
    "over": "It had ended already: nothing has changed.",
    "removed": "Removed.",
}
CHANGED = (
    "Somebody has changed this limit meanwhile. This is what you filled in: save it to keep this."
)
GONE = "Somebody has changed this limit meanwhile. This is how it is now."


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom a limit is for: `more` is what tells them from others of their name, `person` their id."""

    words: str
    more: str = ""
    person: int | None = None


@require_safe
@signed_in
def listed_limits(request: Request, person: Person) -> HttpResponse:
    actor = permissions.administrator(request)
    search, show = typed(request), chosen(request, "show", SHOWN)
    rows = Limit.objects.filter(_found_by(search)) if search else Limit.objects.all()
    if show:
        rows = rows.filter(scope=show)
    found = listed(request, rows.order_by(ORDER, "key", "period"))
    names = whose(actor, found.rows)
    return page(
        request,
        "limits",
        listed=found,
        told=[(each, names[each.limit.pk]) for each in meters(found.rows)],
        search=search,
        show=show,
        choices=SHOWN,
        done=DONE.get(request.GET.get("done", ""), ""),
    )


def _found_by(search: str) -> Q:
    """A part of a team's or a person's name, or the id of a chat."""
    id = uuid_or_none(search)
    if id is not None:
        return Q(scope=Scope.CHAT, key=str(id))
    people = Person.objects.filter(Q(email__icontains=search) | Q(name__icontains=search))
    teams = Team.objects.filter(name__icontains=search)
    return Q(scope=Scope.TEAM, key__in=_keys(teams)) | Q(scope=Scope.PERSON, key__in=_keys(people))


def _keys(rows: QuerySet[Any]) -> list[str]:
    return [str(id) for id in rows.order_by("pk").values_list("pk", flat=True)[:FOUND]]


def whose(actor: Person, found: Iterable[Limit]) -> dict[int, Whose]:
    """Whom each limit is for, by its id: at most a query for each kind."""
    rows = list(found)
    keys = {scope: [each.key for each in rows if each.scope == scope] for scope in Scope}
    teams = Team.objects.in_bulk([int(key) for key in keys[Scope.TEAM]])
    people = Person.objects.in_bulk([int(key) for key in keys[Scope.PERSON]])
    chats = _chats(actor, [UUID(key) for key in keys[Scope.CHAT]])
    return {each.pk: _named(each, teams, people, chats) for each in rows}


def _named(
    limit: Limit, teams: dict[int, Team], people: dict[int, Person], chats: dict[UUID, str]
) -> Whose:
    match limit.scope:
        case Scope.TEAM:
            team = teams.get(int(limit.key))
            return Whose(team.name if team else "A deleted team", f"Team #{limit.key}")
        case Scope.PERSON:
            person = people.get(int(limit.key))
            if person is None or person.deleted_at:
                return Whose("A deleted account", "Person")
            return Whose(person.shown_name, person.email, person.pk)
        case Scope.CHAT:
            short = limit.key[:8]
            title = chats.get(UUID(limit.key))
            if title == "":
                return Whose(f"Chat {short}")
            return Whose("A deleted chat" if title is None else title, f"Chat {short}")
        case Scope.ROLE:
            return Whose(
                ROLES.get(limit.key, limit.key), "Each of them, without a limit of their own"
            )
        case _:
            return Whose("The installation", "Everybody together")


def _chats(actor: Person, ids: list[UUID]) -> dict[UUID, str]:
    """The titles of those that are there; "" where it is not for whoever asks."""
    if not ids:
        return {}
    there = Chat.objects.filter(pk__in=ids, deleted_at=None).values_list("pk", flat=True)
    titles = permissions.readable(actor).filter(pk__in=ids).values_list("pk", "title")
    return dict.fromkeys(there, "") | dict(titles)


@form_methods
@signed_in
def limit_new(request: Request, person: Person) -> HttpResponse:
    actor = permissions.administrator(request)
    if request.method != "POST":
        given = {name: request.GET.get(name, "")[:254] for name in ("scope", "whom", "role")}
        start = {"scope": Scope.INSTALLATION.value, "period": "month"}
        return _form(request, LimitForm(start | {name: it for name, it in given.items() if it}))
    form = LimitForm(request.POST)
    if form.errors:
        return _form(request, form, status=422)
    scope, period, amount = form.kept["scope"], form.kept["period"], money.units(form.amount)
    try:
        made = limits.add(scope, form.key, period, amount, **_by(request, actor))
    except limits.Taken as taken:
        return _form(request, form, status=409, taken=taken.limit)
    return _see(made, "added")


def _form(
    request: HttpRequest, form: LimitForm, *, status: int = 200, taken: Limit | None = None
) -> HttpResponse:
    return page(
        request,
        "limit_new",
        status=status,
        kept=form.kept,
        errors=form.errors if status == 422 else {},
        taken=taken,
        scopes=SCOPES.items(),
        roles=ROLES.items(),
        periods=PERIODS.items(),
    )


@form_methods
@signed_in
def limit(request: Request, person: Person, id: int) -> HttpResponse:
    actor, found = permissions.administrator(request), _limit(id)
    if request.method != "POST":
        return _one(request, actor, found, {"credits": money.plain(found.credits)})
    form = AmountForm(request.POST)
    if form.errors:
        return _one(request, actor, found, form.kept, form.errors, status=422)
    try:
        if form.seen != money.plain(found.credits):
            raise limits.Changed
        limits.change(found, money.units(form.amount), **_by(request, actor))
    except limits.Changed:
        return _one(request, actor, _limit(id), form.kept, {"": CHANGED}, status=409)
    return _see(found, "changed")


def _one(
    request: HttpRequest,
    actor: Person,
    found: Limit,
    kept: dict[str, str],
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    errors = errors or {}
    return page(
        request,
        "limit",
        status=status,
        **_about(actor, found),
        kept=kept,
        errors=errors,
        refusal=errors.get(""),
        seen=request.POST.get("seen", "") if status == 422 else money.plain(found.credits),
        raised=_raised(found.overrides.filter(until__gt=timezone.now()).order_by("until", "pk")),
        over=_raised(found.overrides.filter(until__lte=timezone.now()).order_by("-until")[:PAST]),
        done=DONE.get(request.GET.get("done", ""), ""),
    )


def _raised(rows: QuerySet[Override]) -> list[tuple[Override, str]]:
    return [(each, money.plain(each.credits)) for each in rows.select_related("by")]


def _about(actor: Person, found: Limit) -> dict[str, Any]:
    (told,) = meters([found])
    return {
        "limit": found,
        "meter": told,
        "daily": DAILY[found.period],
        "whose": whose(actor, [found])[found.pk],
    }


@form_methods
@signed_in
def limit_remove(request: Request, person: Person, id: int) -> HttpResponse:
    actor, found = permissions.administrator(request), _limit(id)
    if request.method != "POST":
        return _remove(request, actor, found)
    try:
        if request.POST.get("seen", "") != money.plain(found.credits):
            raise limits.Changed
        limits.remove(found, **_by(request, actor))
    except limits.Changed:
        return _remove(request, actor, _limit(id), refusal=GONE)
    return HttpResponseRedirect(f"{resolve_url('manage_limits')}?done=removed", status=303)


def _remove(
    request: HttpRequest, actor: Person, found: Limit, *, refusal: str = ""
) -> HttpResponse:
    context = {"seen": money.plain(found.credits), "refusal": refusal, **_about(actor, found)}
    return page(request, "limit_remove", status=409 if refusal else 200, **context)


@form_methods
@signed_in
def limit_raise(request: Request, person: Person, id: int) -> HttpResponse:
    actor, found = permissions.administrator(request), _limit(id)
    if request.method != "POST":
        return _raise(request, actor, found, {"ends": "today"}, {})
    form = RaiseForm(request.POST, money.credits(found.credits), timezone.now())
    if form.errors:
        return _raise(request, actor, found, form.kept, form.errors, status=422)
    try:
        limits.raise_until(
            found,
            money.units(form.amount),
            form.moment,
            form.kept["note"],
            **_by(request, actor),
        )
    except limits.Changed:
        return _raise(request, actor, _limit(id), form.kept, {"": CHANGED}, status=409)
    return _see(found, "raised")


def _raise(
    request: HttpRequest,
    actor: Person,
    found: Limit,
    kept: dict[str, str],
    errors: dict[str, str],
    *,
    status: int = 200,
) -> HttpResponse:
    about = _about(actor, found)
    context = {"kept": kept, "errors": errors, "refusal": errors.get(""), "ends": ENDS.items()}
    return page(request, "limit_raise", status=status, **about, **context)


@require_POST
@signed_in
def raise_end(request: Request, person: Person, id: int, override: int) -> HttpResponse:
    actor, found = permissions.administrator(request), _limit(id)
    row = found.overrides.select_related("limit").filter(pk=override).first()
    if row is None:
        raise Http404
    try:
        limits.end(row, **_by(request, actor))
    except limits.Changed:
        return _see(found, "over")
    return _see(found, "ended")


def _limit(id: int) -> Limit:
    found = Limit.objects.filter(pk=id).first()
    if found is None:
        raise Http404
    return found


def _by(request: HttpRequest, actor: Person) -> Any:
    return {"actor": actor, "address": accounts.address(request)}


def _see(found: Limit, done: str) -> HttpResponse:
    place = resolve_url("manage_limit", found.pk)
    return HttpResponseRedirect(f"{place}?done={done}", status=303)
