"""Applications as YAML: what is exported can be imported, and what YAML can do beside JSON is refused."""

import pytest
import yaml

from plugins.module_utils.request_file import read_request
from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api, ApiClient
from tests.webapp.requests import SHOP, WEB, end_jobs, job_of
from webapp.applications.transfer import MAX_DEPTH, SIZE_LIMIT
from webapp.openapi import Portal

PATH = "/projects/shop/applications"


@pytest.fixture
def ada(api: Api, app: Portal, cluster: StatedCluster) -> ApiClient:
    """The owner of a project with an application `web`, both ready."""
    client = api("ada")
    assert client.send("POST", "/projects", SHOP).status_code == 202
    cluster.quotas["shop"] = quota_use()
    more = {"env": [{"name": "TEXT", "value": "one\ntwo: {three}\n"}], "volume": {"size": "1Gi"}}
    assert client.send("POST", PATH, {**WEB, **more}).status_code == 202
    end_jobs(app)
    return client


def test_an_export_is_a_request_file_without_secrets(ada: ApiClient, tmp_path) -> None:  # type: ignore[no-untyped-def]
    answer = ada.send("GET", f"{PATH}/web/export")
    assert answer.content_type == "application/yaml"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="web.yml"'
    assert answer.headers["ETag"] == '"1"'
    assert "hunter2" not in answer.text
    (tmp_path / "web.yml").write_text(answer.text)
    spec = read_request(str(tmp_path / "web.yml"), "application")
    assert (spec["project"], spec["name"]) == ("shop", "web")
    assert spec["env"] == [{"name": "TEXT", "value": "one\ntwo: {three}\n"}]
    assert spec["secrets"] == [{"name": "PASSWORD", "value": None}]


def test_what_was_exported_can_be_imported_with_its_secrets(ada: ApiClient, app: Portal) -> None:
    text = ada.send("GET", f"{PATH}/web/export").text
    refused = ada.send("POST", f"{PATH}/import", {"yaml": text, "name": "other"})
    assert "The secret 'PASSWORD' has no value yet" in refused.json["detail"]
    content = yaml.safe_load(text)
    content["application"]["secrets"][0]["value"] = "another-one"
    answer = ada.send("POST", f"{PATH}/import", {"yaml": yaml.dump(content), "name": "other"})
    assert answer.status_code == 202, answer.text
    request = job_of(app, answer)["request"]["application"]
    assert (request["project"], request["name"], request["volume"]["size"]) == ("shop", "other", "1Gi")
    assert request["restartedAt"] is None
    assert ada.send("POST", f"{PATH}/import", {"yaml": yaml.dump(content)}).status_code == 409


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has to hold one entry 'application'"),
        ("application: 3", "has to hold one entry 'application'"),
        ("{application: {}, project: {}}", "has to hold one entry 'application'"),
        ("application: [", "This is no valid YAML in line 1."),
        ("application:\n  name: a\n  name: b", "'name' is given twice in line 3."),
        ("application: {name: &a x, image: *a}", "Aliases (*name) are not taken in line 1."),
        ("application: {1: x}", "Names have to be texts in line 1."),
        ("application: !!python/object/apply:os.system [id]", "This is no valid YAML"),
        ("application: {name: web2, image: '{{ 7 }}', ports: [{targetPort: 80}]}", "image: template marks"),
        ("application: {name: web2, ports: [{targetPort: 0}]}", "ports.0.targetPort"),
        ("application: " + "[" * (MAX_DEPTH + 5), "nested too deeply"),
    ],
)
def test_bad_yaml_is_told_at_its_field(ada: ApiClient, text: str, sentence: str) -> None:
    answer = ada.send("POST", f"{PATH}/import", {"yaml": text})
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/validation-failed"), answer.text
    assert answer.json["errors"][0]["field"] == "yaml"
    assert sentence.lower() in answer.json["detail"].lower()


def test_a_text_that_is_too_long_is_refused(ada: ApiClient) -> None:
    answer = ada.send("POST", f"{PATH}/import", {"yaml": "#" * (SIZE_LIMIT + 1)})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "yaml")
