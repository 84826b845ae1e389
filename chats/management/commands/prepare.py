"""`manage.py prepare`: makes an installation ready to be served.

Owns the order: tables, then people. Relies on migrations, `chats.demo` and `chats.accounts`; starts
nothing. Running it again changes nothing that exists.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from chats.accounts import invitation_to_begin
from chats.demo import is_demo, make_people


class Command(BaseCommand):
    # `make lint` checks: to read all pages for it would be half of what this takes to begin.
    requires_system_checks = ()

    help = (
        "Make or upgrade the database, and then the demo people or, where nobody has an account"
        " yet, a link with which the owner makes theirs. Safe to repeat: nothing that exists changes."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor == "sqlite":
            Path(str(connection.settings_dict["NAME"])).parent.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
        if is_demo():
            make_people()
        elif said := invitation_to_begin():
            # Only a digest of its link is kept, so that each time it is another one.
            self.stdout.write(said)
