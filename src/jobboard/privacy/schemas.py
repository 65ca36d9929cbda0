"""Shapes of erasing."""

from pydantic import Field

from jobboard.accounts.schemas import Password
from jobboard.schema import Input


class Erasure(Input):
    """Proof that it is really the person: nobody erases an account from a log-in left open."""

    current_password: Password = Field(examples=["a long and quiet sentence"])
