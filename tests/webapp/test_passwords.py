"""Password hashes."""

import pytest

from webapp.auth import passwords


def test_a_hash_fits_its_password_alone() -> None:
    stored = passwords.hash_password("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify_password("correct horse battery", stored)
    assert not passwords.verify_password("correct horse batterz", stored)
    assert stored != passwords.hash_password("correct horse battery")


def test_nobody_takes_as_much_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name must cost a real verification, or the time of the answer tells that it is unknown."""
    assert not passwords.verify_password("anything", None)
    assert passwords._NOBODY.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    # Raised when nothing was computed because the hash cannot be read.
    with pytest.raises(passwords.VerificationError, match="does not match"):
        passwords._hasher.verify(passwords._NOBODY, "anything")


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$broken"])
def test_what_is_no_hash_fits_nothing(stored: str) -> None:
    assert not passwords.verify_password("plain", stored)
