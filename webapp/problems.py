"""Every problem that the portal can tell of: a stable type, an HTTP status, and what it means (RFC 9457).

Services raise `Problem`; the API answers it as application/problem+json, pages show it at the form's field.
The list is served at /problems and goes into the OpenAPI document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError


@dataclass(frozen=True)
class ProblemType:
    """One kind of problem. `slug` ends its type URI, /problems/<slug>, and never changes."""

    slug: str
    status: int
    title: str
    remedy: str

    @property
    def uri(self) -> str:
        """The type as it stands in answers."""
        return f"/problems/{self.slug}"


_TYPES = (
    ProblemType("bad-request", 400, "The request cannot be understood", "Correct what the detail names."),
    ProblemType("host-not-allowed", 400, "Unknown host name", "Use the address that the operator gave you."),
    ProblemType("malformed-json", 400, "The body is not a JSON object", "Send one JSON object in UTF-8."),
    ProblemType(
        "cross-site-request", 403, "The request came from another site", "Send it from the portal's pages."
    ),
    ProblemType(
        "csrf-failed", 403, "The form is too old or not ours", "Load the page again and submit once more."
    ),
    ProblemType("not-authenticated", 401, "Not signed in", "Get a token from POST /api/v1/auth/token."),
    ProblemType(
        "token-expired", 401, "The token has expired", "Get a new one from POST /api/v1/auth/refresh."
    ),
    ProblemType("token-invalid", 401, "The token is not valid", "Sign in again."),
    ProblemType(
        "token-reused", 401, "A spent refresh token was used again", "Sign in again: the session was ended."
    ),
    ProblemType("sign-in-failed", 401, "Wrong name or password", "Check both and try again."),
    ProblemType(
        "too-many-attempts", 429, "Too many failed attempts to sign in", "Wait as long as Retry-After says."
    ),
    ProblemType(
        "password-change-required",
        403,
        "The password has to be changed first",
        "Choose a new one with POST /api/v1/me/password, or on the page /account/password.",
    ),
    ProblemType(
        "scope-too-low", 403, "The API token does not allow this", "Use a token of scope write, or sign in."
    ),
    ProblemType(
        "registration-closed", 403, "Nobody can register here", "Ask an administrator for an account."
    ),
    ProblemType("role-too-low", 403, "Your role does not allow this", "Ask an owner of the project."),
    ProblemType(
        "not-found", 404, "There is nothing at this address", "See /api/v1/openapi.json for what there is."
    ),
    ProblemType(
        "project-not-found", 404, "No such project", "See GET /api/v1/projects for those you are in."
    ),
    ProblemType("application-not-found", 404, "No such application", "See the project's applications."),
    ProblemType("revision-not-found", 404, "No such revision", "See the application's revisions."),
    ProblemType("plan-not-found", 404, "No such plan", "Make a new plan; one lasts for an hour."),
    ProblemType("member-not-found", 404, "No such member", "See the project's members."),
    ProblemType("user-not-found", 404, "No such user", "See GET /api/v1/users."),
    ProblemType("session-not-found", 404, "No such session", "See GET /api/v1/me/sessions."),
    ProblemType("token-not-found", 404, "No such API token", "See GET /api/v1/me/tokens."),
    ProblemType("quota-request-not-found", 404, "No such quota request", "See GET /api/v1/quota-requests."),
    ProblemType("catalog-entry-not-found", 404, "No such entry in the catalog", "See GET /api/v1/catalog."),
    ProblemType(
        "pod-not-found", 404, "No such pod or container", "See GET …/pods for those that are there now."
    ),
    ProblemType("channel-not-found", 404, "No such notification channel", "See the project's channels."),
    ProblemType("dashboard-not-found", 404, "No such dashboard", "See GET …/monitoring/dashboards."),
    ProblemType("panel-not-found", 404, "No such panel", "See the dashboard's panels."),
    ProblemType("job-not-found", 404, "No such job", "See GET /api/v1/jobs for those you may see."),
    ProblemType(
        "method-not-allowed", 405, "The address does not take this method", "Use one that Allow names."
    ),
    ProblemType("name-taken", 409, "The name is taken", "Choose another name."),
    ProblemType("host-taken", 409, "The host name is taken", "Choose another host name, or leave it out."),
    ProblemType(
        "state-conflict", 409, "Not possible in the present state", "Do what the detail says, then try again."
    ),
    ProblemType(
        "version-conflict",
        412,
        "It was changed meanwhile",
        "Get it again, and send your change with its new ETag in If-Match.",
    ),
    ProblemType(
        "idempotency-in-progress",
        409,
        "The first request with this key is still running",
        "Send the same again in a moment.",
    ),
    ProblemType("body-too-large", 413, "The body is too large", "Send at most 1 MB."),
    ProblemType("not-json", 415, "The body is not JSON", "Send Content-Type: application/json."),
    ProblemType(
        "validation-failed", 422, "Some fields are not valid", "Correct the fields listed in errors."
    ),
    ProblemType(
        "idempotency-key-reused",
        422,
        "The key was used for another request",
        "Take a new key for each request.",
    ),
    ProblemType("quota-exceeds-nodes", 422, "The nodes cannot hold this", "Ask for less, or add nodes."),
    ProblemType(
        "quota-exceeded", 422, "The project's quota does not suffice", "Ask for less, or raise the quota."
    ),
    ProblemType(
        "query-refused", 422, "Prometheus does not take this query", "Correct what the detail names."
    ),
    ProblemType(
        "too-many-samples", 422, "The query reads too much", "Ask for a shorter time or for fewer series."
    ),
    ProblemType(
        "answer-too-large", 422, "The answer is too large", "Ask for a longer step or for fewer series."
    ),
    ProblemType("too-many-queries", 429, "Too many queries are running", "Wait as long as Retry-After says."),
    ProblemType(
        "internal-error", 500, "Something went wrong in the portal", "Tell the operator the error's id."
    ),
    ProblemType(
        "too-many-streams", 503, "Too many live connections are open", "Wait as long as Retry-After says."
    ),
    ProblemType(
        "monitoring-not-installed", 503, "Monitoring is not installed", "Ask the operator to install it."
    ),
    ProblemType("monitoring-unreachable", 503, "Monitoring does not answer", "Try again; see `make status`."),
    ProblemType("query-timeout", 503, "The query took too long", "Ask for a shorter time."),
    ProblemType("cluster-unreachable", 503, "The cluster does not answer", "Try again; see `make status`."),
)
PROBLEM_TYPES = {kind.slug: kind for kind in _TYPES}


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `field` is its path as the user wrote it, like ports.0.targetPort."""

    field: str
    message: str


