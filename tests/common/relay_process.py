"""A relay as a process of its own, to be killed: the name it is given shows in PostgreSQL."""

import asyncio
import sys

from prometheus_client import CollectorRegistry
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from nastavnik_common import db, outbox
from nastavnik_common.settings import Settings


def main(name: str, given: str) -> None:
    settings = Settings.model_validate_json(given)
    engine = create_async_engine(
        settings.database_url, connect_args={"server_settings": {"application_name": name}}
    )
    sessions = db.create_sessions(engine)
    table = outbox.outbox_table(MetaData())
    metrics = outbox.RelayMetrics(CollectorRegistry())
    asyncio.run(outbox.Relay(settings, sessions, table, metrics, batch=20).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
