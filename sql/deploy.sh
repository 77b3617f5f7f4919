#!/usr/bin/env bash
# Brings the schemas, roles, logins and sample data of sql/ to a MariaDB or MySQL server; `deploy.sh help` tells how.
#
# Passwords go to the clients in an option file of mode 0600 and to the server on standard input, never as arguments:
# Sqitch would put one on the client's command line, so it is given none. Its driver reads the option file by itself,
# and the client it starts is a wrapper that names the file.
set -euo pipefail
shopt -s inherit_errexit
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECTS=(core wages incidents)
declare -A DATABASE=([core]=rowgate [wages]=wages [incidents]=incidents)
REGISTRY=rowgate_sqitch

usage() {
	cat <<'U'
usage: sql/deploy.sh VERB...
  deploy    create the databases, deploy and verify the projects core, wages, incidents, then the two logins
  accounts  the two logins alone
  sample    load sample data into those tables that are empty
  status    one line per project
  verify    check all that is deployed
  revert    take everything away again: logins, roles, tables with their rows, and databases left empty
The server: DB_SOCKET, or DB_HOST and DB_PORT (3306); DB_USER (root), DB_PASSWORD_FILE, DB_CA (TLS, verified).
deploy reads AUTHENTICATOR_PASSWORD_FILE and CATALOGUE_PASSWORD_FILE, a password on the first line of each, and, where
/auth/v1 is to be served, IDENTITY_PASSWORD_FILE. With AUTHENTICATOR_OLD_PASSWORD_FILE and so on a login is known by both
passwords, until deploy or accounts runs without.
U
}

die() {
	echo "deploy.sh: $*" >&2
	exit 1
}

need() { command -v "$1" >/dev/null || die "needs the program $1: apt-get install $2"; }

# The first line of a file, for a setting that names one.
password_of() { # SETTING
	local file=${!1:-} line=
	[ -n "$file" ] || die "$1 is not set: it names the file with the password"
	[ -r "$file" ] || die "$1: the file '$file' cannot be read"
	IFS= read -r line <"$file" || [ -n "$line" ] || die "$1: the file '$file' is empty"
	printf %s "$line"
}

option() { # NAME VALUE: a line of an option file
	local value=${2//\\/\\\\}
	printf '%s="%s"\n' "$1" "${value//\"/\\\"}"
}

# What every client reads. The modes are those that the data sets are written for, whatever the server's default.
write_options() {
	local password=
	[ -z "${DB_PASSWORD_FILE:-}" ] || password=$(password_of DB_PASSWORD_FILE)
	echo '[client]'
	if [ -n "${DB_SOCKET:-}" ]; then
		option socket "$DB_SOCKET"
	else
		option host "$DB_HOST"
		option port "${DB_PORT:-3306}"
		echo 'protocol=tcp'
	fi
	option user "$DB_USER"
	[ -z "$password" ] || option password "$password"
	if [ -n "${DB_CA:-}" ]; then
		option ssl-ca "$DB_CA"
		echo 'ssl-verify-server-cert'
	fi
	echo 'default-character-set=utf8mb4'
	echo 'connect-timeout=10'
	option init-command "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone='+00:00', foreign_key_checks=1"
}

# mysql, or from Sqitch 1.5 on MariaDB.
driver_of_sqitch() {
	perl -e 'for (@INC) { open(my $in, "<", "$_/App/Sqitch/Engine/mysql.pm") or next;
		while (<$in>) { if (/^sub driver.*DBD::(\w+)/) { print $1; exit } } } print "mysql"'
}

prepare() {
	need sqitch sqitch
	PROGRAM=$(command -v mariadb || command -v mysql) || die 'needs the program mariadb: apt-get install mariadb-client'
	DRIVER=$(driver_of_sqitch)
	perl "-MDBD::$DRIVER" -e 1 2>/dev/null ||
		die "needs the Perl module DBD::$DRIVER: apt-get install libdbd-${DRIVER,,}-perl"
	DB_USER=${DB_USER:-root}
	[ -n "${DB_SOCKET:-}${DB_HOST:-}" ] || die 'set DB_SOCKET, or DB_HOST and DB_PORT, to say which server'
	[ -z "${DB_CA:-}" ] || [ -r "$DB_CA" ] || die "DB_CA: the file '$DB_CA' cannot be read"
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/rowgate-deploy.XXXXXX")
	trap 'rm -rf "$SCRATCH"' EXIT
	umask 077
	write_options >"$SCRATCH/options"
	printf '#!/bin/sh\nexec "%s" --defaults-file="%s" "$@"\n' "$PROGRAM" "$SCRATCH/options" >"$SCRATCH/client"
	chmod 700 "$SCRATCH/client"
	unset MYSQL_PWD MYSQL_HOST MYSQL_TCP_PORT SQITCH_PASSWORD SQITCH_USERNAME
}

