"""What every service's Alembic ``env.py`` does: run the migrations over asyncpg."""

import asyncio

from alembic import context
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.ext.asyncio import create_async_engine


def run(metadata: MetaData) -> None:
    """Called from ``env.py``. One transaction, under a lock: two that start together wait."""
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    asyncio.run(_upgrade(url, metadata))


async def _upgrade(url: str, metadata: MetaData) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate, metadata)
            await connection.commit()
    finally:
        await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData) -> None:
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('nastavnik_migrations'))")
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    context.run_migrations()
