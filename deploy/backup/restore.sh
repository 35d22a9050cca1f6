#!/bin/sh
# Puts a set that backup.sh made into a server whose databases and roles are new and empty, as
# deploy/docker/postgres-init.sh makes them:
#
#     restore.sh DIRECTORY/<UTC time>     # PGHOST, PGUSER, PGPASSWORD …: a superuser
#
# In docker compose, with nothing but postgres up:
#
#     docker compose run --rm --entrypoint /bin/sh backup /restore.sh /var/lib/postgresql/sets/<UTC time>
#
# Each database comes whole or not at all. What to do before the services start: docs/operations.md.
set -eu

set=${1:?which set}
for database in registry activity metrics; do
    tables=$(psql --tuples-only --no-align --dbname="$database" --command="
        select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r'")
    if [ "$tables" != 0 ]; then
        echo "$database is not empty: nothing was changed" >&2
        exit 1
    fi
done
for database in registry activity metrics; do
    pg_restore --exit-on-error --single-transaction --dbname="$database" "$set/$database.dump"
    psql --quiet --dbname="$database" --command=analyze
done
