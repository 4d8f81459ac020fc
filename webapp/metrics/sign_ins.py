"""Count attempts to sign in, by how they end."""

from collections.abc import Iterator
from contextlib import contextmanager

from webapp.metrics.series import SIGN_INS
from webapp.problems import Problem

_RESULTS = {"sign-in-failed": "failed", "too-many-attempts": "throttled"}


@contextmanager
def counted_sign_in() -> Iterator[None]:
    """Count what the block does as one attempt to sign in; its problems go through. Also a decorator."""
    try:
        yield
    except Problem as problem:
        if problem.type.slug in _RESULTS:
            SIGN_INS.labels(_RESULTS[problem.type.slug]).inc()
        raise
    SIGN_INS.labels("succeeded").inc()
