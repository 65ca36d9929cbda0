"""What hashing a password costs in tests: next to nothing, where it is not what they are about."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from jobboard.accounts import passwords

PRODUCTION = passwords._hasher
CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


STRONGER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=16, parallelism=1),))


@contextmanager
def hashing_by(hasher: PasswordHash) -> Generator[PasswordHash]:
    """New hashes are made by this one. Those that are there say themselves how they were made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", hasher)
        passwords._decoy.cache_clear()
        yield hasher
    passwords._decoy.cache_clear()
