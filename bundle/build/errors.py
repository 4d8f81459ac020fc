"""The one error of the builder: a message for the operator, without a traceback."""


class BuildError(Exception):
    """Says what failed, on what, and what to do next."""
