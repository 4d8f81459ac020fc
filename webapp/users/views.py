"""Pages on which administrators manage users."""

from typing import Any, TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.models import User
from webapp.auth.sessions import current_user, login_required
from webapp.problems import Problem
from webapp.users import services
from webapp.users.forms import UserForm
from webapp.users.schemas import NewUser, UserChanges

pages = Blueprint("users", __name__, url_prefix="/admin/users")

Answer: TypeAlias = Response | str | tuple[str, int]
SHOWN = 50


@pages.get("")
@login_required
def index() -> str:
    """Show users by name, with search."""
    search, after = request.args.get("search", "").strip()[:100], request.args.get("after")
    found = services.list_for(current_user, search=search, limit=SHOWN, cursor=after)
    kept: dict[str, Any] = {"search": search} if search else {}
    return render_template(
        "admin/users.html",
        section="users",
        users=found.users,
        search=search,
        first=url_for("users.index", **kept) if after else "",
        next=url_for("users.index", **kept, after=found.next_cursor) if found.next_cursor else "",
    )


@pages.route("/new", methods=["GET", "POST"])
@login_required
def new() -> Answer:
    """Show the form of a new user, or make the user and show the generated password, this once."""
    services.require_admin(current_user)
    if request.method == "GET":
        return render_template("admin/user_new.html", section="users", form=UserForm())
    form = UserForm.posted(request.form.items())
    wanted = form.check(NewUser, form.new_user())
    if wanted:
        try:
            user, generated = services.create(
                current_user,
                wanted.name,
                email=wanted.email,
                password=wanted.password,
                is_admin=wanted.is_admin,
            )
            if generated is None:
                return redirect(url_for("users.show", user=user.name), code=303)
            return _page(user, _stored(user), generated)
        except Problem as problem:
            form.add_problem(problem)
    form.values.pop("password", None)
    return render_template("admin/user_new.html", section="users", form=form), 422


@pages.route("/<user>", methods=["GET", "POST"])
@login_required
def show(user: str) -> Answer:
    """Show a user, or store their e-mail address and rights."""
    found = services.get_for(current_user, user)
    if request.method == "GET":
        return _page(found, _stored(found), notice="It is stored." if request.args.get("done") else "")
    form = UserForm.posted(request.form.items())
    changes = form.check(UserChanges, form.changes())
    if changes:
        try:
            services.update(current_user, user, changes.model_dump(by_alias=False))
            return redirect(url_for("users.show", user=user, done="yes"), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _page(services.get_for(current_user, user), form), 422


@pages.post("/<user>/reset-password")
@login_required
def reset_password(user: str) -> str:
    """Give a user a generated password and show it, this once."""
    found, generated = services.reset_password(current_user, user)
    return _page(found, _stored(found), generated or "")


@pages.route("/<user>/delete", methods=["GET", "POST"])
@login_required
def delete(user: str) -> Answer:
    """Ask for the name once more, and delete the user."""
    found = services.get_for(current_user, user)
    form = UserForm()
    if request.method == "POST":
        form = UserForm({"confirm": request.form.get("confirm", "").strip()})
        if form.value("confirm") != found.name:
            form.add_error("confirm", f"Type '{found.name}' to confirm.")
        else:
            try:
                services.remove(current_user, user)
                return redirect(url_for("users.index"), code=303)
            except Problem as problem:
                form.add_problem(problem)
    page = render_template(
        "parts/delete.html",
        section="users",
        form=form,
        what="the user",
        name=user,
        going=[
            "The account, its sessions and its API tokens",
            "Its memberships in projects",
            "What they did stays readable in jobs and the audit log",
        ],
        crumbs=[("Users", url_for("users.index")), (user, url_for("users.show", user=user))],
        back=url_for("users.show", user=user),
    )
    return (page, 422) if form.errors else page


def _stored(user: User) -> UserForm:
    flags = {"isAdmin": "yes" if user.is_admin else "", "isActive": "yes" if user.is_active else ""}
    return UserForm({"email": user.email, **flags})


def _page(user: User, form: UserForm, generated: str = "", notice: str = "") -> str:
    return render_template(
        "admin/user.html",
        section="users",
        user=user,
        form=form,
        generated=generated,
        notice=notice,
        owned=services.owned_by(user),
    )
