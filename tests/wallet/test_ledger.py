"""The ledger against a model: any sequence of verbs, several at once, and after each the books."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.accounts.schemas import Actor
from jobboard.errors import Conflict, DomainError
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from jobboard.wallet import queries, service
from jobboard.wallet.ledger import InsufficientFunds
from jobboard.wallet.schemas import GrantCreate, TransferCreate
from tests.boards import empty
from tests.factories.people import make_user

BOOKS = text("""
SELECT (SELECT sum(balance) FROM wallets) AS total,
       (SELECT count(*) FROM wallets w WHERE balance < floor) AS below,
       (SELECT count(*) FROM wallets w
         WHERE (balance, entry_count) <> (SELECT coalesce(sum(amount), 0), count(*)
                                            FROM entries WHERE wallet_id = w.id)) AS off,
       (SELECT count(*) FROM (
          SELECT balance - amount - lag(balance, 1, 0::bigint) OVER of_wallet AS jump,
                 number - lag(number, 1, 0::bigint) OVER of_wallet AS step
            FROM entries WINDOW of_wallet AS (PARTITION BY wallet_id ORDER BY number)) AS line
         WHERE jump <> 0 OR step <> 1) AS gaps,
       (SELECT count(*) FROM (SELECT 1 FROM entries GROUP BY transfer_id
                              HAVING sum(amount) <> 0 OR count(*) <> 2) AS odd) AS odd
