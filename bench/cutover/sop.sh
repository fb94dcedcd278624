#!/bin/sh
# The procedure as its document has it, typed by nobody: RM-10 and RM-11 with the official Heroku CLI. Where the document
# says "wait", it looks until it is so. Says the time before each line of the document, in milliseconds since 1970.
#
# APP, REPOSITORY, WORKFLOW and GRANTS name the app, the repository, its smoke suite and the file of the GRANT/REVOKE
# block; GITHUB_API_URL and GITHUB_TOKEN lead to GitHub.
set -eu

step() { printf 'step %s %s\n' "$(date +%s%3N)" "$1"; }
github() { curl -fsS --noproxy '*' -H "Authorization: Bearer $GITHUB_TOKEN" "$@"; }

until_says() { # until_says PATTERN COMMAND… : looks again and again
  pattern=$1
  shift
  for _ in $(seq 1 120); do
    if "$@" | grep -Eq "$pattern"; then return 0; fi
    sleep 0.5
  done
  echo "never said $pattern: $*" >&2
  return 1
}

restart() {
  heroku restart -a "$APP"
  until_says '^web\.1: up' heroku ps -a "$APP"
}

smoke() { # smoke N USER : the N-th run of the suite
  github -X POST -d "{\"ref\":\"main\",\"inputs\":{\"marker\":\"by-hand-$1\",\"expect_user\":\"$2\"}}" \
    "$GITHUB_API_URL/repos/$REPOSITORY/actions/workflows/$WORKFLOW/dispatches"
  for _ in $(seq 1 240); do
    runs=$(github "$GITHUB_API_URL/repos/$REPOSITORY/actions/runs")
    # Newest first. A run that was just dispatched may not be listed yet.
    newest=$(printf '%s' "$runs" | grep -o '"conclusion":[^,}]*' | head -1)
    case "$(printf '%s' "$runs" | grep -o '"conclusion"' | wc -l | tr -d ' ') $newest" in
      "$1 \"conclusion\":\"success\"") return 0 ;;
      "$1 \"conclusion\":null" | 0* | "$(($1 - 1)) "*) sleep 0.5 ;;
      *) echo "the smoke suite ended otherwise: $newest" >&2 && return 1 ;;
    esac
  done
  return 1
}

step 'config:get'
heroku config:get DATABASE_URL -a "$APP" >/dev/null
step 'alembic upgrade'
heroku run --exit-code alembic upgrade head -a "$APP"
step 'pg:psql \dt'
heroku pg:psql -a "$APP" -c '\dt' >/dev/null
step 'restart'
restart
step 'smoke'
smoke 1 ''
step 'credentials:create'
heroku pg:credentials:create DATABASE --name raptor_app -a "$APP"
until_says 'raptor_app +active' heroku pg:credentials DATABASE -a "$APP"
step 'config:set URL'
url=$(heroku pg:credentials:url DATABASE --name raptor_app -a "$APP" | grep -o 'postgres://.*')
heroku config:set RAPTOR_APP_DATABASE_URL="$url" -a "$APP" >/dev/null 2>&1
step 'GRANT/REVOKE'
heroku pg:psql -a "$APP" -f "$GRANTS" >/dev/null
step 'config:set flag'
heroku config:set FLAG_RAPTOR_APP_ROLE_SEPARATION=1 -a "$APP" >/dev/null 2>&1
step 'restart under the role'
restart
step 'smoke as the role'
smoke 2 raptor_app
step 'end'
