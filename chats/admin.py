"""Django's admin: people, teams, chats as metadata, and the ledger.

Owns what staff see there (everything registered here, changing nothing) and what a superuser changes
(people and teams). No model that holds what somebody wrote is registered, so that the right to
administer is never a right to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from chats import accounts
from chats.models import Chat, Entry, Event, Membership, Person, Team, memberships, record
from chats.models.teams import Role
from chats.usage import shown

if TYPE_CHECKING:
    Options = admin.ModelAdmin[Any]
    Rows = admin.TabularInline[Membership, Team]
    PersonForm = BaseUserCreationForm[Person]
    PersonOptions = UserAdmin[Person]
    RoleForm = forms.ModelForm[Membership]
else:
    Options, Rows = admin.ModelAdmin, admin.TabularInline
    PersonForm, PersonOptions, RoleForm = BaseUserCreationForm, UserAdmin, forms.ModelForm


def sign_in_elsewhere(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """One way to sign in, with one set of limits; whoever is signed in and no staff finds nothing."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        raise Http404
    back = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
    return redirect(f"{reverse('account_login')}?{back}")


def sign_out_elsewhere(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    return redirect("account_logout", preserve_request=True)


def change_password_elsewhere(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    return redirect("account_change_password")


admin.site.login = sign_in_elsewhere  # type: ignore[method-assign]
admin.site.logout = sign_out_elsewhere  # type: ignore[method-assign, assignment]
admin.site.password_change = change_password_elsewhere  # type: ignore[method-assign, assignment]
admin.site.site_header = admin.site.site_title = "v0web administration"
admin.site.index_title = "People, teams, chats and usage"
# Who signs in how is nobody's to look through; these have pages of ours.
admin.site.unregister((Group, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken))
admin.site.unregister(UserSession)


class ForStaff:
    """Staff see; a superuser changes."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return admin.site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return admin.site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        user = request.user
        return isinstance(user, Person) and user.is_superuser and user.is_active

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request, obj)


class Unchangeable(ForStaff):
    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


def actor_of(request: HttpRequest) -> dict[str, Any]:
    """Who does something here, for the audit log."""
    actor = request.user if isinstance(request.user, Person) else None
    return {"actor": actor, "address": accounts.address(request)}


def note(request: HttpRequest, event: Event, **of: Any) -> None:
    record(event, **actor_of(request), **of)


class NewPersonForm(PersonForm):
    class Meta:
        model = Person
        fields = ("email", "name")


@admin.register(Person)
class PersonAdmin(ForStaff, PersonOptions):
    add_form = NewPersonForm
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    # With rights go sessions, sockets and who may act on whom: /manage/ changes them, and nothing else.
    readonly_fields = ("is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    add_fieldsets = ((None, {"fields": ("email", "name", "password1", "password2")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Person | None = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        identity = ["email", "name"]
        if self.has_change_permission(request, obj):
            identity.append("password")
        return (
            (None, {"fields": identity}),
            ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
            ("Dates", {"fields": ("last_login", "date_joined")}),
        )

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never: what a person used would be nobody's. Deactivate instead."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Person, form: forms.ModelForm[Person], change: bool
    ) -> None:
        before = Person.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        # allauth lets people in by any address it has noted, an earlier one too.
        EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()
        if before is None:
            note(request, Event.ACCOUNT_MADE, person=obj, by="administration")
        elif before.email != obj.email:
            note(request, Event.EMAIL_CHANGED, person=obj, old=before.email, new=obj.email)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        passwords = Person.objects.filter(pk=id).values_list("password", flat=True)
        with transaction.atomic():
            before = passwords.first()
            response = super().user_change_password(request, id, form_url)
            if before != passwords.first():
                note(request, Event.PASSWORD_CHANGED, person=Person.objects.get(pk=id))
        return response


class MembershipRows(Unchangeable, Rows):
    """Who belongs to a team; each is changed by itself, with what happens to chats then."""

    model = Membership
    extra = 0
    fields = ("person", "role")
    show_change_link = True


@admin.register(Team)
class TeamAdmin(ForStaff, Options):
    """The name. The rest is the team's own settings, whose changes are noted."""

    fields = ("name", "created_at")
    list_display = ("name", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
    inlines = (MembershipRows,)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Only an empty one: its memberships must end one by one, with what happens to chats then."""
        empty = not isinstance(obj, Team) or not obj.memberships.exists()
        return empty and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(
        self, request: HttpRequest, obj: Team, form: forms.ModelForm[Team], change: bool
    ) -> None:
        before = Team.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        if before is None:
            note(request, Event.TEAM_MADE, team=obj)
        elif before.name != obj.name:
            note(request, Event.TEAM_CHANGED, team=obj, name={"old": before.name, "new": obj.name})

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        note(request, Event.TEAM_DELETED, team=obj)
        super().delete_model(request, obj)


class MembershipForm(RoleForm):
    class Meta:
        model = Membership
        fields = ("person", "team", "role")

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        held = Membership.objects.filter(pk=self.instance.pk).first()
        if held and role != Role.OWNER and memberships.is_last_owner(held):
            raise forms.ValidationError("Nobody else could act for the team.")
        return role


@admin.register(Membership)
class MembershipAdmin(ForStaff, Options):
    """Each change is one of `memberships`, with its entry in the audit log. The last owner stays."""

    form = MembershipForm
    list_display = ("person", "team", "role")
    list_filter = ("team", "role")
    list_select_related = ("person", "team")
    autocomplete_fields = ("person", "team")

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        return ("person", "team") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        is_last = isinstance(obj, Membership) and memberships.is_last_owner(obj)
        return not is_last and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        by = actor_of(request)
        if not change:
            obj.pk = memberships.join(obj.team, obj.person, obj.role, **by).pk
        elif "role" in form.changed_data:
            held = Membership.objects.select_related("team").get(pk=obj.pk)
            memberships.change_role(held, obj.role, **by)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        memberships.remove(obj, **actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset.select_related("team"):
            try:
                memberships.remove(membership, **actor_of(request))
            except memberships.LastOwner:
                words = f"{membership.person} stays: nobody else could act for {membership.team}."
                self.message_user(request, words, messages.ERROR)


@admin.register(Chat)
class ChatAdmin(Unchangeable, Options):
    """Whose, where and when. No title, which tells what is inside, and no slug, which opens it."""

    fields = ("id", "v0_id", "owner", "team", "privacy", "model", "created_at", "updated_at")
    list_display = ("id", "owner", "team", "privacy", "created_at", "updated_at")
    list_filter = ("privacy", "team")
    list_select_related = ("owner", "team")
    search_fields = ("=id", "=v0_id", "owner__email")
    ordering = ("-updated_at",)

    def get_fields(self, request: HttpRequest, obj: Chat | None = None) -> tuple[str, ...]:
        user = request.user
        may_open = isinstance(user, Person) and user.is_superuser
        return (*self.fields, "reading") if may_open else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Chat | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description="reading it")
    def reading(self, chat: Chat) -> str:
        place = reverse("open_chat", args=[chat.pk])
        return format_html('<a href="{}">Open it for a reason that its owner sees</a>', place)


@admin.register(Entry)
class EntryAdmin(Unchangeable, Options):
    list_display = ("ended_at", "person", "team", "model", "outcome", "tokens_total", "credits")
    list_filter = ("outcome", "model", "team")
    list_select_related = ("person", "team")
    search_fields = ("person__email", "=message_id")
    ordering = ("-ended_at",)
    date_hierarchy = "ended_at"
    fields = (
        *("message_id", "person", "team", "chat", "model", "outcome", "started_at", "ended_at"),
        *("tokens_input", "tokens_output", "tokens_cache_read", "tokens_cache_write"),
        *("tokens_total", "credits"),
    )

    @admin.display(description="credits", ordering="credits_total")
    def credits(self, entry: Entry) -> str:
        return shown(entry.credits_total)
