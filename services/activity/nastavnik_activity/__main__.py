"""``python -m nastavnik_activity serve | migrate``"""

import argparse

from nastavnik_activity.app import create_app
from nastavnik_common import db, http, logs
from nastavnik_common.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="nastavnik_activity", description="Mentorships, sessions")
    parser.add_argument("command", choices=["serve", "migrate"])
    command = parser.parse_args().command
    settings = Settings()
    logs.configure(settings, "activity")
    if command == "migrate":
        db.migrate(settings, "nastavnik_activity")
    else:
        http.serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
