"""Certificates made for a test, with their keys."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates; its own is `pem`."""

    def __init__(self, name: str = "Test authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = _build(self.name, self.name, self.key.public_key(), 365, -1)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pem = built.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def sign(self, *hosts: str, days: float = 90, since: float = -1) -> tuple[str, str]:
        """Return a certificate for these host names and its key, both in PEM.

        It expires in so many `days`, and is valid `since` so many days from now.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        built = _build(subject, self.name, key.public_key(), days, since)
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        certificate = built.add_extension(names, critical=False).sign(self.key, hashes.SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return certificate.public_bytes(Encoding.PEM).decode(), private.strip()


def _build(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: float, since: float
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=min(since, days - 1)))
        .not_valid_after(now + timedelta(days=days))
    )


def certificate_for(*hosts: str, days: float = 90) -> tuple[str, str]:
    """Return a certificate for these host names and its key, both in PEM."""
    return Authority().sign(*hosts, days=days)
