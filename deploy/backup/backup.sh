#!/bin/sh
# Dumps the three databases, each as of one moment, while everything runs:
#
#     backup.sh DIRECTORY          # PGHOST, PGUSER, PGPASSWORD … say where; KEEP=14 sets stay
#
# A set appears whole, in DIRECTORY/<UTC time>, or not at all. In docker compose:
#
#     docker compose run --rm backup
set -eu
umask 077

directory=${1:?where to}
set=$directory/$(date -u +%Y%m%dT%H%M%SZ)
rm -rf "$directory"/.unfinished-*
unfinished=$directory/.unfinished-$$
mkdir -p "$unfinished"
for database in registry activity metrics; do
    pg_dump --format=custom --file="$unfinished/$database.dump" --dbname="$database"
    # a dump that cannot be listed cannot be restored
    pg_restore --list "$unfinished/$database.dump" >/dev/null
done
mv "$unfinished" "$set"
find "$directory" -mindepth 1 -maxdepth 1 -type d -name '2*Z' | sort -r \
    | tail -n "+$((${KEEP:-14} + 1))" | while read -r old; do rm -rf "$old"; done
echo "$set"
