"""Wallets and the ledger. The board gets its own here, people and companies in the next one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "05a2b4d0e452"
down_revision: str | Sequence[str] | None = "4b6f5ee25eeb"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# An entry moves its wallet's balance in the same breath, and takes its number and the balance after
# it from there. The wallet's row stays locked until the commit, so that numbers have no gaps.
POST_ENTRY = """
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
# At the commit: exactly what the transfer says left the one wallet and came into the other, in one
# currency. Two entries that cancel out, and no third that someone adds later.
BALANCED = """
CREATE FUNCTION jobboard_transfer_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
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
# What gives back goes the way back, is not more than there was, and is itself final.
GIVES_BACK = """
CREATE FUNCTION jobboard_gives_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM transfers t
      WHERE t.id = NEW.original_id AND t.original_id IS NULL AND t.currency = NEW.currency
        AND t.from_wallet_id = NEW.to_wallet_id AND t.to_wallet_id = NEW.from_wallet_id
        AND (NEW.amount = t.amount OR NEW.kind = 'refund' AND NEW.amount < t.amount);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this does not give back transfer %', NEW.original_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'gives_back';
    END IF;
    RETURN NEW;
END
$$
"""
REFUSE_WALLET = """
CREATE FUNCTION jobboard_refuse_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'only entries move the balance of a wallet, and its owner stays'
        USING ERRCODE = 'restrict_violation';
END
$$
"""
# Of the board's currencies, the oldest is the one that new wallets hold.
NEW_WALLETS = """
CREATE FUNCTION jobboard_new_wallets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    main text := (SELECT currency FROM wallets WHERE board = 'issued' ORDER BY id LIMIT 1);
BEGIN
    IF TG_TABLE_NAME = 'people' THEN
        INSERT INTO wallets (person_id, currency) SELECT id, main FROM new_owners;
    ELSE
        INSERT INTO wallets (company_id, currency) SELECT id, main FROM new_owners;
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGERS = (
    "CREATE TRIGGER post BEFORE INSERT ON entries "
    "FOR EACH ROW EXECUTE FUNCTION jobboard_post_entry()",
    "CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON transfers DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION jobboard_transfer_balanced()",
    "CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION jobboard_transfer_balanced()",
    "CREATE TRIGGER gives_back BEFORE INSERT ON transfers FOR EACH ROW "
    "WHEN (NEW.original_id IS NOT NULL) EXECUTE FUNCTION jobboard_gives_back()",
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers "
    "FOR EACH STATEMENT EXECUTE FUNCTION jobboard_append_only()",
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION jobboard_append_only()",
    "CREATE TRIGGER begins_empty BEFORE INSERT ON wallets FOR EACH ROW "
    "WHEN (NEW.balance <> 0 OR NEW.entry_count <> 0) EXECUTE FUNCTION jobboard_refuse_wallet()",
    # An update from within a trigger, which is the one of an entry, has a depth.
    "CREATE TRIGGER moved_by_entries BEFORE UPDATE ON wallets FOR EACH ROW "
    "WHEN (pg_trigger_depth() = 0 AND (OLD.balance, OLD.entry_count) "
    "IS DISTINCT FROM (NEW.balance, NEW.entry_count)) EXECUTE FUNCTION jobboard_refuse_wallet()",
    "CREATE TRIGGER owner_stays BEFORE UPDATE OF id, person_id, company_id, board, currency "
    "ON wallets FOR EACH ROW "
    "WHEN ((OLD.id, OLD.person_id, OLD.company_id, OLD.board) "
    "IS DISTINCT FROM (NEW.id, NEW.person_id, NEW.company_id, NEW.board) "
    "OR OLD.currency <> NEW.currency AND OLD.entry_count > 0) "
    "EXECUTE FUNCTION jobboard_refuse_wallet()",
    "CREATE TRIGGER new_wallets AFTER INSERT ON people REFERENCING NEW TABLE AS new_owners "
    "FOR EACH STATEMENT EXECUTE FUNCTION jobboard_new_wallets()",
    "CREATE TRIGGER new_wallets AFTER INSERT ON companies REFERENCING NEW TABLE AS new_owners "
    "FOR EACH STATEMENT EXECUTE FUNCTION jobboard_new_wallets()",
)
FUNCTIONS = (
    "jobboard_post_entry",
    "jobboard_transfer_balanced",
    "jobboard_gives_back",
    "jobboard_refuse_wallet",
    "jobboard_new_wallets",
)
BOARD = (
    "INSERT INTO wallets (board, currency, floor) "
    "VALUES ('issued', 'EUR', NULL), ('revenue', 'EUR', 0)"
)


