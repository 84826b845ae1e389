"""What keeps audit entries as they are: triggers that refuse every change, and every removal before its time.

Owns their SQL for SQLite and PostgreSQL. Never edited once it is released: a later migration that needs
other triggers brings its own, and one that makes the table anew on SQLite has to install these again.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "chats_auditentry"
NEVER = "an audit entry is never changed"
NOT_YET = "an audit entry is kept for its time"

# SQLite runs no trigger for a row that REPLACE removes: hence the third one.
SQLITE = (
    f"""CREATE TRIGGER audit_unchanged BEFORE UPDATE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{NEVER}'); END""",
    f"""CREATE TRIGGER audit_kept BEFORE DELETE ON {TABLE}
        WHEN OLD.kept_until > strftime('%Y-%m-%d %H:%M:%f', 'now')
        BEGIN SELECT RAISE(ABORT, '{NOT_YET}'); END""",
    """CREATE TRIGGER audit_once BEFORE INSERT ON chats_auditentry
        WHEN NEW.id IN (SELECT id FROM chats_auditentry)
        BEGIN SELECT RAISE(ABORT, 'an audit entry is never changed'); END""",
)
SQLITE_OFF = tuple(
    f"DROP TRIGGER {name}" for name in ("audit_unchanged", "audit_kept", "audit_once")
)
POSTGRESQL = (
    f"""CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION '{NEVER}'; END IF;
            RAISE EXCEPTION '{NOT_YET}';
        END $$""",
    f"""CREATE TRIGGER audit_unchanged BEFORE UPDATE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    f"""CREATE TRIGGER audit_kept BEFORE DELETE ON {TABLE}
        FOR EACH ROW WHEN (OLD.kept_until > clock_timestamp()) EXECUTE FUNCTION audit_refuse()""",
    f"""CREATE TRIGGER audit_whole BEFORE TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)
POSTGRESQL_OFF = (
    *(
        f"DROP TRIGGER {name} ON {TABLE}"
        for name in ("audit_unchanged", "audit_kept", "audit_whole")
    ),
    "DROP FUNCTION audit_refuse()",
)
BY_VENDOR = {"sqlite": (SQLITE, SQLITE_OFF), "postgresql": (POSTGRESQL, POSTGRESQL_OFF)}


def install(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    run(editor.connection, BY_VENDOR[editor.connection.vendor][0])


def remove(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    run(editor.connection, BY_VENDOR[editor.connection.vendor][1])


def run(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
