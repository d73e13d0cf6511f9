"""What tests of the warehouse share."""

from collections.abc import Iterator

import pytest

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.migrate import migrate
from tests.support.sample_portfolio import Made


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    warehouse = EmbeddedWarehouse(tmp_path_factory.mktemp("aggregates"), "loanpulse")
    migrate(warehouse)
    yield Made(warehouse)
    warehouse.close()
