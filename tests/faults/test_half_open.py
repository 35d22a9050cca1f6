"""Work that looks at everything, over connections to the database that have died without a word."""

import asyncio
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.engine import make_url

from nastavnik_common import db
from nastavnik_local.servers import LocalServers
from nastavnik_metrics.accounting import Ledger
from nastavnik_metrics.audit import Auditor
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.rebuild import Progress, Rebuilder
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import AccountingMetrics, AuditMetrics
from tests.faults.proxy import LOOPBACK, Wires, to_socket
from tests.system.helpers import until

_WAITING = """select count(*) from pg_locks
    where not granted and database = (select oid from pg_database where datname = $1)"""


@pytest.fixture
def direct(servers: LocalServers, new_database: Callable[[str], str]) -> MetricsSettings:
    """A database of metrics, with nothing in it."""
    settings = MetricsSettings(
        database_url=new_database("metrics"),
        kafka_bootstrap_servers=servers.kafka.bootstrap,
        scan_timeout_seconds=1,
    )
    db.migrate(settings, "nastavnik_metrics")
    return settings


async def test_it_is_given_up_and_may_be_asked_for_again(direct: MetricsSettings) -> None:
    """An audit, a look at the accounts and a rebuild wait for a table when their connections go."""
    url = make_url(direct.database_url)
    holder = await db.connect(direct.database_url)
    with Wires() as wires:
        wire = wires.add(to_socket(f"{url.query['host']}/.s.PGSQL.5432"))
        through = url.set(host=LOOPBACK, port=wire.port, query={}).render_as_string(False)
        settings = direct.model_copy(update={"database_url": through})
        audit = Auditor(settings, Definitions(None), AuditMetrics(CollectorRegistry()))
        accounting = Ledger(settings, AccountingMetrics(CollectorRegistry()))
        rebuilder = Rebuilder(settings, Definitions(None))
        async with holder.transaction():
            await holder.execute("lock table owner, session, stream_position")
            asked = asyncio.gather(
                audit.full(), accounting.balances(), rebuilder.rebuild(), return_exceptions=True
            )

            async def waiting() -> bool:
                return bool(await holder.fetchval(_WAITING, url.database) == 3)

            await until(waiting, saw=lambda: asked)
            wire.lose()
            full, balances, rebuilt = await asyncio.wait_for(asked, 30)
        assert isinstance(full, db.ERRORS)
        assert isinstance(balances, db.ERRORS)
        assert isinstance(rebuilt, Progress)
        assert rebuilt.state == "failed"
        assert (await audit.full()).drift == 0
        assert await accounting.balances() == []
        wire.cut()
    await holder.close()
