#!/bin/sh
# A database and a role for each service, once, when the volume is new. No role can reach the
# database of another service.
set -eu

create() {
    psql -v ON_ERROR_STOP=1 -v name="$1" -v password="$2" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
}

create registry "$REGISTRY_DB_PASSWORD"
create activity "$ACTIVITY_DB_PASSWORD"
create metrics "$METRICS_DB_PASSWORD"
