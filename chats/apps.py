"""The Django app. Owns its name and label, and that what happens to accounts is heard of from the start."""

from importlib import import_module

from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only now. To import these is what connects their receivers.
        for name in ("addresses", "guests", "noting", "sessions"):
            import_module(f"chats.accounts.{name}")
