"""The client of authlib, which believes the same certificate authorities as the rest of the portal.

Imports authlib, so it is itself imported only where an issuer is set.
"""

from typing import Any

from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask
from requests.adapters import HTTPAdapter

from webapp.config import Config
from webapp.tls import client_context

SCOPE = "openid profile email"
# Seconds to wait for an answer of the provider.
_TIMEOUT = 10


def register(app: Flask, config: Config) -> Any:
    """Return a client for the provider of the settings."""
    adapter = _Adapter(config)

    class Session(OAuth2Session):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            self.mount("https://", adapter)

    class Client(FlaskOAuth2App):
        client_cls = Session

    return OAuth(app).register(
        "croft",
        client_cls=Client,
        client_id=config.oidc_client_id,
        client_secret=config.oidc_client_secret or None,
        server_metadata_url=f"{config.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": SCOPE,
            "code_challenge_method": "S256",
            "timeout": _TIMEOUT,
            **({} if config.oidc_client_secret else {"token_endpoint_auth_method": "none"}),
        },
    )


class _Adapter(HTTPAdapter):
    """Connections that also believe the operator's authorities; those of requests stay."""

    def __init__(self, config: Config) -> None:
        self._context = client_context(config.ca_file)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **more)
