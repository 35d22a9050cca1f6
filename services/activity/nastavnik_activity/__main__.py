"""``python -m nastavnik_activity serve | migrate | recover``"""

import argparse
import asyncio

from nastavnik_activity.app import create_app
from nastavnik_activity.tables import outbox
from nastavnik_common import db, http, logs, recovery
from nastavnik_common.outbox import Outbox
from nastavnik_common.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="nastavnik_activity", description="Mentorships, sessions")
    parser.add_argument("command", choices=["serve", "migrate", "recover"])
    parser.add_argument("--forget", action="store_true", help="recover: what only the log has")
    arguments = parser.parse_args()
    command = arguments.command
    settings = Settings()
    logs.configure(settings, "activity")
    if command == "migrate":
        db.migrate(settings, "nastavnik_activity")
    elif command == "recover":
        events = Outbox(outbox, settings.schema_base_url)
        found = recovery.recover(settings, events, "activity", {}, forget=arguments.forget)
        print(recovery.told(asyncio.run(found)))
    else:
        http.serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
