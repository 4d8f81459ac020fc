"""Certificates that users bring along: whether they do for a host name, and what is in them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from webapp.problems import FieldError

WARN_BEFORE = timedelta(days=30)
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_MAX_CHAIN = 10


@dataclass(frozen=True)
class Described:
    """What a page shows of a certificate. `warning` is a sentence when it expires soon, or has."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    expires_at: datetime
    warning: str


def check(certificate: str, key: str, host: str) -> list[FieldError]:
    """Return what keeps this PEM chain and key from answering for `host`: sentences at fields of `tls`."""
    chain, problem = _read(certificate)
    if problem:
        return [FieldError("tls.certificate", problem)]
    own = chain[0]
    errors = [FieldError("tls.certificate", problem) for problem in _faults(chain, host)]
    if not key.strip():
        errors.append(FieldError("tls.key", "Give the private key that belongs to the certificate."))
        return errors
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except TypeError:
        errors.append(FieldError("tls.key", "The key is locked with a passphrase; give it without one."))
    except (ValueError, UnicodeEncodeError):
        errors.append(FieldError("tls.key", "This is no private key in PEM (BEGIN PRIVATE KEY)."))
    else:
        if _public(private.public_key()) != _public(own.public_key()):
            errors.append(FieldError("tls.key", "The key does not belong to the certificate."))
    return errors


def describe(certificate: str) -> Described | None:
    """Return what is in the first certificate of a PEM chain; None when it cannot be read."""
    chain, problem = _read(certificate)
    if problem:
        return None
    own = chain[0]
    expires = own.not_valid_after_utc
    warning = ""
    now = datetime.now(UTC)
    if expires <= now:
        warning = f"The certificate has expired on {expires:%Y-%m-%d}; replace it."
    elif expires - now < WARN_BEFORE:
        days = (expires - now).days
        warning = f"The certificate expires in {days} day{'s' if days != 1 else ''}; replace it before."
    return Described(_name(own.subject), tuple(_hosts(own)), _name(own.issuer), expires, warning)


def _read(text: str) -> tuple[list[x509.Certificate], str]:
    """Return the certificates of a PEM text in order, or why it cannot be read."""
    blocks = _BLOCK.findall(text)
    if not blocks:
        return [], "This is no certificate in PEM (BEGIN CERTIFICATE)."
    if "PRIVATE KEY" in text:
        return [], "This holds a private key as well; put that into the field for the key."
    if len(blocks) > _MAX_CHAIN:
        return [], f"A chain has at most {_MAX_CHAIN} certificates; this one has {len(blocks)}."
    try:
        return [x509.load_pem_x509_certificate(block.encode()) for block in blocks], ""
    except (ValueError, UnicodeEncodeError):
        return [], "The certificate cannot be read; it is damaged, or not in PEM."


def _faults(chain: list[x509.Certificate], host: str) -> list[str]:
    own, now = chain[0], datetime.now(UTC)
    faults = []
    if own.not_valid_after_utc <= now:
        faults.append(f"The certificate has expired on {own.not_valid_after_utc:%Y-%m-%d}.")
    if own.not_valid_before_utc > now:
        faults.append(f"The certificate is valid from {own.not_valid_before_utc:%Y-%m-%d} on, not yet today.")
    names = _hosts(own)
    if not any(_covers(name, host) for name in names):
        listed = ", ".join(names[:5]) or "no host name"
        faults.append(f"The certificate is for {listed}; the application answers at {host}.")
    for place, (lower, upper) in enumerate(pairwise(chain), start=1):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            faults.append(
                f"Certificate {place} of the chain was not signed by the one after it; put the "
                "application's own first, then each one's signer."
            )
            break
    return faults


def _hosts(certificate: x509.Certificate) -> list[str]:
    """Return the host names that the certificate is for. Browsers look at nothing but these."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return found.value.get_values_for_type(x509.DNSName)


def _covers(name: str, host: str) -> bool:
    """Whether a name of a certificate stands for `host`; `*` is one whole label (RFC 6125, 6.4.3)."""
    name, host = name.lower(), host.lower()
    if name.startswith("*."):
        return "." in host and host.split(".", 1)[1] == name[2:]
    return name == host


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _public(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
