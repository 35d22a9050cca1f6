"""`python -m nastavnik_registry serve|migrate`."""

import argparse

from nastavnik_common import db, http, logs
from nastavnik_registry.app import create_app
from nastavnik_registry.settings import RegistrySettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="nastavnik_registry", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate"])
    command = parser.parse_args().command
    settings = RegistrySettings()
    logs.configure(settings, "registry")
    if command == "migrate":
        db.migrate(settings, "nastavnik_registry")
    else:
        http.serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