client() { "$SCRATCH/client" --batch --skip-column-names "$@"; }

# The server's own words, without "ERROR 1045 (28000) at line 3 in file: 'x'".
reason() { sed -n "s/.*ERROR [0-9]* ([0-9A-Z]*)\( at line [0-9]*\)\?\( in file: '[^']*'\)\?: //p" "$1" | head -n 1; }

check_server() {
	local version
	version=$(client -e 'SELECT VERSION()' 2>"$SCRATCH/err") ||
		die "${DB_SOCKET:-$DB_HOST:${DB_PORT:-3306}}: $(reason "$SCRATCH/err" | grep . || tail -n 1 "$SCRATCH/err")"
	case $version in
	5.* | 10.[0-5].*) die "the server is $version: MariaDB 10.6 or MySQL 8.0 is the oldest that works" ;;
	esac
}

# An administrator may write on a replica too, and on a writer that was demoted: what the others never see.
check_writer() {
	case $(client -e 'SELECT @@GLOBAL.read_only') in
	0 | OFF) ;;
	*) die "${DB_SOCKET:-$DB_HOST:${DB_PORT:-3306}}: the server is read-only" ;;
	esac
}

run_sql() { # WHAT DATABASE < statements
	client "$2" >/dev/null 2>"$SCRATCH/err" || die "$1: $(reason "$SCRATCH/err" | grep . || tail -n 1 "$SCRATCH/err")"
}

