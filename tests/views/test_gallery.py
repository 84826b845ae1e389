"""`/gallery/`, and what a page of a public chat says to search engines, to cards and to caches."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from chats.models import Chat, Person, Team
from chats.models.chats import Privacy
from chats.views.gallery import PAGE
from tests.views.conftest import ChatOf, ClientOf, no_writes

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TITLE = re.compile(r'class="gallery-link"[^>]*>([^<]*)<')
SIGN_IN = "/accounts/login/?next=/gallery/"


def titles(client: Client, path: str = "/gallery/") -> list[str]:
    with no_writes():
        page = client.get(path)
    assert page.status_code == 200
    return TITLE.findall(page.content.decode())


@pytest.fixture
def on(settings: Settings) -> None:
    settings.V0_GALLERY = True


@pytest.mark.parametrize("reading", [False, True])
def test_without_the_setting_there_is_none_for_anybody(
    client_of: ClientOf, owner: Person, admin: Person, settings: Settings, *, reading: bool
) -> None:
    settings.V0_ANONYMOUS_READING = reading
    for person in (None, owner, admin):
        client = client_of(person)
        assert client.get("/gallery/").status_code == 404
        assert 'href="/gallery/"' not in client.get("/", follow=True).content.decode()


def test_visitors_see_it_where_they_may_read(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, settings: Settings, on: None
) -> None:
    chat = chat_of(owner, "tea", privacy="public")
    assert client_of(None).get("/gallery/")["Location"] == SIGN_IN
    assert 'href="/gallery/"' not in client_of(None).get(SIGN_IN).content.decode()
    settings.V0_ANONYMOUS_READING = True
    assert titles(client_of(None)) == ["About tea"]
    assert 'href="/gallery/"' in client_of(None).get(SIGN_IN).content.decode()
    page = client_of(None).get(f"/chats/{chat.id}/").content.decode()
    assert 'href="/gallery/"' in page


def test_it_shows_a_title_whose_it_is_and_when_it_changed_and_nothing_else(
    client_of: ClientOf, owner: Person, stranger: Person, chat_of: ChatOf, on: None
) -> None:
    chat = chat_of(owner, "tea", privacy="public")
    Chat.objects.filter(pk=chat.pk).update(title="<Tea>", updated_at=BEGIN)
    page = client_of(stranger).get("/gallery/").content.decode()
    assert "&lt;Tea&gt;" in page
    assert owner.shown_name in page
    assert '<time datetime="2026-01-01T00:00:00Z">' in page
    assert f'href="/chats/{chat.id}/"' in page
    for hidden in ("The answer to tea", owner.email, chat.v0_id or "none"):
        assert hidden not in page


def test_only_what_is_public_now_is_in_it(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf, on: None
) -> None:
    chats = {
        level: chat_of(owner, level, privacy=level, team=team) for level in Privacy if level.value
    }
    client = client_of(owner)
    assert titles(client) == ["About public"]
    public = Chat.objects.filter(pk=chats[Privacy.PUBLIC].pk)
    for wanted in Privacy:
        # What takes access away counts at once; what gives it, not before v0 has agreed.
        public.update(privacy_wanted=wanted)
        assert titles(client) == (["About public"] if wanted == "public" else [])
    Chat.objects.filter(pk=chats[Privacy.UNLISTED].pk).update(privacy_wanted="public")
    public.update(privacy_wanted="", deleted_at=BEGIN)
    assert titles(client) == []


def test_pages_follow_each_other_newest_first_without_a_gap(
    client_of: ClientOf, owner: Person, stranger: Person, on: None
) -> None:
    Chat.objects.bulk_create(
        # Some changed in the same moment.
        Chat(
            owner=owner, title=f"{n}", privacy="public", updated_at=BEGIN + timedelta(hours=n // 4)
        )
        for n in range(2 * PAGE + 7)
    )
    client, path = client_of(stranger), "/gallery/"
    found, queries = [], set()
    while path:
        with CaptureQueriesContext(connection) as made:
            page = client.get(path).content.decode()
        queries.add(len(made))
        found.append(TITLE.findall(page))
        more = re.search(r'rel="next" href="([^"]+)"', page)
        path = more[1] if more else ""
    assert len(queries) == 1
    rows = Chat.objects.order_by("-updated_at", "-id").values_list("title", flat=True)
    assert [len(page) for page in found] == [PAGE, PAGE, 7]
    assert [title for page in found for title in page] == list(rows)
    assert titles(client, "/gallery/?after=nonsense") == found[0]


def test_it_is_the_one_page_that_a_search_engine_may_list(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, settings: Settings, on: None
) -> None:
    settings.V0_ANONYMOUS_READING = True
    public, unlisted = (chat_of(owner, level, privacy=level) for level in ("public", "unlisted"))
    Chat.objects.filter(pk=unlisted.pk).update(link_slug="a-slug")
    visitor = client_of(None)
    page = visitor.get("/gallery/")
    assert page["X-Robots-Tag"] == "all"
    assert '<meta name="robots" content="all">' in page.content.decode()
    for path in ("/accounts/login/", "/shared/a-slug/", f"/chats/{public.id}/", "/gallery/none/"):
        page = visitor.get(path)
        assert page["X-Robots-Tag"] == "noindex", path
        if page.content:
            assert '<meta name="robots" content="noindex">' in page.content.decode(), path
    assert visitor.get(f"/chats/{unlisted.id}/")["X-Robots-Tag"] == "noindex"
    # What may not be fetched could not say so.
    robots = visitor.get("/robots.txt")
    assert robots["Content-Type"] == "text/plain"
    assert b"User-agent: *\nDisallow:\n" in robots.content


def test_a_public_chat_has_a_card_of_its_title_and_no_other_chat_has(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf, settings: Settings
) -> None:
    settings.V0_ANONYMOUS_READING = True

    def card(person: Person | None, chat: Chat) -> dict[str, str]:
        page = client_of(person).get(f"/chats/{chat.id}/").content.decode()
        return dict(re.findall(r'<meta (?:name|property)="([\w:]+)" content="([^"]*)">', page))

    public = chat_of(owner, "tea & <milk>", privacy="public")
    found = card(None, public)
    assert found["og:title"] == "About tea &amp; &lt;milk&gt;"
    assert found["og:description"] == "A public chat with v0, the coding agent"
    assert found["og:image"].startswith("http://testserver/static/card")
    assert found["twitter:card"] == "summary_large_image"
    assert found["og:site_name"] == "v0web"
    for level in Privacy:
        if level != Privacy.PUBLIC:
            found = card(owner, chat_of(owner, level, privacy=level, team=team))
            assert found["og:title"] == "v0web", level
    Chat.objects.filter(pk=public.pk).update(privacy_wanted="private")
    assert card(owner, public)["og:title"] == "v0web"


def test_nothing_of_a_chat_is_kept_by_a_cache_that_others_share(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, settings: Settings, on: None
) -> None:
    settings.V0_ANONYMOUS_READING = True
    chat = chat_of(owner, privacy="public")
    answer = chat.messages.get(role="assistant")
    of_chat = (
        "",
        "menu/",
        "search/?q=hello",
        "own/",
        "queue/",
        f"messages/{answer.id}/",
        "absent/",
    )
    visitor = client_of(None)
    answers = [visitor.get(f"/chats/{chat.id}/{rest}") for rest in of_chat]
    answers += [visitor.post(f"/chats/{chat.id}/export.{kind}") for kind in ("md", "json")]
    answers += [visitor.get("/gallery/"), client_of(owner).get("/sidebar/")]
    for each in answers:
        told = set(re.split(r", *", each["Cache-Control"]))
        assert {"private", "no-store"} <= told, each.request["PATH_INFO"]
        assert "Cookie" in each["Vary"], each.request["PATH_INFO"]


def test_the_page_of_who_may_only_read_says_what_they_can_do(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    stranger: Person,
    team: Team,
    chat_of: ChatOf,
    settings: Settings,
) -> None:
    settings.V0_ANONYMOUS_READING = True
    public = chat_of(owner, privacy="public")
    ours = chat_of(owner, privacy="team", team=team)
    team.memberships.filter(person=mate).update(role="viewer")

    def reader(person: Person | None, chat: Chat) -> str:
        page = client_of(person).get(f"/chats/{chat.id}/").content.decode()
        found = re.search(r'<section class="reader".*?</section>', page, re.DOTALL)
        assert ('id="message"' in page) == (found is None)
        return found[0] if found else ""

    assert reader(owner, public) == ""
    duplicate = f'href="/chats/{public.id}/duplicate/"'
    assert duplicate in reader(stranger, public)
    # Whoever only has it by its level learns no name that is on no message.
    assert owner.shown_name not in reader(stranger, public)
    told = reader(None, public)
    assert f'href="/accounts/login/?next=/chats/{public.id}/"' in told
    assert duplicate not in told
    told = reader(mate, ours)
    assert f"ask {owner.shown_name}" in told
    assert "/duplicate/" not in told
    # Nothing of the list of chats, and no name but those of who wrote.
    page = client_of(None).get(f"/chats/{public.id}/").content.decode()
    assert 'id="sidebar"' not in page
    assert mate.shown_name not in page
