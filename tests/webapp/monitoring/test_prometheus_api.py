"""Prometheus' read API as programs use it, on a real Prometheus."""

from collections.abc import Callable

import pytest

from tests.webapp.monitoring.conftest import Asker

ADMINISTRATORS, OF_SHOP = "/monitoring/prometheus/api/v1", "/projects/shop/prometheus/api/v1"


@pytest.mark.parametrize(("user", "base"), [("root", ADMINISTRATORS), ("ada", OF_SHOP)])
def test_exemplars_of_a_query_without_series_are_none(
    ask_as: Callable[[str], Asker], user: str, base: str
) -> None:
    # Prometheus answers 204 to this, and nothing else.
    answer = ask_as(user).get(f"{base}/query_exemplars", ("query", "1"))
    assert (answer.status_code, answer.json) == (200, {"status": "success", "data": []})
