"""Fail, and say what differs, when the models and the migrations do not make the same tables."""

import sys

from jobboard.infra import revisions
from jobboard.infra.embedded import temporary
from jobboard.models import metadata

with temporary(needed=["database_url"]) as urls:
    differences = revisions.check(urls.database_url, metadata)
sys.exit("\n".join(differences) or None)
