"""Both wallets of a transfer move in one statement, and entries go on from where their wallet is.

Half as many statements within the triggers, and constraints that are read once instead of twice.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "e3b96f1a7c48"
down_revision: str | Sequence[str] | None = "c6a1e8357d42"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# The wallet's row is locked from here to the commit, so that numbers have no gaps and times no
# steps back. A second entry of a wallet in one statement has the number of the first: its key
# refuses it.
NUMBER_ENTRY = """
CREATE OR REPLACE FUNCTION jobboard_number_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT entry_count + 1, balance + NEW.amount INTO NEW.number, NEW.balance
      FROM wallets WHERE id = NEW.wallet_id AND currency = NEW.currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'wallet % does not hold %', NEW.wallet_id, NEW.currency
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.at := clock_timestamp();
    RETURN NEW;
END
$$
"""
# Only rows that were stored move their wallets.
POST_ENTRIES = """
CREATE FUNCTION jobboard_post_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE wallets SET balance = stored.balance, entry_count = stored.number
      FROM stored WHERE wallets.id = stored.wallet_id;
    RETURN NULL;
END
$$
"""
# At the commit: exactly what the transfer says left the one wallet and came into the other. A
# unique key sees to it that there are no other entries, now or later: one that goes out, one in.
BALANCED = """
CREATE OR REPLACE FUNCTION jobboard_transfer_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF 2 <> (SELECT count(*) FROM entries
              WHERE transfer_id = NEW.id AND currency = NEW.currency
                AND amount = CASE wallet_id WHEN NEW.from_wallet_id THEN -NEW.amount
                                            WHEN NEW.to_wallet_id THEN NEW.amount END) THEN
        RAISE EXCEPTION 'the entries of transfer % do not balance', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balance';
    END IF;
    RETURN NULL;
END
$$
"""
# As they were: each entry goes on from the one before it, and moves its wallet by itself.
NUMBERED_BEFORE = """
CREATE OR REPLACE FUNCTION jobboard_number_entry() RETURNS trigger LANGUAGE plpgsql AS $$
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
POSTED_BEFORE = """
CREATE FUNCTION jobboard_post_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE wallets SET balance = NEW.balance, entry_count = NEW.number WHERE id = NEW.wallet_id;
    RETURN NULL;
END
$$
"""
BALANCED_BEFORE = """
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


def upgrade() -> None:
    op.execute("DROP TRIGGER post ON entries")
    op.execute("DROP FUNCTION jobboard_post_entry()")
    for function in (NUMBER_ENTRY, POST_ENTRIES, BALANCED):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER post AFTER INSERT ON entries REFERENCING NEW TABLE AS stored "
        "FOR EACH STATEMENT EXECUTE FUNCTION jobboard_post_entries()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER post ON entries")
    op.execute("DROP FUNCTION jobboard_post_entries()")
    for function in (NUMBERED_BEFORE, POSTED_BEFORE, BALANCED_BEFORE):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER post AFTER INSERT ON entries "
        "FOR EACH ROW EXECUTE FUNCTION jobboard_post_entry()"
    )
