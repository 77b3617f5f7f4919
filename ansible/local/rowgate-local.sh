#!/usr/bin/env bash
# One instance of Rowgate on this machine, under the folder VAR: its own MariaDB, workers and nginx. `make run`,
# `up`, `down`, `reload` and `status` call it; docs are in README.md. Everything it starts it also ends, by pid and
# start time; data and keys stay.
# shellcheck disable=SC2317
set -euo pipefail
umask 022
REPO=$(cd "$(dirname "$0")/../.." && pwd)
HERE=$REPO/ansible/local
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "rowgate: $*" >&2; }
die() {
	say "$*"
	exit 1
}

# shellcheck source-path=SCRIPTDIR source=lib/process.sh
. "$HERE/lib/process.sh"
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
. "$HERE/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tls.sh
. "$HERE/lib/tls.sh"
# shellcheck source-path=SCRIPTDIR source=lib/database.sh
. "$HERE/lib/database.sh"
# shellcheck source-path=SCRIPTDIR source=lib/nginx.sh
. "$HERE/lib/nginx.sh"
# shellcheck source-path=SCRIPTDIR source=lib/pool.sh
. "$HERE/lib/pool.sh"

# fail LOG TEXT: the end of the log, then one line. A full disk hides behind many errors, so it is named first.
fail() {
	tail -n 8 "$1" >&2 2>/dev/null || true
	[ "$(free_mib)" -ge 8 ] || die "the disk of $VAR is full: make room and try again"
	die "$2 (see $1)"
}

free_mib() { df -Pm "$VAR" | awk 'NR == 2 { print $4 }'; }

number() { # NAME VALUE MAX
	case $2 in
	'' | *[!0-9]* | ??????*) ;;
	*) if [ "$2" -ge 1 ] && [ "$2" -le "$3" ]; then return 0; fi ;;
	esac
	die "$1 is to be a number from 1 to $3, not '$2'"
}

default_workers() {
	local workers=$(($(nproc) * 4))
	[ "$workers" -ge 8 ] || workers=8
	echo "$workers"
}

stored() { sed -n "s/^$1=//p" "$VAR/run/settings" 2>/dev/null || true; }

# What the caller gave, else what the instance was started with, else the defaults.
settings() {
	local name
	for name in PORT WORKERS DB DB_USER DB_PASSWORD_FILE DB_CA RATE METRICS_ALLOW; do
		[ -n "${!name:-}" ] || printf -v "$name" %s "$(stored "$name")"
	done
	PORT=${PORT:-8443} DB=${DB:-local} WORKERS=${WORKERS:-$(default_workers)}
	number PORT "$PORT" 65535
	number WORKERS "$WORKERS" 1000
	[ -z "$RATE" ] || number RATE "$RATE" 99999
	case $DB$METRICS_ALLOW in
	*[!A-Za-z0-9.:/_\ -]*) die 'DB is to be local or HOST:PORT, METRICS_ALLOW a list of addresses' ;;
	esac
	db_is_local || number "the port in DB" "$(db_port)" 65535
	[ -z "$DB_PASSWORD_FILE" ] || DB_PASSWORD_FILE=$(realpath -m "$DB_PASSWORD_FILE")
	[ -z "$DB_CA" ] || DB_CA=$(realpath -m "$DB_CA")
}

# Not before they have proved to work: the next start takes them from here.
save_settings() {
	local name
	for name in PORT WORKERS DB DB_USER DB_PASSWORD_FILE DB_CA RATE METRICS_ALLOW; do
		printf '%s=%s\n' "$name" "${!name}"
	done >"$VAR/run/settings"
}

