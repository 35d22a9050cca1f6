"""Alembic's entry."""

from nastavnik_common import migrations
from nastavnik_metrics.tables import Base

migrations.run(Base.metadata)
