#!/bin/sh
# Runs the server with the password of VALKEY_PASSWORD_FILE and data in VALKEY_DATA (nothing is kept without it).
set -eu
: "${VALKEY_PASSWORD_FILE:?}" "${VALKEY_MAXMEMORY:?}" "${VALKEY_POLICY:?}"
umask 077
# In a file, so that the password stands in no process list.
config=/tmp/valkey.conf
{
    printf 'bind * -::*\nport 6379\nprotected-mode yes\nmaxmemory %s\nmaxmemory-policy %s\n' "$VALKEY_MAXMEMORY" "$VALKEY_POLICY"
    printf 'requirepass "%s"\n' "$(sed 's/[\\"]/\\&/g' "$VALKEY_PASSWORD_FILE")"
    if [ -n "${VALKEY_DATA:-}" ]; then printf 'dir "%s"\nappendonly yes\n' "$VALKEY_DATA"; else printf 'save ""\n'; fi
} > "$config"
exec valkey-server "$config"
