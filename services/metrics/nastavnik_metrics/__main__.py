"""``python -m nastavnik_metrics serve | migrate``"""

import argparse

from nastavnik_common import db, http, logs
from nastavnik_metrics.app import create_app
from nastavnik_metrics.settings import MetricsSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="nastavnik_metrics", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate"])
    command = parser.parse_args().command
    settings = MetricsSettings()
    logs.configure(settings, "metrics")
    if command == "migrate":
        db.migrate(settings, "nastavnik_metrics")
    else:
        http.serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
