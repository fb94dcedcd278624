#!/bin/sh
# Service `schema` of docker-compose.yml: makes Temporal's two databases where they are missing, and brings them to the
# schema of the version that this image is of. With nothing to do it changes nothing, so it runs at every `up`.
set -eu

SQL_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
export SQL_PASSWORD

# bring DATABASE KIND
bring() {
  temporal-sql-tool --db "$1" create
  # Marks a database without a schema as 0.0, and leaves any other version alone. [source] 1.31.2
  temporal-sql-tool --db "$1" setup-schema -v 0.0
  temporal-sql-tool --db "$1" update-schema -d "$SCHEMAS/$2/versioned"
}

bring temporal temporal
bring temporal_visibility visibility
