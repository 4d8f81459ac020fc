"""What all tests share."""

from collections.abc import Iterator

import pytest

from tests import postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a PostgreSQL server that lives as long as the test run; see tests.postgres.new_database."""
    with postgres.server() as url:
        yield url