# The folder, and a short plain name for it where its own is too long for a socket (107 bytes) or holds characters
# that the programs' configuration would have to quote.
folders() {
	local link=$VAR/run/short
	mkdir -p "$VAR/run" "$VAR/log" 2>/dev/null || die "the folder $VAR cannot be made: choose another one with VAR=DIR"
	[ -w "$VAR/run" ] || die "the folder $VAR belongs to $(stat -c %U "$VAR"): choose another one with VAR=DIR"
	chmod 750 "$VAR/log"
	SHORT=$VAR
	case $VAR in
	*[!A-Za-z0-9._/+@-]*) ;;
	*) [ ${#VAR} -gt 80 ] || return 0 ;;
	esac
	if ! [ -r "$link" ] || [ "$(readlink "$(cat "$link")/v")" != "$VAR" ]; then
		mktemp -d /tmp/rowgate.XXXXXX >"$link"
		chmod 755 "$(cat "$link")"
		ln -s "$VAR" "$(cat "$link")/v"
	fi
	SHORT=$(cat "$link")/v
}

forget_short_name() {
	local link=$VAR/run/short
	[ -r "$link" ] || return 0
	rm -f "$(cat "$link")/v"
	rmdir "$(cat "$link")" 2>/dev/null || true
	rm -f "$link"
}

# as USER COMMAND...
as() { setpriv --reuid="$1" --regid="$(id -g "$1")" --init-groups "${@:2}"; }

# Started as root, the parts run as the system's accounts for them, or as root where those cannot reach the folders.
accounts() {
	APP_USER=$(id -un) APP_GROUP=$(id -gn) DB_OS_USER=$(id -un) DB_OWNER=()
	[ "$(id -u)" -eq 0 ] || return 0
	if as www-data test -x "$VAR" -a -x "$ROWGATE" -a -r "$REPO/nginx/pages/index.html" 2>/dev/null; then
		APP_USER=www-data APP_GROUP=www-data
	fi
	if as mysql test -x "$VAR" 2>/dev/null; then
		DB_OS_USER=mysql
		DB_OWNER=(-o mysql)
	fi
}

check_disk() {
	local need=64
	[ -d "$VAR/mysql" ] || ! db_is_local || need=600
	[ "$(free_mib)" -ge "$need" ] ||
		die "the disk of $VAR has $(free_mib) MiB left and $need are needed: make room or choose VAR=DIR elsewhere"
}

# secret NAME COMMAND...: the file keys/NAME, made once from what COMMAND prints.
secret() {
	local file=$VAR/keys/$1
	[ ! -s "$file" ] || return 0
	(umask 077 && "${@:2}" >"$file.new")
	mv "$file.new" "$file"
}

make_keys() {
	mkdir -p "$VAR/keys"
	secret jwt-secret openssl rand -base64 48
	secret authenticator-password openssl rand -hex 24
	secret catalogue-password openssl rand -hex 24
	secret identity-password openssl rand -hex 24
	secret admin-password openssl rand -hex 12
}

# Nobody but the one who started and the workers may read keys, whoever put them there. The configuration is for others
# to read unless its owner closed it.
close_keys() {
	if [ "$APP_USER" != "$(id -un)" ] && ! as "$APP_USER" test -r "$VAR/rowgate.conf"; then
		chgrp "$APP_GROUP" "$VAR/rowgate.conf"
		chmod g+r "$VAR/rowgate.conf"
	fi
	chmod 700 "$VAR/keys"
	find "$VAR/keys" -type f -exec chmod 600 {} +
	if [ "$APP_USER" != "$(id -un)" ]; then
		chgrp -R "$APP_GROUP" "$VAR/keys"
		chmod 750 "$VAR/keys"
		find "$VAR/keys" -type f -exec chmod 640 {} +
	fi
}

# What the configuration says of the server that DB names.
database_lines() {
	if db_is_local; then
		echo 'db-socket = mysql.sock'
		return
	fi
	printf 'db-host = %s\ndb-port = %s\n' "$(db_host)" "$(db_port)"
	[ -z "$DB_CA" ] || printf 'db-ca = %s\n' "$DB_CA"
}

# with_database PATTERN: standard input with database_lines in place of the first line that matches, without the others.
with_database() {
	LINES_OF_DB=$(database_lines) awk -v pattern="$1" '
		$0 !~ pattern { print; next }
		!done++ { print ENVIRON["LINES_OF_DB"] }
		END { if (!done) print ENVIRON["LINES_OF_DB"] }'
}

# The file is kept as it is, but for another DB than at the last start.
make_conf() {
	local file=$VAR/rowgate.conf
	if [ ! -e "$file" ]; then
		with_database '^@DATABASE@$' <"$HERE/rowgate.conf.in" >"$file.new"
	elif [ -n "$(stored DB)" ] && [ "$DB $DB_CA" != "$(stored DB) $(stored DB_CA)" ]; then
		say "$file names $DB from now on"
		install -m 600 /dev/null "$file.new"
		with_database '^[[:blank:]]*db-(socket|host|port|ca)[[:blank:]]*=' <"$file" >"$file.new"
		chown --reference="$file" "$file.new"
		chmod --reference="$file" "$file.new"
	else
		return 0
	fi
	mv "$file.new" "$file"
}

# TEXT as a word of sh.
quoted() {
	case $1 in
	*[!A-Za-z0-9._/+@-]*) printf "'%s'" "${1//\'/\'\\\'\'}" ;;
	*) printf %s "$1" ;;
	esac
}

