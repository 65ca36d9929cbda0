"""Entries count themselves and wallets follow; the same for statements that store no row.

An entry's number and balance came from its wallet, which a row that was then skipped had moved.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "c41d7a90e6b2"
down_revision: str | Sequence[str] | None = "781df034453b"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# Each entry goes on from the one before it. The wallet's row is locked from here to the commit, so
# that numbers have no gaps and times no steps back.
NUMBER_ENTRY = """
CREATE FUNCTION jobboard_number_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before record;
BEGIN
    PERFORM FROM wallets WHERE id = NEW.wallet_id AND currency = NEW.currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'wallet % does not hold %', NEW.wallet_id, NEW.currency
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT number, balance INTO before FROM entries
     WHERE wallet_id = NEW.wallet_id ORDER BY number DESC LIMIT 1;
    NEW.number := coalesce(before.number, 0) + 1;
    NEW.balance := coalesce(before.balance, 0) + NEW.amount;
    NEW.at := clock_timestamp();
    RETURN NEW;
END
$$
"""
# Only a row that was stored moves its wallet.
POST_ENTRY = """
CREATE FUNCTION jobboard_post_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE wallets SET balance = NEW.balance, entry_count = NEW.number WHERE id = NEW.wallet_id;
    RETURN NULL;
END
$$
"""
# At the commit: exactly what the transfer says left the one wallet and came into the other. That no
# entry is added later, a unique key sees to.
BALANCED = """
CREATE OR REPLACE FUNCTION jobboard_transfer_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM entries
      WHERE transfer_id = NEW.id
     HAVING sum(amount) = 0 AND count(*) = 2
        AND bool_and(currency = NEW.currency)
        AND bool_and(wallet_id = CASE WHEN amount < 0
                     THEN NEW.from_wallet_id ELSE NEW.to_wallet_id END)
        AND bool_and(abs(amount) = NEW.amount);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the entries of transfer % do not balance', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balance';
    END IF;
    RETURN NULL;
END
$$
"""
# As the first migration of the ledger has them.
POSTED_BEFORE = """
CREATE FUNCTION jobboard_post_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE wallets SET balance = balance + NEW.amount, entry_count = entry_count + 1
     WHERE id = NEW.wallet_id AND currency = NEW.currency
    RETURNING entry_count, balance INTO NEW.number, NEW.balance;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'wallet % does not hold %', NEW.wallet_id, NEW.currency
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$
"""
BALANCED_BEFORE = """
CREATE OR REPLACE FUNCTION jobboard_transfer_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    transfer uuid;
BEGIN
    IF TG_TABLE_NAME = 'transfers' THEN
        transfer := NEW.id;
    ELSE
        transfer := NEW.transfer_id;
    END IF;
    PERFORM FROM transfers t JOIN entries e ON e.transfer_id = t.id
      WHERE t.id = transfer
     HAVING sum(e.amount) = 0 AND count(*) = 2
        AND bool_and(e.currency = t.currency)
        AND bool_and(e.wallet_id = CASE WHEN e.amount < 0
                     THEN t.from_wallet_id ELSE t.to_wallet_id END)
        AND bool_and(abs(e.amount) = t.amount);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the entries of transfer % do not balance', transfer
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balance';
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.execute("DROP TRIGGER post ON entries")
    op.execute("DROP FUNCTION jobboard_post_entry()")
    for function in (NUMBER_ENTRY, POST_ENTRY, BALANCED):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER number BEFORE INSERT ON entries "
        "FOR EACH ROW EXECUTE FUNCTION jobboard_number_entry()"
    )
    op.execute(
        "CREATE TRIGGER post AFTER INSERT ON entries "
        "FOR EACH ROW EXECUTE FUNCTION jobboard_post_entry()"
    )
    op.drop_constraint(op.f("ck_wallets_one_may_owe"), "wallets")
    op.create_check_constraint(
        op.f("ck_wallets_one_may_owe"),
        "wallets",
        "floor IS NOT DISTINCT FROM CASE WHEN board = 'issued' THEN NULL ELSE 0 END",
    )
    op.create_index("ix_transfers_created_by", "transfers", ["created_by"])


def downgrade() -> None:
    op.drop_index("ix_transfers_created_by", "transfers")
    op.drop_constraint(op.f("ck_wallets_one_may_owe"), "wallets")
    op.create_check_constraint(
        op.f("ck_wallets_one_may_owe"),
        "wallets",
        "(board IS NOT DISTINCT FROM 'issued') = (floor IS NULL)",
    )
    for trigger in ("number", "post"):
        op.execute(f"DROP TRIGGER {trigger} ON entries")
    for function in ("jobboard_number_entry", "jobboard_post_entry"):
        op.execute(f"DROP FUNCTION {function}()")
    for function in (POSTED_BEFORE, BALANCED_BEFORE):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER post BEFORE INSERT ON entries "
        "FOR EACH ROW EXECUTE FUNCTION jobboard_post_entry()"
    )
