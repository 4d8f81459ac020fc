#!/bin/sh
# Makes the database on the first start, gives the user its password on every start, then runs the server.
# Reads POSTGRESQL_USER, POSTGRESQL_DATABASE (both plain names) and POSTGRESQL_PASSWORD_FILE; data is in PGDATA.
set -eu
: "${PGDATA:?}" "${POSTGRESQL_USER:?}" "${POSTGRESQL_DATABASE:?}" "${POSTGRESQL_PASSWORD_FILE:?}"

single() { postgres --single -D "$PGDATA" -c log_statement=none "$1" > /dev/null; }

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # Left half-way by a start that was ended: nothing of it has been used.
    rm -rf "$PGDATA.new"
    initdb --pgdata "$PGDATA.new" --username "$POSTGRESQL_USER" --pwfile "$POSTGRESQL_PASSWORD_FILE" \
        --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8
    echo "host all all all scram-sha-256" >> "$PGDATA.new/pg_hba.conf"
    if [ "$POSTGRESQL_DATABASE" != postgres ]; then
        PGDATA="$PGDATA.new" single postgres <<SQL
CREATE DATABASE "$POSTGRESQL_DATABASE" OWNER "$POSTGRESQL_USER"
SQL
    fi
    mv "$PGDATA.new" "$PGDATA"
fi
# By standard input, so that the password stands in no process list.
single postgres <<SQL
ALTER ROLE "$POSTGRESQL_USER" PASSWORD '$(sed "s/'/''/g" "$POSTGRESQL_PASSWORD_FILE")'
SQL
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
