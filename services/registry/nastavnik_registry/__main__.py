"""`python -m nastavnik_registry serve|migrate|recover`."""

import argparse
import asyncio

from nastavnik_common import db, http, logs, recovery
from nastavnik_common.outbox import Outbox
from nastavnik_registry.app import create_app
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import outbox

TABLES = {"organization": "org_unit"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="nastavnik_registry", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate", "recover"])
    parser.add_argument("--forget", action="store_true", help="recover: what only the log has")
    arguments = parser.parse_args()
    command = arguments.command
    settings = RegistrySettings()
    logs.configure(settings, "registry")
    if command == "migrate":
        db.migrate(settings, "nastavnik_registry")
    elif command == "recover":
        events = Outbox(outbox, settings.schema_base_url)
        found = recovery.recover(settings, events, "registry", TABLES, forget=arguments.forget)
        print(recovery.told(asyncio.run(found)))
    else:
        http.serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
