"""Password hashes (argon2id)."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 256

# OWASP's second choice (19 MiB, 2 passes, 1 lane): a small portal must not need 64 MiB for each sign-in.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Bounds the memory that a burst of sign-ins takes.
_slots = BoundedSemaphore(4)
# Verified when the name is unknown, so that the time of the answer does not tell which names exist.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZS1maXhlZC1zYWx0$Jbc9M0gZ2k0gvTzYhTNQd1sGBl8lZ0hEj1vGm4n0iVs"


def hash_password(password: str) -> str:
    """Return the hash to store."""
    with _slots:
        return _hasher.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """Tell whether `password` fits the stored hash; None (no such user) takes as long and is False."""
    with _slots:
        try:
            return _hasher.verify(stored or _NOBODY, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False
