"""How Alembic meets our models. `jobboard.infra.revisions` hands over a connection and the lock."""

from typing import Any

from alembic import context

from jobboard.models import metadata

# Each migration commits by itself, so that one may build an index CONCURRENTLY.
options: dict[str, Any] = {"target_metadata": metadata, "transaction_per_migration": True}
if context.is_offline_mode():  # the SQL is only written down
    named = {"paramstyle": "named"}  # the usual style would double every %
    context.configure(dialect_name="postgresql", dialect_opts=named, literal_binds=True, **options)
else:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, compare_server_default=True, **options)
with context.begin_transaction():
    context.run_migrations()
