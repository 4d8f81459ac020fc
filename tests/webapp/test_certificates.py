"""Certificates that users bring: what does for a host name, and what is told about them."""

import pytest

from tests.certificates import Authority, certificate_for
from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api, ApiClient
from tests.webapp.requests import SHOP, WEB, end_jobs, job_of
from webapp.applications.certificates import check, describe
from webapp.openapi import Portal

HOST = "shop.example.org"


def faults(certificate: str, key: str, host: str = HOST) -> dict[str, str]:
    """What is wrong, by field."""
    return {error.field: error.message for error in check(certificate, key, host)}


@pytest.mark.parametrize("name", [HOST, "*.example.org", "SHOP.example.org"])
def test_a_certificate_for_the_host_does(name: str) -> None:
    assert faults(*certificate_for(name)) == {}


@pytest.mark.parametrize("name", ["other.example.org", "*.shop.example.org", "*.org", "example.org"])
def test_a_certificate_for_another_host_does_not(name: str) -> None:
    found = faults(*certificate_for(name))
    assert found == {"tls.certificate": f"The certificate is for {name}; the application answers at {HOST}."}


def test_the_key_has_to_fit() -> None:
    certificate, key = certificate_for(HOST)
    _, other = certificate_for(HOST)
    assert faults(certificate, other) == {"tls.key": "The key does not belong to the certificate."}
    assert faults(certificate, "")["tls.key"].startswith("Give the private key")
    assert faults(certificate, "nonsense")["tls.key"].startswith("This is no private key in PEM")
    assert "no certificate in PEM" in faults(key, key)["tls.certificate"]
    assert "holds a private key as well" in faults(certificate + key, key)["tls.certificate"]
    broken = certificate.replace("\n", "\nAAAA", 2)
    assert "cannot be read" in faults(broken, key)["tls.certificate"]


def test_the_dates_have_to_fit() -> None:
    assert "has expired on" in faults(*certificate_for(HOST, days=-1))["tls.certificate"]
    assert "not yet today" in faults(*Authority().sign(HOST, days=30, since=10))["tls.certificate"]


def test_the_chain_has_to_be_in_order() -> None:
    authority, other = Authority(), Authority("Other")
    certificate, key = authority.sign(HOST)
    assert faults(certificate + authority.pem, key) == {}
    wrong = faults(certificate + other.pem, key)["tls.certificate"]
    assert wrong.startswith("Certificate 1 of the chain was not signed by the one after it")
    assert "tls.certificate" in faults(authority.pem + certificate, key)


def test_what_is_told_of_a_certificate() -> None:
    found = describe(certificate_for(HOST, "www.example.org", days=29.5)[0])
    assert found is not None
    assert (found.subject, found.names) == (HOST, (HOST, "www.example.org"))
    assert found.issuer == "Test authority"
    assert found.warning == "The certificate expires in 29 days; replace it before."
    later = describe(certificate_for(HOST, days=60)[0])
    assert later is not None
    assert later.warning == ""
    assert describe("nonsense") is None


@pytest.fixture
def ada(api: Api, app: Portal, cluster: StatedCluster) -> ApiClient:
    """The owner of a project that is ready."""
    client = api("ada")
    assert client.send("POST", "/projects", SHOP).status_code == 202
    cluster.quotas["shop"] = quota_use()
    end_jobs(app)
    return client


def test_the_key_is_stored_and_never_sent_back(ada: ApiClient, app: Portal) -> None:
    certificate, key = certificate_for(HOST)
    path = "/projects/shop/applications"
    body = {**WEB, "host": HOST, "tls": {"certificate": certificate, "key": key}}
    answer = ada.send("POST", path, body)
    assert answer.status_code == 202, answer.text
    assert answer.json["application"]["url"] == f"https://{HOST}:8443"
    assert job_of(app, answer)["request"]["application"]["tls"]["key"] == key
    shown = ada.send("GET", f"{path}/web")
    assert shown.json["spec"]["tls"]["names"] == [HOST]
    assert shown.json["spec"]["tls"]["expiresAt"]
    secret = key.splitlines()[1]
    for place in ("", "/revisions", "/revisions/1", "/export"):
        assert secret not in ada.send("GET", f"{path}/web{place}").text

    kept = ada.send("PATCH", f"{path}/web", {"tls": {"certificate": certificate}})
    assert job_of(app, kept)["request"]["application"]["tls"]["key"] == key
    renewed, _ = certificate_for(HOST)
    refused = ada.send("PATCH", f"{path}/web", {"tls": {"certificate": renewed}})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "tls.key")
    refused = ada.send("PATCH", f"{path}/web", {"host": "other.example.org"})
    assert refused.json["errors"][0]["field"] == "tls.certificate"
    plain = ada.send("PATCH", f"{path}/web", {"tls": None})
    assert plain.json["application"]["url"] == f"http://{HOST}:8080"


def test_the_issuer_is_there_only_when_the_operator_set_one(ada: ApiClient) -> None:
    path = "/projects/shop/applications"
    refused = ada.send("POST", path, {**WEB, "host": HOST, "tls": {"issuer": True}})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "tls.issuer")
    assert "gets no certificates by itself" in refused.json["detail"]
    for wrong in ({}, {"issuer": True, "key": "x"}, {"key": "x"}):
        assert ada.send("POST", path, {**WEB, "tls": wrong}).json["errors"][0]["field"] == "tls"
