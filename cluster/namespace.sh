#!/bin/sh
# Service `namespace` of docker-compose.yml: makes the namespace that the workers use, with the retention that the file
# states, and the search attributes of docs/web-ui.md. With nothing to do it changes nothing.
set -eu

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

# The server's parts learn of a new namespace one after the other, within about ten seconds.
tries=0
until temporal workflow list --limit 1 >/dev/null 2>&1 && temporal operator search-attribute list >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "The namespace $TEMPORAL_NAMESPACE does not answer" >&2
    exit 1
  fi
  sleep 1
done

for name in CutoverTarget CutoverPhase CutoverWaitingFor; do
  if ! temporal operator search-attribute list | grep -qw "$name"; then
    temporal operator search-attribute create --name "$name" --type Keyword
  fi
done