def upgrade() -> None:
    op.create_table(
        "wallets",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=True),
        sa.Column("company_id", sa.UUID(), nullable=True),
        sa.Column(
            "board",
            sa.Enum(
                "issued",
                "revenue",
                name="boardwallet",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=True,
        ),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("floor", sa.BigInteger(), server_default=sa.text("0"), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(board IS NOT DISTINCT FROM 'issued') = (floor IS NULL)",
            name=op.f("ck_wallets_one_may_owe"),
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_wallets_currency_form")),
        sa.CheckConstraint("balance >= floor", name=op.f("ck_wallets_above_floor")),
        sa.CheckConstraint(
            "num_nonnulls(person_id, company_id, board) = 1", name=op.f("ck_wallets_one_owner")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_wallets_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_wallets_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallets")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("uq_wallets_board_currency", "wallets", ["board", "currency"], unique=True)
    op.create_index(
        "uq_wallets_company_id_currency", "wallets", ["company_id", "currency"], unique=True
    )
    op.create_index(
        "uq_wallets_person_id_currency", "wallets", ["person_id", "currency"], unique=True
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "transfer",
                "grant",
                "feature",
                "refund",
                "reversal",
                name="transferkind",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("from_wallet_id", sa.UUID(), nullable=False),
        sa.Column("to_wallet_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("original_id", sa.UUID(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(kind IN ('refund', 'reversal')) = (original_id IS NOT NULL)",
            name=op.f("ck_transfers_gives_back"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfers_amount_sign")),
        sa.CheckConstraint("from_wallet_id <> to_wallet_id", name=op.f("ck_transfers_two_wallets")),
        sa.ForeignKeyConstraint(
            ["from_wallet_id"], ["wallets.id"], name=op.f("fk_transfers_from_wallet_id_wallets")
        ),
        sa.ForeignKeyConstraint(
            ["original_id"], ["transfers.id"], name=op.f("fk_transfers_original_id_transfers")
        ),
        sa.ForeignKeyConstraint(
            ["to_wallet_id"], ["wallets.id"], name=op.f("fk_transfers_to_wallet_id_wallets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )
    op.create_index(
        "ix_transfers_spent",
        "transfers",
        ["from_wallet_id", "created_by", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_transfers_original_id",
        "transfers",
        ["original_id"],
        unique=True,
        postgresql_where=sa.text("original_id IS NOT NULL"),
    )
    op.create_table(
        "entries",
        sa.Column("wallet_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_entries_amount_sign")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_entries_transfer_id_transfers")
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallets.id"], name=op.f("fk_entries_wallet_id_wallets")
        ),
        sa.PrimaryKeyConstraint("wallet_id", "number", name=op.f("pk_entries")),
    )
    op.create_index("ix_entries_transfer_id", "entries", ["transfer_id"], unique=False)
    op.create_table(
        "transfer_memos",
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "char_length(memo) BETWEEN 1 AND 200", name=op.f("ck_transfer_memos_memo_length")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_transfer_memos_transfer_id_transfers")
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_transfer_memos")),
    )
    op.add_column(
        "company_members",
        sa.Column("spending_limit", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_company_members_spending_limit_sign"), "company_members", "spending_limit >= 0"
    )
    for function in (POST_ENTRY, BALANCED, GIVES_BACK, REFUSE_WALLET, NEW_WALLETS):
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(trigger)
    op.execute(BOARD)


def downgrade() -> None:
    for table in ("people", "companies"):
        op.execute(f"DROP TRIGGER new_wallets ON {table}")
    op.drop_column("company_members", "spending_limit")
    for table in ("transfer_memos", "entries", "transfers", "wallets"):
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
