"""The OpenAPI document of /api/v1, and what all its endpoints share."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, request
from flask_openapi import APIBlueprint, Info, OpenAPI, Tag
from flask_openapi.models import License, Server
from flask_openapi.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from webapp import errors
from webapp.auth.sessions import require_bearer
from webapp.idempotency import keys
from webapp.openapi_links import add_links
from webapp.problems import PROBLEM_TYPES, ProblemType, invalid
from webapp.schemas import Model, sample

PREFIX = "/api/v1"
_EVERYWHERE = ("bad-request", "host-not-allowed", "internal-error")
_WITH_BODY = ("malformed-json", "body-too-large", "not-json", "validation-failed")
_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": keys.HEADER,
    "in": "header",
    "required": False,
    "description": (
        "A fresh value of your own, like a UUID: sent again with the same request within 24 hours, it brings "
        f"the first answer again (with the header `{keys.REPLAYED}: true`), and nothing is done twice."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": keys.PATTERN},
    "example": "3f0c8a52-6f0e-4a86-9b52-0d3a4a4f2b11",
}
_SIGNED_IN = ("not-authenticated", "token-expired", "token-invalid")

SERVERS: list[Server | dict[str, Any]] = [Server(url="/", description="The portal that serves this document")]
SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The accessToken of POST /api/v1/auth/token; valid for 15 minutes.",
    }
}


class ProblemField(Model):
    """A field at fault."""

    field: str = Field(description="Path of the field as sent", examples=["ports.0.targetPort"])
    message: str = Field(
        description="What is wrong with it", examples=["Input should be less than or equal to 65535"]
    )


class ProblemBody(Model):
    """What went wrong (RFC 9457)."""

    # Some kinds tell more, like retryAfter.
    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="Stable identifier of the kind of problem", examples=["/problems/validation-failed"]
    )
    title: str = Field(description="The kind of problem in words", examples=["Some fields are not valid"])
    status: int = Field(description="HTTP status", examples=[422])
    detail: str = Field(
        description="What went wrong this time, and what to do",
        examples=["ports.0.targetPort: Input should be less than or equal to 65535"],
    )
    errors: list[ProblemField] = Field(description="Fields at fault; empty when it is none of them")
    instance: str = Field(description="Path of the request", examples=["/api/v1/projects/shop/applications"])


class Portal(OpenAPI):
    """The Flask application; its OpenAPI document gets its examples and errors composed."""

    # Only the API's blueprints are documented and validated; on the application itself this is Flask's own.
    get = Flask.get

    def generate_spec_json(self) -> None:
        """Build the document, then drop what flask-openapi adds to every operation on its own."""
        super().generate_spec_json()
        for path in self.spec_json["paths"].values():
            for method, operation in path.items():
                answers = operation["responses"]
                if "application/json" in answers.get("422", {}).get("content", {}):
                    del answers["422"]
                if any(item["in"] != "path" for item in operation.get("parameters", ())):
                    _add_problem(operation, "validation-failed")
                if method == "post" and operation.get("security"):
                    _add_idempotency_key(operation)
                # Said in so many words, where no token is needed.
                operation.setdefault("security", [])
                operation["responses"] = dict(sorted(operation["responses"].items()))
        schemas = self.spec_json["components"]["schemas"]
        for schema in schemas.values():
            # Nested models stand beside each other in components; these copies inside are left-overs.
            schema.pop("$defs", None)
        self.spec_json["paths"] = dict(sorted(self.spec_json["paths"].items()))
        self.spec_json["components"]["schemas"] = dict(sorted(schemas.items()))
        add_links(self.spec_json)


def info() -> Info:
    """Return the head of the document, with the list of problem types."""
    rows = "\n".join(
        f"| `{kind.uri}` | {kind.status} | {kind.title} | {kind.remedy} |" for kind in PROBLEM_TYPES.values()
    )
    return Info(
        title="Croft",
        version="1",
        license=License(name="Apache License 2.0", identifier="Apache-2.0"),
        description=(
            "Projects and applications on a Croft platform.\n\n"
            "A change answers 202 with links: follow `links.job` until its state is succeeded, failed or "
            "cancelled. "
            "Errors are application/problem+json (RFC 9457) with one of these types:\n\n"
            f"| type | status | meaning | what to do |\n|---|---|---|---|\n{rows}"
        ),
    )


def api_blueprint(name: str, import_name: str, path: str, tag: str, description: str) -> APIBlueprint:
    """Return a blueprint below /api/v1 whose endpoints all need a bearer token."""
    blueprint = APIBlueprint(
        name,
        import_name,
        url_prefix=PREFIX + path,
        abp_tags=[Tag(name=tag, description=description)],
        abp_security=[{"bearer": []}],
    )
    blueprint.before_request(require_bearer)
    blueprint.before_request(keys.begin)
    blueprint.after_request(keys.finish)
    return blueprint


def answers(
    success: dict[int, type[BaseModel]], *problems: str, body: bool = False, signed_in: bool = True
) -> ResponseDict:
    """Document an endpoint's answers, for the `responses` argument of a route.

    `success`: model by status; `problems`: slugs of the problems it may answer beside those that its kind
    implies (`body`: it takes JSON; `signed_in`: it needs a token).
    """
    slugs = [*_EVERYWHERE, *(_WITH_BODY if body else ()), *(_SIGNED_IN if signed_in else ()), *problems]
    by_status = defaultdict(list)
    for slug in dict.fromkeys(slugs):
        by_status[PROBLEM_TYPES[slug].status].append(PROBLEM_TYPES[slug])
    documented: ResponseDict = {str(status): model for status, model in success.items()}
    for status, kinds in sorted(by_status.items()):
        documented[str(status)] = _problem_answer(kinds)
    return documented


def _problem_answer(kinds: Sequence[ProblemType]) -> dict[str, Any]:
    """Document the problems of one status."""
    status = kinds[0].status
    example = sample(ProblemBody) if status == 422 else {**sample(ProblemBody), "errors": []}
    return {
        "description": "; ".join(f"{kind.title} (`{kind.uri}`)" for kind in kinds),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemBody"},
                "examples": {
                    kind.slug: {
                        "summary": kind.title,
                        "value": {
                            **example,
                            "type": kind.uri,
                            "title": kind.title,
                            "status": status,
                            "detail": kind.remedy,
                        },
                    }
                    for kind in kinds
                },
            }
        },
    }


def _add_idempotency_key(operation: dict[str, Any]) -> None:
    """Document the header that every POST of a signed-in user takes (webapp.idempotency.keys)."""
    operation["parameters"] = [*operation.get("parameters", []), _IDEMPOTENCY_KEY]
    for slug in ("idempotency-in-progress", "idempotency-key-reused"):
        _add_problem(operation, slug)


def _add_problem(operation: dict[str, Any], slug: str) -> None:
    """Document one more problem of an operation, beside others of its status."""
    kind = PROBLEM_TYPES[slug]
    answer = _problem_answer([kind])
    known = operation["responses"].setdefault(str(kind.status), answer)
    content = known["content"]["application/problem+json"]
    if slug not in content["examples"]:
        known["description"] += f"; {answer['description']}"
        content["examples"] = content["examples"] | answer["content"]["application/problem+json"]["examples"]


def reply(model: BaseModel, status: int = 200, location: str | None = None) -> Response:
    """Return a model as JSON, with a Location header when the answer points somewhere."""
    response = make_response(jsonify(model.model_dump(mode="json", by_alias=True)), status)
    if location is not None:
        response.headers["Location"] = location
    return response


def refuse(error: ValidationError) -> Response:
    """Answer what Pydantic found wrong with a request."""
    return errors.answer(invalid(error))


def init_app(app: OpenAPI) -> None:
    """Serve the document, and the list of problem types that answers refer to."""
    app.openapi_version = "3.1.1"

    @app.route(f"{PREFIX}/openapi.json")
    def openapi_document() -> Response:
        return jsonify(current_app.api_doc)  # type: ignore[attr-defined]

    @app.route("/problems")
    @app.route("/problems/<slug>")
    def problem_types(slug: str = "") -> Response:
        kinds = [kind for kind in PROBLEM_TYPES.values() if slug in ("", kind.slug)]
        if not kinds:
            return make_response(f"No problem of Croft has the type {request.path}.\n", 404, _PLAIN)
        lines = (f"{kind.uri} ({kind.status})\n  {kind.title}. {kind.remedy}\n" for kind in kinds)
        return make_response("\n".join(lines), 200, _PLAIN)


_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
