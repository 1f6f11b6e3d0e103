"""What a server's settings may cost is said where jobs are run or checked, and only there."""

from __future__ import annotations

import pytest

from stoker import Stoker
from tests.servers.fixtures import MakeServer
from tests.wire.perform import application, working


async def test_a_worker_says_what_may_be_lost_and_a_producer_does_not(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    app: Stoker = application(make_server(appendonly="no").url)

    await app.queues()
    assert not caplog.records

    async with working(app):
        pass
    await app.close()

    assert [record for record in caplog.records if "appendonly is off" in record.message]
