"""The settings of an app that tests start: the app's own, but browsers may keep its files, and passwords
are hashed quickly.

A page loads eight of them. With DEBUG each would be asked for on every load, which is what most of
the time of the browser's tests went into; nothing here changes while they run.
"""

import gc

from django.db.backends.base.base import BaseDatabaseWrapper

from v0web.settings import *  # noqa: F403

WHITENOISE_MAX_AGE = 3600
WHITENOISE_AUTOREFRESH = False

# With DEBUG each query would be kept, as the database quotes it: an eighth of a page. Nobody reads them.
setattr(BaseDatabaseWrapper, "queries_logged", False)  # noqa: B010 (a property of the class's own)

# Hashing slowly is what protects real passwords, and not what is tested here.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# As the tests themselves do.
gc.set_threshold(20_000, 20, 20)
