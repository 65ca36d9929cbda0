"""Shapes of wallets and of what moves between them, shared by all doors."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from jobboard.clock import AskedMoment
from jobboard.infra.currencies import currency_code
from jobboard.pagination import DEFAULT_LIMIT, Limit, fingerprint
from jobboard.schema import WHOLE, Input, filled
from jobboard.wallet.models import MAX_MEMO, TransferKind

MAX_AMOUNT = 10**13  # minor units; far above any honest figure, and no sum of them overflows
Amount = Annotated[int, Field(strict=True, gt=0, le=MAX_AMOUNT), WHOLE]
Currency = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, min_length=3, max_length=3),
    AfterValidator(currency_code),
]
Memo = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_MEMO)]
MINOR = "In minor units of the currency: 1500 EUR are 15.00."


class OwnerKind(StrEnum):
    """Whose a wallet is."""

    PERSON = "person"
    COMPANY = "company"
    BOARD = "board"


class Owner(BaseModel):
    """Whose a wallet is. The board has no id."""

    kind: OwnerKind
    id: UUID | None
    name: str


class WalletAddress(BaseModel):
    """Where credits can be sent."""

    id: UUID
    owner: Owner
    currency: str


class WalletRead(WalletAddress):
    """A wallet, for those who spend of it, and admins."""

    balance: int = Field(description=MINOR)
    frozen: bool = Field(description="Whether an admin has stopped what goes in and out.")


class TransferCreate(Input):
    """Credits to pass on."""

    from_wallet_id: UUID = Field(description="One that you may spend of: see GET /wallets.")
    to_wallet_id: UUID = Field(description="Of whom you pay; a company's: /companies/{id}/wallet.")
    amount: Amount = Field(description=MINOR, examples=[1500])
    currency: Currency = Field(examples=["EUR"], description="Of both wallets.")
    memo: Memo = Field("", description="What both sides read about it.")


class GrantCreate(Input):
    """Credits that an admin puts into circulation."""

    amount: Amount = Field(description=MINOR, examples=[10000])
    currency: Currency | None = Field(None, description="The wallet's own, if you name one.")
    memo: Memo = ""


class ReversalCreate(Input):
    """Why a transfer is taken back."""

    memo: Memo = ""


class TransferRead(BaseModel):
    """Credits that moved."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: TransferKind
    from_wallet_id: UUID
    to_wallet_id: UUID
    amount: int = Field(description=MINOR)
    currency: str
    memo: str
    original_id: UUID | None = Field(description="The transfer that this gives back.")
    created_at: datetime


class Direction(StrEnum):
    """Into a wallet, or out of it."""

    IN = "in"
    OUT = "out"


class EntryRead(BaseModel):
    """A line of a wallet's statement. `number` counts a wallet's entries, without gaps."""

    number: int
    at: datetime
    kind: TransferKind
    amount: int = Field(description="Below zero: it left the wallet. " + MINOR)
    balance: int = Field(description="After it. " + MINOR)
    currency: str
    transfer_id: UUID
    other: Owner = Field(description="Where it came from or went to.")
    by: str | None = Field(description="Who spent it, where it left the wallet.")
    given_back: bool = Field(description="Whether a refund or a reversal gave it back since.")
    memo: str


class EntrySearch(Input):
    """Which entries. Empty parameters count as absent, unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    kind: TransferKind | None = Field(None, description="Only what moved for this reason.")
    direction: Direction | None = Field(None, description="Only what came in, or went out.")
    since: AskedMoment | None = Field(None, alias="from", description="Not before this moment.")
    until: AskedMoment | None = Field(None, alias="to", description="Before this moment.")
    cursor: str | None = Field(
        None, max_length=500, description="`next_cursor` of the page before."
    )
    limit: Limit = DEFAULT_LIMIT

    @model_validator(mode="before")
    @classmethod
    def _as_forms_send_it(cls, data: Any) -> Any:
        return filled(data)

    def fingerprint(self) -> str:
        """Twelve characters that a cursor carries: it leads on in this list only."""
        return fingerprint(self.model_dump_json(exclude={"cursor", "limit"}))
