"""The blueprint of the pages of applications; their views are in the modules *views.py."""

from typing import TypeAlias

from flask import Blueprint
from werkzeug.wrappers import Response

pages = Blueprint("applications", __name__, url_prefix="/projects/<project>/applications")

Answer: TypeAlias = Response | str | tuple[str, int]
