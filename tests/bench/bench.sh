#!/usr/bin/env bash
# `make bench`: installs what is missing, builds the C programs, then hands over to bench.py. See README.md.
set -euo pipefail
REPO=$(cd "$(dirname "$0")/../.." && pwd)
export VAR=${VAR:-var} BUILD=${BUILD:-build}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "bench: $*" >&2; }
die() {
	say "$*"
	exit 1
}

# shellcheck source-path=SCRIPTDIR source=../../ansible/local/lib/packages.sh
. "$REPO/ansible/local/lib/packages.sh"

NEEDS='
python:json|python3
wrk|wrk
python:fastapi|python3-fastapi
python:uvicorn|uvicorn
python:flask|python3-flask
gunicorn|gunicorn
python:sqlalchemy|python3-sqlalchemy
python:MySQLdb|python3-mysqldb
python:jwt|python3-jwt
'
[ "${UVLOOP:-}" != 1 ] || NEEDS="$NEEDS
python:uvloop|python3-uvloop
python:httptools|python3-httptools
"

mkdir -p "$VAR/log"
install_missing "$RUN_NEEDS" "$BUILD_NEEDS" "$NEEDS"
env -u MAKEFLAGS -u MFLAGS make -s -C "$REPO" "BUILD=$BUILD" bench-programs || die 'the build failed: see the compiler above'
cd "$REPO"
exec /usr/bin/python3 tests/bench/bench.py
