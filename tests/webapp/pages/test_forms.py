"""Forms: names become the API's shape, errors stand at fields, rows come and go."""

import pytest
from werkzeug.exceptions import BadRequest

from webapp.applications.forms import ApplicationForm
from webapp.applications.schemas import NewApplication
from webapp.pages.forms import nest
from webapp.problems import Problem
from webapp.projects.forms import DeleteForm, ProjectForm
from webapp.projects.schemas import ProjectSpec

GOOD = {
    "name": "web",
    "image": "web:1",
    "replicas": "2",
    "ports.0.name": "http",
    "ports.0.targetPort": "8080",
}


def application(**fields: str) -> ApplicationForm:
    """Return a good application's form with some fields changed (`__` for a dot)."""
    changed = {name.replace("__", "."): value for name, value in fields.items()}
    return ApplicationForm.posted({**GOOD, **changed}.items())


def errors_of(form: ApplicationForm) -> dict[str, str]:
    """Return the errors after validation."""
    form.check(NewApplication, form.body())
    return form.errors


def test_dotted_names_become_nested_values() -> None:
    fields = [("a.b", "1"), ("rows.10.x", "last"), ("rows.2.x", "first"), ("c", "")]
    assert nest(fields) == {"a": {"b": "1"}, "rows": [{"x": "first"}, {"x": "last"}], "c": ""}


@pytest.mark.parametrize(
    "fields",
    [
        [("a", "1"), ("a.b", "2")],
        [("a.b", "1"), ("a", "2")],
        [("a..b", "1")],
        [("", "1")],
        [("0.a", "1")],
        [("a.b.c.d.e", "1")],
        [("a[b]", "1")],
    ],
)
def test_names_that_no_form_sends_are_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest):
        nest(fields)


@pytest.mark.parametrize("fields", [{"ports": "x"}, {"ports.x.name": "y"}])
def test_a_list_that_is_none_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        ApplicationForm.posted(fields.items())


def test_a_good_form_becomes_the_model() -> None:
    spec = application(command="/web\r\n\r\n --verbose \r\n", healthPath="/healthz", host="", runAsUser=" ")
    found = spec.check(NewApplication, spec.body())
    assert spec.errors == {}
    assert found is not None
    assert (found.command, found.health_path, found.host) == (["/web", "--verbose"], "/healthz", None)
    assert (found.replicas, found.ports[0].target_port, found.ports[0].port) == (2, 8080, None)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "Web", "'Web' is not a DNS label: use lower-case letters"),
        ("name", "", "Fill in this field."),
        ("image", "two words", "'two words' is not the name of an image"),
        ("replicas", "many", "Write a whole number."),
        ("replicas", "101", "The largest value is 100."),
        ("ports.0.targetPort", "0", "The smallest value is 1."),
        ("ports.0.targetPort", "65536", "The largest value is 65535."),
        ("ports.0.targetPort", "", "Write a whole number."),
        ("ports.0.port", "99999", "The largest value is 65535."),
        ("env.0.name", "1X", "Use letters, digits and '_'"),
        ("secrets.0.name", "A-B", "Use letters, digits and '_'"),
        ("host", "not a host", "'not a host' is not a host name"),
        ("healthPath", "healthz", "Write a path that starts with '/'"),
        ("runAsUser", "root", "Write a whole number."),
        ("metrics.port", "admin", "'admin' is none of the TCP ports; choose from"),
        ("resources.limits.cpu", "fast", "'fast' is not a quantity"),
        ("env.0.value", "{{ lookup('pipe', 'id') }}", "Template marks such as"),
        ("image", "{{ x }}", "Template marks such as"),
        ("command", "/web\n{{ x }}", "Template marks such as"),
    ],
)
def test_an_error_stands_at_its_field(field: str, value: str, sentence: str) -> None:
    more = {"env.0.value": "x"} if field == "env.0.name" else {"env.0.name": "X"} if "env" in field else {}
    form = ApplicationForm.posted({**GOOD, **more, field: value}.items())
    found = errors_of(form)
    assert list(found) == [field]
    assert found[field].startswith(sentence)
    assert form.value(field) == value


def test_an_error_in_a_list_of_lines_stands_at_the_text_area() -> None:
    form = application(command="x" * 10)
    form.add_error("command.3", "Too odd.")
    assert form.error("command") == "Too odd."


def test_an_error_of_several_fields_stands_at_their_section() -> None:
    form = application(resources__requests__cpu="2", resources__limits__cpu="1")
    assert errors_of(form) == {"resources": "The cpu request 2 is above the limit 1."}
    assert form.touched("resources")
    assert not form.touched("env")


def test_an_unknown_field_is_named() -> None:
    assert errors_of(application(surprise="x")) == {"": "This form has no field 'surprise'."}