class Problem(Exception):
    """What went wrong, in words for the user.

    `slug` is one of PROBLEM_TYPES, `detail` a sentence that names the thing and what to do. `field` is the
    path of the one field at fault, or `errors` lists several. `headers` go into the HTTP answer, `extra` into
    the JSON.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        field: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = PROBLEM_TYPES[slug]
        self.detail = detail
        self.errors = [FieldError(field, detail)] if field is not None else list(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return self.type.status

    def to_json(self) -> dict[str, Any]:
        """Return the body of the problem+json answer."""
        return {
            "type": self.type.uri,
            "title": self.type.title,
            "status": self.status,
            "detail": self.detail,
            "errors": [{"field": error.field, "message": error.message} for error in self.errors],
            **self.extra,
        }


def field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    """Return Pydantic's errors as fields (camelCase paths, below `prefix` if given) and sentences."""
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        path = [str(part) for part in item["loc"]]
        message = item["msg"].removeprefix("Value error, ")
        found.append(
            FieldError(".".join([*([prefix] if prefix else []), *path]), message[:1].upper() + message[1:])
        )
    return found


def invalid(error: ValidationError, prefix: str = "") -> Problem:
    """Return the problem for input that Pydantic refused."""
    errors = field_errors(error, prefix)
    named = "; ".join(f"{item.field}: {item.message}" if item.field else item.message for item in errors[:5])
    more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
    return Problem("validation-failed", named + more, errors=errors)
