"""Which certificates the portal believes when it speaks to others."""

import ssl
from pathlib import Path

# X509_V_ERR_… of https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/: self-signed, alone or at the
# end of the chain; no issuer in the store; no issuer of the first certificate.
_UNKNOWN_AUTHORITY = (18, 19, 20, 21)


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks certificate and host name.

    It believes the system's authorities and, beside them, those of the operator's `ca_file` (PEM). Raises
    OSError when the file cannot be read, and ssl.SSLError, which is one, when it holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def refusal(error: ssl.SSLError, who: str) -> str:
    """Say why no connection with TLS came about; `who`: the other side, like "the mail server"."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        reason = (error.reason or "no reason given").lower().replace("_", " ")
        return f"There is no TLS with {who} ({reason}); check its port and how its connections are protected"
    said = (error.verify_message or "it cannot be checked").rstrip(".")
    if error.verify_code in _UNKNOWN_AUTHORITY:
        said = f"no authority known here signed it ({said}); the operator can add one with portal_ca_file"
    return f"The certificate of {who} is refused: {said}"