def test_blank_rows_are_dropped_and_errors_follow_the_rows_that_stay() -> None:
    form = application(env__0__name="", env__0__value="", env__1__name="9", env__1__value="x")
    assert list(errors_of(form)) == ["env.0.name"]
    assert form.value("env.0.name") == "9"


def test_a_form_without_ports_says_so() -> None:
    form = ApplicationForm.posted({"name": "web", "image": "web:1", "replicas": "1"}.items())
    assert errors_of(form) == {"ports": "Give at least 1."}


def test_rows_are_added_and_removed() -> None:
    form = application()
    assert form.change_rows("add:env")
    assert form.rows("env") == [{"name": "", "value": ""}]
    assert form.change_rows("add:ports")
    assert form.change_rows("remove:ports.0")
    assert form.rows("ports") == [{"name": "", "targetPort": "", "port": "", "protocol": "TCP"}]
    assert form.change_rows("remove:ports.7")
    assert len(form.rows("ports")) == 1
    for action in ("save", "", "add:surprise", "remove:ports.-1"):
        assert not form.change_rows(action)


def test_switched_off_parts_are_left_out() -> None:
    form = application(volume__size="1Gi", volume__mountPath="/data", autoscaling__minReplicas="oops")
    assert errors_of(form) == {}
    form = application(volume__enabled="yes", volume__size="1Gi", volume__mountPath="data")
    assert list(errors_of(form)) == ["volume.mountPath"]


def test_a_stored_secret_is_shown_by_name_alone() -> None:
    spec = {"image": "web:1", "ports": [], "secrets": [{"name": "KEY", "value": "hidden"}]}
    form = ApplicationForm.stored(spec)
    assert form.rows("secrets") == [{"name": "KEY", "value": ""}]
    assert form.body()["secrets"] == [{"name": "KEY"}]


def test_a_size_stands_for_its_limits() -> None:
    form = ProjectForm.posted({"name": "shop", "size": "small", "quota.cpu": "64"}.items())
    spec = form.check(ProjectSpec, form.body())
    assert spec is not None
    assert (spec.quota.cpu, spec.quota.memory, spec.quota.pods) == ("1", "1Gi", 10)
    assert ProjectForm.stored(spec.model_dump(mode="json")).value("size") == "small"


def test_own_limits_are_taken_as_entered() -> None:
    fields = {
        "name": "shop",
        "size": "own",
        "quota.cpu": "3",
        "quota.memory": "",
        "quota.storage": "1Gi",
        "quota.pods": "5",
    }
    form = ProjectForm.posted(fields.items())
    assert form.check(ProjectSpec, form.body()) is None
    assert form.errors == {"quota.memory": "Fill in this field."}
    assert ProjectForm.stored({"quota": {"cpu": "3"}}).value("size") == "own"


def test_an_unknown_size_is_refused() -> None:
    form = ProjectForm.posted({"name": "shop", "size": "huge"}.items())
    form.body()
    assert form.error("size") == "Choose one of the sizes."


def test_networks_are_one_per_line() -> None:
    form = ProjectForm.posted(
        {"name": "shop", "size": "small", "egressCidrs": "203.0.113.0/24\n10.0.0.0/99"}.items()
    )
    assert form.check(ProjectSpec, form.body()) is None
    assert form.error("egressCidrs").startswith("'10.0.0.0/99' is not a network")


def test_a_deletion_needs_the_very_name() -> None:
    for typed, sentence in (
        ("", "Type 'shop' to confirm."),
        ("Shop", "This is not the name: type 'shop' to confirm."),
    ):
        form = DeleteForm({"confirm": typed})
        assert not form.confirms("shop")
        assert form.error("confirm") == sentence
    assert DeleteForm({"confirm": " shop "}).confirms("shop")


def test_what_a_form_cannot_cure_goes_on() -> None:
    with pytest.raises(Problem, match="no project"):
        application().add_problem(Problem("project-not-found", "There is no project 'x'."))
    form = application()
    form.add_problem(Problem("cluster-unreachable", "Nothing was changed."))
    assert form.errors == {"": "Nothing was changed."}


def test_template_marks_do_not_hide_what_else_is_wrong() -> None:
    form = ApplicationForm(
        {"name": "Web", "image": "{{ 7 }}", "ports": [{"name": "{% x %}", "targetPort": "0"}]}
    )
    assert form.check(NewApplication, form.body()) is None
    refused = "Template marks such as {{ … }} are not allowed; write the value itself."
    assert form.error("image") == form.error("ports.0.name") == refused
    assert form.error("name").startswith("'Web' is not a DNS label")
    assert form.error("ports.0.targetPort") == "The smallest value is 1."