encoded() {
	local LC_ALL=C i
	for ((i = 0; i < ${#1}; i++)); do
		case ${1:i:1} in
		[A-Za-z0-9._/-]) printf %s "${1:i:1}" ;;
		*) printf '%%%02X' "'${1:i:1}" ;;
		esac
	done
}

# sqitch_run PROJECT COMMAND [OPTION...]: what it says is left in $SCRATCH/log.
sqitch_run() {
	local project=$1 command=$2 target
	shift 2
	target="db:mysql://$(encoded "$DB_USER")@/${DATABASE[$project]}?${DRIVER,,}_read_default_file=$(encoded "$SCRATCH/options")"
	HOME=$SCRATCH SQITCH_USER_CONFIG=/dev/null SQITCH_SYSTEM_CONFIG=/dev/null SQITCH_FULLNAME=Rowgate \
		SQITCH_EMAIL=rowgate@localhost LC_ALL=C.UTF-8 sqitch -C "$HERE/$project" "$command" "$@" \
		--registry "$REGISTRY" --db-client "$SCRATCH/client" --target "$target" >"$SCRATCH/log" 2>&1
}

sqitch_failed() { # PROJECT COMMAND
	local why
	why=$(reason "$SCRATCH/log")
	die "$1: sqitch $2 failed: ${why:-$(grep . "$SCRATCH/log" | tail -n 1)}"
}

# No DDL of MariaDB or MySQL is taken back by a transaction, so a change that failed, or was cut off, leaves behind what it
# had made, and would meet it the next time. What there was before lies in rowgate.deploying until all went well.
objects_of() { # DATABASE: a query
	cat <<-END
		SELECT IF(table_type = 'VIEW', 'VIEW', 'TABLE') AS kind, table_name AS name FROM information_schema.tables
		WHERE table_schema = '$1' AND NOT (table_schema = 'rowgate' AND table_name = 'deploying')
		UNION ALL SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = '$1'
		UNION ALL SELECT 'TRIGGER', trigger_name FROM information_schema.triggers WHERE trigger_schema = '$1'
		UNION ALL SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = '$1'
	END
}

pending() { # PROJECT: the scripts of its plan that the server has not seen
	local have=0
	! have=$(client -e "SELECT COUNT(*) FROM $REGISTRY.changes WHERE project = '$1'" 2>/dev/null) || true
	grep '^[a-z]' "$HERE/$1/sqitch.plan" | tail -n "+$((${have:-0} + 1))" | sed "s|^\([^ ]*\).*|$HERE/$1/deploy/\1.sql|"
}

remember() { # PROJECT
	{
		echo "CREATE TABLE IF NOT EXISTS rowgate.deploying (project VARCHAR(64) NOT NULL, kind VARCHAR(20) NOT NULL,"
		echo "  name VARCHAR(64) NOT NULL, PRIMARY KEY (project, kind, name)) COLLATE utf8mb4_bin COMMENT='What there was before deploy.sh began';"
		echo "INSERT INTO rowgate.deploying VALUES ('$1', '', '');"
		echo "INSERT INTO rowgate.deploying SELECT '$1', o.kind, o.name FROM ($(objects_of "${DATABASE[$1]}")) o;"
	} | run_sql "$1" rowgate
}

# What such a script makes, and what was not there before, is what is left of an attempt.
take_back() { # PROJECT
	local scripts kind name
	mapfile -t scripts < <(pending "$1")
	[ ${#scripts[@]} -gt 0 ] || return 0
	client rowgate -e "SELECT o.kind, o.name FROM ($(objects_of "${DATABASE[$1]}")) o LEFT JOIN deploying d
		ON d.project = '$1' AND d.kind = o.kind AND d.name = o.name WHERE d.name IS NULL" >"$SCRATCH/left" || return 0
	while read -r kind name; do
		! grep -qiE "^[[:space:]]*CREATE .*$kind (IF NOT EXISTS )?\`?$name\b" "${scripts[@]}" ||
			echo "DROP $kind IF EXISTS \`${DATABASE[$1]}\`.\`$name\`;"
	done <"$SCRATCH/left" >"$SCRATCH/drop"
	[ ! -s "$SCRATCH/drop" ] || { echo 'SET foreign_key_checks = 0;' && cat "$SCRATCH/drop"; } | run_sql "$1: what a migration left" rowgate
}

was_cut_off() { # PROJECT
	[ -n "$(client -e "SELECT 1 FROM rowgate.deploying WHERE project = '$1' LIMIT 1" 2>/dev/null)" ]
}

forget() { echo 'DROP TABLE IF EXISTS rowgate.deploying;' | run_sql databases rowgate; }

deploy_project() {
	local changes
	if [ -n "$(pending "$1")" ]; then
		if was_cut_off "$1"; then take_back "$1"; else remember "$1"; fi
	fi
	sqitch_run "$1" deploy --verify || {
		cp "$SCRATCH/log" "$SCRATCH/said"
		take_back "$1"
		forget
		mv "$SCRATCH/said" "$SCRATCH/log"
		sqitch_failed "$1" deploy
	}
	changes=$(grep -c '^ *+ .* ok$' "$SCRATCH/log") || true
	[ "$changes" -eq 0 ] || forget
	echo "$1: $([ "$changes" -eq 0 ] && echo 'up to date' || echo "$changes changes deployed")"
}

# As hexadecimal digits a password needs no quoting.
password_variable() { # VARIABLE PASSWORD
	printf 'SET @%s = CONVERT(0x%s USING utf8mb4);\n' "$1" "$(printf %s "$2" | od -An -v -tx1 | tr -d ' \n')"
}

login_works() { # USER PASSWORD
	{
		sed '/^user=/d; /^password=/d; /^init-command=/d' "$SCRATCH/options"
		option user "$1"
		option password "$2"
	} >"$SCRATCH/login"
	"$PROGRAM" --defaults-file="$SCRATCH/login" -e 'DO 1' >/dev/null 2>&1
}

# Statements that set @NAME_password and @NAME_old_password. One that works already beside the new one is left alone:
# then both are what the login has.
passwords_of() { # NAME SETTING USER
	local new old='' file=$2_OLD_PASSWORD_FILE
	new=$(password_of "$2_PASSWORD_FILE")
	[ ! -s "${!file:-}" ] || old=$(password_of "$file")
	[ "$old" != "$new" ] || old=''
	password_variable "$1_password" "$new"
	if [ -n "$old" ]; then
		password_variable "$1_old_password" "$old"
	else
		echo "SET @$1_old_password = NULL;"
	fi
}

# Both passwords are known already: on MySQL setting them again would take a moment in which one is not.
both_known() { # SETTING USER
	local file=$1_OLD_PASSWORD_FILE
	[ -s "${!file:-}" ] && login_works "$2" "$(password_of "$1_PASSWORD_FILE")" && login_works "$2" "$(password_of "$file")"
}

# Without the passwords: a release may bring new routines, and its pool needs the rights to them before it takes over.
rights_of() { sed '1,/^-- Rights/d' "$HERE/$1"; }

deploy_accounts() {
	local variables
	variables=$(passwords_of authenticator AUTHENTICATOR && passwords_of catalogue CATALOGUE)
	if both_known AUTHENTICATOR authenticator && both_known CATALOGUE rowgate_catalogue; then
		rights_of accounts.sql | run_sql accounts mysql
	else
		run_sql accounts mysql < <(
			echo "$variables"
			cat "$HERE/accounts.sql"
		)
	fi
	echo 'accounts: authenticator and rowgate_catalogue'
	deploy_kill
	if [ -n "${IDENTITY_PASSWORD_FILE:-}" ]; then
		deploy_identity
	elif client -e "SELECT User FROM mysql.user WHERE User = 'rowgate_identity'" | grep -q .; then
		rights_of identity.sql | run_sql accounts mysql
	fi
}

# So that a routine that hangs can be ended. Not every administrator may give it (RDS before 8.0.36).
deploy_kill() {
	local right
	for right in CONNECTION_ADMIN 'CONNECTION ADMIN'; do
		! client mysql <<<"GRANT $right ON *.* TO rowgate_catalogue@'%'" >/dev/null 2>&1 || return 0
	done
	echo 'accounts: without CONNECTION_ADMIN for rowgate_catalogue, routines that hang run on until the server ends them'
}

deploy_identity() {
	local variables
	variables=$(passwords_of identity IDENTITY)
	if both_known IDENTITY rowgate_identity; then
		rights_of identity.sql | run_sql accounts mysql
	else
		run_sql accounts mysql < <(
			echo "$variables"
			cat "$HERE/identity.sql"
		)
	fi
	echo 'accounts: rowgate_identity'
}

# One at a time on a server, whichever machine it is started on; the server lets go when this script's client ends. A
# Sqitch that outlived its deploy.sh is waited for too.
hold_server() {
	local project got
	coproc HOLD { client --unbuffered 2>&1; }
	for project in rowgate_deploy "${DATABASE[@]/#/sqitch working on }"; do
		echo "SELECT GET_LOCK('$project', 300);" >&"${HOLD[1]}"
		read -r got <&"${HOLD[0]}" || got=
		[ "$got" = 1 ] || die "another deploy.sh is at work on this server, for more than five minutes"
		[ "$project" = rowgate_deploy ] || echo "DO RELEASE_LOCK('$project');" >&"${HOLD[1]}"
	done
}

verb_deploy() {
	local project
	password_of AUTHENTICATOR_PASSWORD_FILE >/dev/null
	password_of CATALOGUE_PASSWORD_FILE >/dev/null
	[ -z "${IDENTITY_PASSWORD_FILE:-}" ] || password_of IDENTITY_PASSWORD_FILE >/dev/null
	hold_server
	for project in "${PROJECTS[@]}"; do
		echo "CREATE DATABASE IF NOT EXISTS ${DATABASE[$project]} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
	done | run_sql databases mysql
	for project in "${PROJECTS[@]}"; do
		deploy_project "$project"
	done
	deploy_accounts
}

verb_accounts() { deploy_accounts; }

verb_sample() {
	local project
	for project in wages incidents; do
		run_sql "$project sample" "${DATABASE[$project]}" <"$HERE/$project/sample.sql"
		echo "$project: sample data is there"
	done
}

verb_status() {
	local project
	for project in "${PROJECTS[@]}"; do
		sqitch_run "$project" status || true
		echo "$project: $(grep -v '^ *#\|^$' "$SCRATCH/log" | head -n 1)"
	done
}

verb_verify() {
	local project
	for project in "${PROJECTS[@]}"; do
		sqitch_run "$project" verify || sqitch_failed "$project" verify
		echo "$project: verified"
	done
}

drop_if_empty() { # DATABASE
	local left
	left=$(client -e "SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$1')
		+ (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = '$1')")
	[ "$left" -ne 0 ] || echo "DROP DATABASE IF EXISTS $1;" | run_sql "$1" mysql
}

verb_revert() {
	local i project
	echo "DROP USER IF EXISTS authenticator@'%', rowgate_catalogue@'%', rowgate_identity@'%';" | run_sql accounts mysql
	for ((i = ${#PROJECTS[@]} - 1; i >= 0; i--)); do
		project=${PROJECTS[i]}
		sqitch_run "$project" revert -y || grep -q 'Nothing to revert\|No changes deployed\|not been initialized' \
			"$SCRATCH/log" || sqitch_failed "$project" revert
		drop_if_empty "${DATABASE[$project]}"
		echo "$project: reverted"
	done
}

main() {
	local verb
	[ $# -gt 0 ] || set -- help
	for verb; do
		case $verb in
		deploy | accounts | sample | status | verify | revert) ;;
		help | -h | --help)
			usage
			exit 0
			;;
		*) die "no such verb: $verb (deploy, accounts, sample, status, verify, revert)" ;;
		esac
	done
	prepare
	check_server
	for verb; do
		case $verb in
		status | verify) ;;
		*) check_writer ;;
		esac
		"verb_$verb"
	done
}

main "$@"