""")
AMOUNTS = st.integers(1, 400)
DAYS = 10  # that are lived through


class Ledger(RuleBasedStateMachine):
    """What people have, by a model as simple as can be, and by the database."""

    runner: asyncio.Runner
    database: Database
    settings: Settings
    looks = 0  # at the books

    people = Bundle("people")
    transfers = Bundle("transfers")

    def __init__(self) -> None:
        super().__init__()
        self.balances: dict[UUID, int] = {}
        self.actors: dict[UUID, Actor] = {}
        self.frozen: set[UUID] = set()

    def do(self, work: Awaitable[Any]) -> Any:
        """Wait for it."""

        async def waited() -> Any:
            return await work

        return self.runner.run(waited())

    async def in_a_transaction(self, verb: Any, *args: Any, **options: Any) -> Any:
        """As a door does it; a refusal is an answer."""
        try:
            async with self.database.transaction() as session:
                return await verb(session, *args, **options)
        except DomainError as error:
            return error

    @initialize()
    def make_an_admin(self) -> None:
        self.admin = self.do(self._person(Role.ADMIN))[1]

    async def _person(self, role: Role) -> tuple[UUID, Actor]:
        async with AsyncSession(self.database.engine, expire_on_commit=False) as session:
            actor = (await make_user(session, self.settings, role)).actor
            return (await queries.of_person(session, actor.id)).id, actor

    @rule(target=people)
    def join(self) -> UUID:
        """Someone signs up."""
        wallet, actor = self.do(self._person(Role.CANDIDATE))
        self.balances[wallet], self.actors[wallet] = 0, actor
        return wallet

    @rule(wallet=people, amount=AMOUNTS)
    def grant(self, wallet: UUID, amount: int) -> None:
        """An admin grants credits."""
        data = GrantCreate(amount=amount)
        made = self.do(self.in_a_transaction(service.grant, self.admin, wallet, data))
        if wallet in self.frozen:
            assert made.code == "wallet_frozen"
        else:
            self.balances[wallet] += amount

    def _paying(self, source: UUID, target: UUID, amount: int) -> Awaitable[Any]:
        data = TransferCreate(
            from_wallet_id=source, to_wallet_id=target, amount=amount, currency="EUR"
        )
        return self.in_a_transaction(service.transfer, self.actors[source], data)

    @rule(target=transfers, source=people, to=people, amount=AMOUNTS)
    def pay(self, source: UUID, to: UUID, amount: int) -> Any:
        """Someone pays someone, or tries to."""
        made = self.do(self._paying(source, to, amount))
        if source == to:
            assert made.code == "same_wallet"
        elif {source, to} & self.frozen:
            assert made.code == "wallet_frozen"
        elif self.balances[source] < amount:
            assert made.more == {"shortfall": amount - self.balances[source]}
        else:
            self._moved(source, to, amount)
            return made
        return None

    def _moved(self, source: UUID, target: UUID, amount: int) -> None:
        self.balances[source] -= amount
        self.balances[target] += amount

    @rule(source=people, to=st.lists(people, min_size=2, max_size=4), amount=AMOUNTS)
    def pay_several_at_once(self, source: UUID, to: Iterable[UUID], amount: int) -> None:
        """As many get through as there is money for, whoever they are."""

        async def together() -> list[Any]:
            paying = [self._paying(source, each, amount) for each in to if each != source]
            paying += [self._paying(each, source, 1) for each in to if each != source]
            return list(await asyncio.gather(*paying))

        had, answers = dict(self.balances), self.do(together())
        for made in answers:
            if not isinstance(made, DomainError):
                self._moved(made.from_wallet_id, made.to_wallet_id, made.amount)
        paid = sum(m.amount for m in answers if getattr(m, "from_wallet_id", None) == source)
        others = [each for each in to if each != source]
        asked = [(source, amount)] * len(others) + [(each, 1) for each in others]
        for (payer, price), made in zip(asked, answers, strict=True):
            if isinstance(made, InsufficientFunds):  # whatever the order was, it held no more
                assert price > had[payer] - (paid if payer == source else 1)
            elif isinstance(made, DomainError):
                assert made.code == "wallet_frozen"

    @rule(wallet=people, frozen=st.booleans())
    def freeze(self, wallet: UUID, frozen: bool) -> None:
        """An admin freezes a wallet, or lets it go on."""
        self.do(self.in_a_transaction(service.freeze, self.admin, wallet, frozen=frozen))
        (self.frozen.add if frozen else self.frozen.discard)(wallet)

    @rule(made=consumes(transfers), times=st.integers(1, 3))
    def reverse(self, made: Any, times: int) -> None:
        """An admin takes a transfer back; several at once do it once."""
        if made is None:
            return

        async def together() -> list[Any]:
            verb = self.in_a_transaction
            verbs = [verb(service.reverse, self.admin, made.id) for _ in range(times)]
            return list(await asyncio.gather(*verbs))

        answers = self.do(together())
        enough = self.balances[made.to_wallet_id] >= made.amount
        done = [each for each in answers if not isinstance(each, Conflict)]
        assert len(done) == (1 if enough else 0)
        if done:
            self._moved(made.to_wallet_id, made.from_wallet_id, made.amount)

    @invariant()
    def the_books_are_right(self) -> None:
        """All of it adds up to nothing, and each wallet holds what the model says."""
        total, *wrong, held = self.do(self._books())
        assert (total, wrong) == (0, [0, 0, 0, 0])
        assert held == self.balances
        type(self).looks += 1

    async def _books(self) -> list[Any]:
        async with self.database.engine.connect() as connection:
            counts = (await connection.execute(BOOKS)).one()
            rows = await connection.execute(text("SELECT id, balance FROM wallets"))
            held = {wallet: balance for wallet, balance in rows if wallet in self.balances}
            return [*counts, held]

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.do(empty(self.database.engine))


def test_whatever_people_do_the_books_are_right(settings: Settings) -> None:
    """The rules of `Ledger` assert, and its invariant after each step of each day."""
    with asyncio.Runner() as runner:

        class Here(Ledger):
            """On this worker's database."""

        Here.runner, Here.settings = runner, settings
        Here.database = Database(settings.database_url.get_secret_value())
        try:
            run_state_machine_as_test(
                Here,
                settings=hypothesis(
                    max_examples=DAYS,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(Here.database.close())
        assert Here.looks > DAYS
