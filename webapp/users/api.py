"""/api/v1/users"""

from flask import Response
from pydantic import Field

from webapp.auth.sessions import current_user, require_session
from webapp.links import API, ListQuery, PageLinks, page_addresses
from webapp.openapi import answers, api_blueprint, reply
from webapp.schemas import Model
from webapp.users import schemas, services

api = api_blueprint("users_api", __name__, "/users", "users", "Users, for administrators")

_ONE = ("role-too-low", "user-not-found")
_MANAGING = "Managing users"


class UserPath(Model):
    """Which user."""

    user: str = Field(description="Name of the user", examples=["grace"])


class UserQuery(ListQuery):
    """Which users, and which page of them."""

    search: str = Field("", max_length=100, description="Part of a name or e-mail address", examples=["gra"])


@api.get(
    "",
    operation_id="listUsers",
    responses=answers({200: schemas.UserList}, "role-too-low", "validation-failed"),
)
def list_users(query: UserQuery) -> Response:
    """List users by name"""
    found = services.list_for(current_user, search=query.search, limit=query.limit, cursor=query.cursor)
    here, following = page_addresses(f"{API}/users", query, found.next_cursor)
    items = [schemas.user_body(user) for user in found.users]
    return reply(schemas.UserList(items=items, links=PageLinks(self_=here, next=following)))


@api.post(
    "",
    operation_id="createUser",
    responses=answers(
        {201: schemas.UserWithPassword}, "role-too-low", "scope-too-low", "name-taken", body=True
    ),
)
def create_user(body: schemas.NewUser) -> Response:
    """Make a user; a generated password is in the answer, this once"""
    require_session(_MANAGING)
    user, generated = services.create(
        current_user, body.name, email=body.email, password=body.password, is_admin=body.is_admin
    )
    return reply(schemas.user_with_password(user, generated), 201, schemas.user_path(user.name))


@api.get("/<user>", operation_id="getUser", responses=answers({200: schemas.UserBody}, *_ONE))
def get_user(path: UserPath) -> Response:
    """Show a user"""
    return reply(schemas.user_body(services.get_for(current_user, path.user)))


@api.patch(
    "/<user>",
    operation_id="changeUser",
    responses=answers({200: schemas.UserBody}, *_ONE, "scope-too-low", "state-conflict", body=True),
)
def change_user(path: UserPath, body: schemas.UserChanges) -> Response:
    """Change a user's e-mail address and rights, or deactivate them"""
    require_session(_MANAGING)
    changes = body.model_dump(by_alias=False, exclude_unset=True)
    return reply(schemas.user_body(services.update(current_user, path.user, changes)))


@api.post(
    "/<user>/reset-password",
    operation_id="resetPassword",
    responses=answers({200: schemas.UserWithPassword}, *_ONE, "scope-too-low", body=True),
)
def reset_password(path: UserPath, body: schemas.PasswordReset) -> Response:
    """Give a user a new password, which they must change; all their sessions end"""
    require_session(_MANAGING)
    user, generated = services.reset_password(current_user, path.user, body.password)
    return reply(schemas.user_with_password(user, generated))


@api.delete(
    "/<user>",
    operation_id="deleteUser",
    responses=answers({200: schemas.UserRemoved}, *_ONE, "scope-too-low", "state-conflict"),
)
def delete_user(path: UserPath) -> Response:
    """Delete a user who owns no projects; what they did stays readable"""
    require_session(_MANAGING)
    services.remove(current_user, path.user)
    return reply(schemas.UserRemoved(removed=True, links={"users": f"{API}/users"}))
