"""Every address that is not of one chat, for everybody who is signed in, by every method.

Owns the table, written by hand; a route without a place in it fails. `tests/test_permissions_routes.py` has
the routes of chats, and what somebody without an account gets everywhere.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from chats.models import Entry, Invitation, Limit, Membership, Override, Team
from tests.scene import Scene
from tests.test_permissions_routes import ARGUMENTS, ELSEWHERE

# What each kind of page is to a stranger, the staff and a superuser, and then, where it is of a team, to its
# viewer, member, admin and owner: `4` none is there, `3` not allowed, `5` no such method, `+` anything else.
KINDS = {
    "everybody": "+ + + + + + +",
    "staff": "4 + + 4 4 4 4",
    "reviewers": "4 + + 4 4 + +",
    "none": "4 4 4 4 4 4 4",
    "members": "4 4 4 + + + +",
    "admins": "4 4 4 3 3 + +",
    "owners": "4 4 4 3 3 3 +",
    "owners of nobody": "4 4 4 3 3 3 4",
    "-": "5 5 5 5 5 5 5",
}
PEOPLE = ("stranger", "admin", "superuser")
MEMBERS = ("team viewer", "mate", "team admin", "team owner")
# Who may GET and who may POST. `none`: what is looked up is somebody else's, or is not there.
TABLE = {
    (
        "everybody",
        "-",
    ): """home usage usage_own_runs usage_csv usage_json sidebar place usual mcp_servers health needs_you prompts account_deleted teams
        security mfa_view_recovery_codes download_recovery_codes sessions healthz readyz robots account_inactive
        sign_up_sent what_you_share account_reset_password_done account_reset_password_from_key_done""",
    ("everybody", "everybody"): """import prompt_new profile data delete_account notices team_new
        email_change mfa_activate_totp mfa_deactivate_totp mfa_generate_recovery_codes mfa_add_webauthn
        mfa_edit_webauthn mfa_remove_webauthn mfa_authenticate account_reauthenticate attachments favicon
        account_login account_logout account_signup account_change_password
        account_set_password account_reset_password account_reset_password_from_key""",
    (
        "-",
        "everybody",
    ): """create space seen_all theme email_prove email_cancel passkey_add_challenge
        mfa_login_webauthn passkey_challenge session_end sessions_end_others""",
    (
        "staff",
        "-",
    ): """usage_elsewhere mcp manage manage_people manage_person manage_teams manage_chats
        manage_invitations manage_sessions manage_limits audit""",
    ("staff", "staff"): """mcp_new mcp_edit mcp_remove manage_act manage_session_end
        manage_invitation_revoke manage_limit_new manage_limit manage_limit_remove manage_limit_raise
        manage_levers manage_close invitations adopt""",
    ("-", "staff"): """mcp_enable audit_csv installation_revoke installation_resend manage_raise_end
        manage_open""",
    ("reviewers", "-"): """usage_review usage_runs usage_run usage_review_csv usage_review_json""",
    ("none", "-"): "shared oidc_callback gallery usage_own_run",
    ("members", "-"): "team",
    ("members", "members"): "team_leave",
    ("members", "admins"): "team_settings",
    ("admins", "admins"): "member_remove team_invitations",
    ("-", "admins"): "member_role invitation_revoke invitation_resend",
    ("owners", "owners"): "team_hand_over team_delete",
    ("owners", "owners of nobody"): "team_left_behind",
    (
        "none",
        "none",
    ): "accept prompt_edit prompt_remove invitation email_confirm email_cancel_by_link setup first_visit sign_up_link",
    ("-", "none"): "oidc_login",
}
ROWS = {name: kinds for kinds, names in TABLE.items() for name in names.split()}
# allauth's own, which take every other method for a GET.
TAKE_ANY = {
    *("favicon", "mfa_authenticate", "account_login", "account_change_password"),
    *("account_set_password", "account_reset_password_from_key"),
}


@pytest.fixture
def places(staged: Scene, db: None) -> dict[str, str]:
    """The address of each route, with what is there where it can be."""
    team = staged.people.team
    mate = Membership.objects.get(team=team, person=staged.people.people["mate"])
    of_a_team, of_nobody = invitation(team), invitation(None)
    entry = Entry.objects.create(message_id=uuid4(), team=team, person=mate.person)
    limit = Limit.objects.create(scope="team", key=str(team.pk), period="day", credits=1)
    later = timezone.now() + timedelta(days=1)
    raised = Override.objects.create(limit=limit, credits=2, until=later, note="A launch")
    found = {}
    for name in ELSEWHERE:
        there: dict[str, object] = {"member": mate.pk, "invitation": of_a_team.pk}
        there["message"] = entry.message_id
        if name.startswith(("team", "member_", "invitation_")):
            there["id"] = team.pk
        elif name.startswith("installation_"):
            there["invitation"] = of_nobody.pk
        elif name == "manage_invitation_revoke":
            there["id"] = of_a_team.pk
        elif name in ("manage_limit", "manage_limit_remove", "manage_limit_raise"):
            there["id"] = raised.limit_id
        elif name == "manage_raise_end":
            there |= {"id": raised.limit_id, "override": raised.pk}
        elif name == "manage_session_end":
            there["id"] = UserSession.objects.filter(user=mate.person_id).get().pk
        elif name in ("manage_person", "manage_act"):
            there["id"] = mate.person_id
        given = ARGUMENTS.get(name, {})
        taken = {key: there.get(key, value) for key, value in given.items()}
        found[name] = reverse(name, kwargs=taken if name != "invitation" else given)
    return found


def asked(name: str) -> tuple[str, ...]:
    """Who walks through a route. What is for everybody asks nobody whether they are staff."""
    kinds = {*ROWS[name]}
    if {"members", "admins", "owners", "reviewers"} & kinds:
        return (*PEOPLE, *MEMBERS)
    return PEOPLE if "staff" in kinds else ("stranger", "superuser")


def invitation(team: Team | None) -> Invitation:
    return Invitation.objects.create(
        team=team,
        role="member" if team else "",
        digest=str(team),
        expires_at=timezone.now() + timedelta(days=1),
    )


def answer(scene: Scene, who: str, method: str, place: str) -> str:
    cache.clear()
    # What one call changes is not there for the next.
    with transaction.atomic():
        status = scene.client(who).generic(method, place).status_code
        transaction.set_rollback(True)
    assert status != 500, (who, method, place)
    return {404: "4", 403: "3", 405: "5"}.get(status, "+")


def test_every_route_has_a_place_in_the_table() -> None:
    assert ROWS.keys() == ELSEWHERE.keys()
    assert len(ROWS) == sum(len(names.split()) for names in TABLE.values())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_cell_holds(staged: Scene, places: dict[str, str], method: str) -> None:
    got, due = {}, {}
    columns = dict(zip((*PEOPLE, *MEMBERS), range(7), strict=True))
    for name, place in places.items():
        who_asks = asked(name)
        cells = KINDS[ROWS[name][method == "POST"]].split()
        got[name] = [answer(staged, who, method, place) for who in who_asks]
        due[name] = [cells[columns[who]] for who in who_asks]
    assert got == due


def test_no_other_method_does_anything(staged: Scene, places: dict[str, str]) -> None:
    for name, place in places.items():
        found = answer(staged, "superuser", "DELETE", place)
        assert found in ("5", "4") or name in TAKE_ANY, name
