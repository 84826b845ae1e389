"""Alerts on PostgreSQL: of several processes at once, one writes each down, mails it and posts it."""

from __future__ import annotations

import pytest

from tests.relay.test_alerts import (
    people,
    test_many_processes_at_once_write_it_down_once_and_send_one_mail,
)
from tests.relay.test_webhook import alert, test_of_several_processes_at_once_one_posts_each

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = [
    "alert",
    "people",
    "test_many_processes_at_once_write_it_down_once_and_send_one_mail",
    "test_of_several_processes_at_once_one_posts_each",
]
