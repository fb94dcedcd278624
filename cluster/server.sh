#!/bin/sh
# Service `temporal` of docker-compose.yml: the server takes its database's password from its environment alone. Read
# here, it is in no compose file and no `docker inspect`.
set -eu

POSTGRES_PWD=$(cat "$POSTGRES_PASSWORD_FILE")
export POSTGRES_PWD
exec "$@"