token() { "$ROWGATE" token issue -c "$SHORT/rowgate.conf" --role "$1" --ttl $((3650 * 86400)); }

# The first administrator; a password changed since then stays.
make_admin() {
	[ -z "$(sed -n 's/^db-identity-user *= *//p' "$VAR/rowgate.conf")" ] ||
		"$ROWGATE" user add admin@example.com -c "$SHORT/rowgate.conf" --role service_role --if-absent \
			--password-file "$SHORT/keys/admin-password" >"$VAR/log/user.log" 2>&1 ||
		fail "$VAR/log/user.log" 'the administrator could not be added'
}

# Before the workers start: they may not be able to write there.
make_signing_key() {
	"$ROWGATE" key list -c "$SHORT/rowgate.conf" >/dev/null 2>&1 || return 0
	[ -n "$("$ROWGATE" key list -c "$SHORT/rowgate.conf")" ] ||
		"$ROWGATE" key new -c "$SHORT/rowgate.conf" >/dev/null
	close_keys
}

make_env() {
	local anon service
	if ! anon=$(token anon) || ! service=$(token service_role); then
		die "no token could be signed: see 'jwt-secret-file' in $VAR/rowgate.conf"
	fi
	(umask 077 && cat >"$VAR/rowgate.env.new") <<-END
		ROWGATE_URL='https://127.0.0.1:$PORT'
		ROWGATE_CA=$(quoted "$VAR/tls/ca.pem")
		ROWGATE_ANON_KEY='$anon'
		ROWGATE_SERVICE_KEY='$service'
		ROWGATE_JWT_SECRET_FILE=$(quoted "$VAR/keys/jwt-secret")
		ROWGATE_ADMIN_EMAIL='admin@example.com'
		ROWGATE_ADMIN_PASSWORD='$(cat "$VAR/keys/admin-password")'
	END
	mv "$VAR/rowgate.env.new" "$VAR/rowgate.env"
}

