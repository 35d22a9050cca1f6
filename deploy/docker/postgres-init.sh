#!/bin/sh
# A database and two roles for each service, once, when the volume is new. `NAME_owner` owns the
# tables and runs the migrations; the service itself runs as `NAME`, reads and writes rows, and can
# neither change a table nor reach the database of another service.
set -eu

create() {
    psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        -v name="$1" -v owner="$1_owner" -v password="$2" -v owner_password="$3" <<'SQL'
create role :"owner" login password :'owner_password';
create role :"name" login password :'password';
create database :"name" owner :"owner";
revoke all on database :"name" from public;
-- temporary: imports and comparisons sort in tables that only their own connection sees
grant connect, temporary on database :"name" to :"name";
\connect :"name"
revoke all on schema public from public;
grant usage on schema public to :"name";
-- maintain: an import tells the planner about the rows it has just written
alter default privileges for role :"owner" in schema public
    grant select, insert, update, delete, maintain on tables to :"name";
alter default privileges for role :"owner" in schema public
    grant usage on sequences to :"name";
SQL
}

create registry "$REGISTRY_DB_PASSWORD" "$REGISTRY_DB_OWNER_PASSWORD"
create activity "$ACTIVITY_DB_PASSWORD" "$ACTIVITY_DB_OWNER_PASSWORD"
create metrics "$METRICS_DB_PASSWORD" "$METRICS_DB_OWNER_PASSWORD"

# A rebuild counts in a schema of its own, `rebuild`, which it makes and drops.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --command 'grant create on database metrics to metrics'
