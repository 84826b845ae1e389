"""The ways in where several processes serve them: one first account, and one count of what fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.conf import settings
from django.db import connections
from django.http import Http404
from django.test import Client

from chats import accounts
from chats.models import Person

ROUNDS = 20


def test_two_links_that_are_used_at_once_make_one_owner(transactional_db: None) -> None:
    for round in range(ROUNDS):
        Person.objects.all().delete()
        tokens = [accounts.make_setup_link() for _ in range(2)]
        together = Barrier(2)

        def use(token: str, round: int = round, together: Barrier = together) -> bool:
            try:
                together.wait()
                email = f"{token[:8]}-{round}@example.com".lower()
                accounts.use_setup_link(token, email=email, name="", password="x")
            except Http404:
                return False
            finally:
                connections.close_all()
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(use, tokens)) == [False, True]
        assert Person.objects.count() == 1


def test_guesses_at_once_are_counted_by_redis(transactional_db: None) -> None:
    assert "redis" in settings.CACHES["default"]["BACKEND"]
    Person.objects.create_user("owner@example.com", "right")

    def guess(number: int) -> int:
        client = Client(REMOTE_ADDR="198.51.100.7")
        fields = {"login": "owner@example.com", "password": f"guess {number}"}
        try:
            return client.post("/accounts/login/", fields).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(guess, range(40)))
    assert codes.count(200) == 5
    assert codes.count(429) == 35
    elsewhere = Client(REMOTE_ADDR="203.0.113.5")
    elsewhere.post("/accounts/login/", {"login": "owner@example.com", "password": "right"})
    assert "_auth_user_id" in elsewhere.session
