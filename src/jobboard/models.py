"""Every table, so that one import fills the metadata (migrations and checks need it whole)."""

from jobboard.accounts import models as accounts
from jobboard.alerts import models as alerts
from jobboard.applications import models as applications
from jobboard.audit import models as audit
from jobboard.companies import models as companies
from jobboard.infra import idempotency, queue, schedule
from jobboard.infra.postgres import Base
from jobboard.jobs import live, synonyms, vocabulary
from jobboard.jobs import models as jobs
from jobboard.jobs.exchange import rates
from jobboard.notifications import models as notifications
from jobboard.tasks import models as tasks
from jobboard.uploads import models as uploads
from jobboard.wallet import models as wallet
from jobboard.webhooks import models as webhooks

__all__ = [
    "accounts",
    "alerts",
    "applications",
    "audit",
    "companies",
    "idempotency",
    "jobs",
    "live",
    "notifications",
    "queue",
    "rates",
    "schedule",
    "synonyms",
    "tasks",
    "uploads",
    "vocabulary",
    "wallet",
    "webhooks",
]
metadata = Base.metadata
