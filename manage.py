#!/usr/bin/env python
"""Django's command line for v0web. Owns nothing but the name of the settings."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "v0web.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