can_build() {
	local folder=$BUILD
	case $folder in
	/*) ;;
	*) folder=$REPO/$folder ;;
	esac
	while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
	[ -w "$folder" ] || env -u MAKEFLAGS -u MFLAGS make -q -C "$REPO" "BUILD=$BUILD" all 2>/dev/null
}

build() {
	# MAKEFLAGS would hand down a job server that this make does not see.
	[ -n "${SKIP_BUILD:-}" ] || can_build ||
		die "$REPO/$BUILD is not yours to build in: clone the repository yourself, or choose BUILD=DIR"
	[ -n "${SKIP_BUILD:-}" ] || env -u MAKEFLAGS -u MFLAGS make -s -j2 -C "$REPO" "BUILD=$BUILD" all >&2 ||
		die 'the build failed: see the compiler above'
	[ -x "$ROWGATE" ] || die "there is no program $ROWGATE: run make"
}

# The web pages. Whatever hinders that is said, and the rest of the instance starts.
pages() {
	[ -z "${SKIP_BUILD:-}" ] || return 0
	(install_missing "$PAGES_NEEDS") || true
	"$REPO/nginx/admin/build.sh" "$BUILD" || true
}

ask() { curl -s --noproxy '*' --max-time 3 --cacert "$VAR/tls/ca.pem" "$@"; }

# What `rowgate check` finds wrong, if anything.
problems() {
	local run=()
	[ "$(id -u)" -ne 0 ] || run=(as "$APP_USER")
	"${run[@]}" "$ROWGATE" check -c "$SHORT/rowgate.conf" 2>&1 | sed -n 's/^PROBLEM */rowgate: /p' || true
}

wait_ready() {
	local from=$SECONDS checked='' answer=$VAR/run/ready status found=''
	while [ $((SECONDS - from)) -lt 30 ]; do
		if [ $((SECONDS - from)) -ge 5 ] && [ -z "$checked" ]; then
			checked=yes
			found=$(problems)
			[ -z "$found" ] || break
		fi
		alive "$VAR/run/nginx.started" || fail "$VAR/log/nginx.log" 'nginx ended'
		alive "$VAR/run/pool.started" || fail "$VAR/log/rowgate.log" 'the workers ended'
		status=$(ask -o "$answer" -w '%{http_code}' "https://127.0.0.1:$PORT/health/ready") || true
		[ "$status" != 200 ] || return 0
		sleep .1
	done
	found=${found:-$(problems)}
	if [ -n "$found" ]; then
		echo "$found" >&2
		die "the workers cannot serve: correct what is named above, in $VAR/rowgate.conf or in the database"
	fi
	say "/health/ready answers $status: $(head -c 500 "$answer" 2>/dev/null)"
	fail "$VAR/log/rowgate.log" 'the workers do not become ready'
}

running() {
	alive "$VAR/run/nginx.started" && alive "$VAR/run/pool.started" &&
		{ ! db_is_local || alive "$VAR/run/mariadb.started"; }
}

end_all() {
	nginx_stop
	pool_stop
	db_stop
	rm -f "$VAR/run/live.sock" "$VAR/run/blue.sock" "$VAR/mysql.sock"
	forget_short_name
}

# A log that has grown is kept once and begun anew.
rotate_logs() {
	find "$VAR/log" -name '*.log' -size +64M -exec mv {} {}.1 \;
}

# Nothing half started stays behind.
undo() {
	local status=$?
	trap - EXIT INT TERM HUP
	[ "$status" -eq 0 ] || end_all
	exit "$status"
}

lock() {
	exec 9>"$VAR/run/lock"
	flock -w 60 9 || die "another make run, up, down or reload is at work in $VAR"
}
unlock() { exec 9>&-; }

start() {
	local found
	trap undo EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	end_all
	folders
	rotate_logs
	check_port
	check_disk
	install_missing "$RUN_NEEDS" "$BUILD_NEEDS"
	build
	pages
	accounts
	[ "$APP_USER" != root ] ||
		say "$VAR or $REPO is closed to the system's accounts for services: everything runs as root"
	make_keys
	make_tls
	if db_is_local; then
		db_start
	else
		db_check_remote
	fi
	make_conf
	close_keys
	save_settings
	say 'bringing the schemas and sample data up to date'
	deploy deploy sample
	make_signing_key
	make_admin
	make_env
	pool_start
	nginx_start
	wait_ready
	found=$(problems)
	[ -z "$found" ] || printf '%s\n' "$found" 'rowgate: so it runs, but not all of it will work' >&2
}

