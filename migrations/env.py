"""How Alembic meets our models. `jobboard.infra.revisions` hands over a connection and the lock."""

from alembic import context

from jobboard.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
    # Each migration commits by itself, so that one may build an index CONCURRENTLY.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