show() {
	local env=${VAR#"$PWD/"}/rowgate.env
	cat <<-END

		Rowgate runs at https://127.0.0.1:$PORT/ with $WORKERS workers.
		  pages     https://127.0.0.1:$PORT/ and /admin/, /docs/
		  data      https://127.0.0.1:$PORT/rest/v1/
		  health    https://127.0.0.1:$PORT/health/ready
		  metrics   https://127.0.0.1:$PORT/metrics
		  settings  $VAR/rowgate.conf  (then: make reload)
		  tokens    $env: ROWGATE_ANON_KEY (role anon), ROWGATE_SERVICE_KEY (role service_role)
		  sign in   https://127.0.0.1:$PORT/auth/v1/ as admin@example.com, password in $VAR/keys/admin-password
		  logs      $VAR/log/
	END
	! db_is_local || echo "  database  mariadb -u root -S $SHORT/mysql.sock"
	cat <<-END

		A first request:
		  . $(quoted "$env"); curl --cacert "\$ROWGATE_CA" -H "Authorization: Bearer \$ROWGATE_SERVICE_KEY" "\$ROWGATE_URL/rest/v1/compensation?select=name,division,salary&order=salary.desc&limit=3"

	END
}

do_up() {
	folders
	lock
	settings
	if running; then
		[ "$PORT" = "$(stored PORT)" ] ||
			die "an instance in $VAR runs on port $(stored PORT): 'make down' ends it"
		say "already up: 'make reload' reads its configuration again, 'make down' ends it"
		show
		return
	fi
	start
	trap - EXIT INT TERM HUP
	show
}

# In the foreground: ends when it is told to, or when a part of it has ended.
do_run() {
	folders
	lock
	settings
	! running || die "an instance in $VAR runs already: 'make down' ends it"
	start
	unlock
	show
	say 'Ctrl-C ends it'
	trap end_run EXIT
	while running; do
		sleep 1 &
		wait "$!" || true
	done
	[ -e "$VAR/run/nginx.started" ] || [ -e "$VAR/run/pool.started" ] || exit 0
	tail -n 5 "$VAR/log/nginx.log" "$VAR/log/rowgate.log" >&2
	die "a part of it ended by itself: see $VAR/log/"
}

end_run() {
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP
	say 'ending'
	end_all
	case $status in
	130 | 143) exit 0 ;;
	esac
	exit "$status"
}

do_down() {
	[ -d "$VAR/run" ] || die "nothing runs in $VAR"
	folders
	lock
	end_all
	say "down; the data stays in $VAR"
}

do_reload() {
	[ -d "$VAR/run" ] || die "nothing runs in $VAR: 'make up' starts it"
	folders
	lock
	settings
	running || die "nothing runs in $VAR: 'make up' starts it"
	accounts
	close_keys
	make_tls
	nginx_reload
	pool_reload
	make_env
	say 'reloaded'
}

do_status() {
	local file
	settings
	for file in nginx pool mariadb; do
		if alive "$VAR/run/$file.started"; then
			echo "$file runs (pid $(pid_of "$VAR/run/$file.started"))"
		elif [ "$file" != mariadb ] || db_is_local; then
			echo "$file does not run"
		fi
	done
	running || exit 1
}

# deps: all that `make run` and `make test` need.
do_deps() {
	folders
	install_missing "$RUN_NEEDS" "$BUILD_NEEDS" "$TEST_NEEDS"
}

VAR=$(realpath -m "${VAR:-var}")
BUILD=${BUILD:-build}
case $BUILD in
/*) ROWGATE=$BUILD/rowgate ;;
*) ROWGATE=$REPO/$BUILD/rowgate ;;
esac

# In one piece: this file may change while it runs.
{
	case ${1:-} in
	up | run | down | reload | status | deps) "do_$1" ;;
	*) die 'usage: rowgate-local.sh up|run|down|reload|status|deps (settings: see README.md)' ;;
	esac
	exit
}
