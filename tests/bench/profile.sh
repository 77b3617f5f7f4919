#!/usr/bin/env bash
# Where a worker's time goes: profile.sh key|page|nested|json|csv [perf|callgrind]
#
# Brings up the instance of `make bench` (run that once before: it loads the data), puts one worker of its own, under
# the profiler and without multiwatch, in the place of the pool (nginx knows the pool by a symlink), asks it for SECS
# seconds (default 10; callgrind: for REQUESTS requests, default 500), and lists the hottest functions. PROBE=1
# profiles the bare C probe on the same case. SERVER=1 profiles the database instead, with perf.
# The instance stays up: `make down VAR=var/bench` ends it.
set -euo pipefail
REPO=$(cd "$(dirname "$0")/../.." && pwd)
cd "$REPO"
VAR=$(realpath -m "${VAR:-var}")/bench BUILD=$(realpath -m "${BUILD:-build}") SECS=${SECS:-10} REQUESTS=${REQUESTS:-500}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
CASE=${1:-} TOOL=${2:-}

die() {
	echo "profile: $*" >&2
	exit 1
}

# shellcheck source-path=SCRIPTDIR source=../../ansible/local/lib/process.sh
. "$REPO/ansible/local/lib/process.sh"

target() {
	local probe=/rest/v1/employee/@eid
	case $CASE in
	key) rowgate='employees?eid=eq.@eid' ;;
	page) rowgate='employees?division=eq.Division%20@division&order=eid.desc&limit=25' probe='/rest/v1/employees?division=@division' ;;
	nested) rowgate='employees?select=*,salary_history(id,salary,date)&order=eid&limit=25&offset=1000' probe=/rest/v1/nested ;;
	json | csv) rowgate='salary_history?select=id,eid,salary,date' probe= ;;
	*) die 'usage: profile.sh key|page|nested|json|csv [perf|callgrind]' ;;
	esac
	TARGET=/rest/v1/$rowgate
	[ -z "${PROBE:-}" ] || TARGET=$probe
	[ -n "$TARGET" ] || die 'the probe has no export'
	export TARGET
}

worker_command() {
	if [ -n "${PROBE:-}" ]; then
		export BENCH_DB_SOCKET=$VAR/mysql.sock BENCH_DB_USER=root BENCH_DB_PASSWORD='' BENCH_SECRET_FILE=$VAR/keys/jwt-secret
		worker=("$BUILD/tests/bench/probe")
	else
		worker=("$BUILD/rowgate" serve -c "$VAR/rowgate.conf")
	fi
}

profiler_command() {
	out=$VAR/log/profile.$CASE
	rm -f "$out"
	case $TOOL in
	callgrind) profiler=(valgrind --tool=callgrind "--callgrind-out-file=$out" --dump-instr=no) ;;
	# No hardware counters in many virtual machines: the clock does.
	perf) profiler=(perf record -q -e cpu-clock -F 4999 -g -o "$out" --) ;;
	*) die "the profiler is perf or callgrind, not '$TOOL'" ;;
	esac
}

ask() {
	curl -sS --http1.1 --cacert "$ROWGATE_CA" -H "Authorization: Bearer $ROWGATE_SERVICE_KEY" "$@"
}

drive() {
	local media=application/json count=0
	case $CASE$TOOL in
	csv* | json*)
		[ "$CASE" = json ] || media=text/csv
		ask -o /dev/null -w '%{http_code}, %{size_download} bytes, %{time_total} s\n' -H "Accept: $media" "$ROWGATE_URL$TARGET"
		;;
	*callgrind)
		while [ $((count++)) -lt "$REQUESTS" ]; do
			path=${TARGET/@eid/$((count * 97))} path=${path/@division/C}
			printf 'url = "%s%s"\noutput = /dev/null\n' "$ROWGATE_URL" "$path"
		done | ask --globoff --fail -K -
		;;
	*) TOKEN=$ROWGATE_SERVICE_KEY wrk -t1 -c2 -d"${SECS}s" -s tests/bench/wrk.lua "$ROWGATE_URL" | tail -n 1 ;;
	esac
}

perf_report() {
	perf report -i "$out" --stdio --no-children -g none --percent-limit 0.4 "$@" 2>/dev/null |
		sed -n "/^#/d; /./p" | sed -n "1,${LINES_OUT:-70}p"
	echo
}

report() {
	if [ "$TOOL" = callgrind ]; then
		callgrind_annotate --auto=no "$out" | sed -n "1,${LINES_OUT:-80}p"
	else
		perf_report --sort dso
		perf_report --sort dso,symbol
	fi
	echo "profile: the whole of it is in $out" >&2
}

# The pool comes back into its place whatever happens.
end() {
	trap - EXIT
	ln -sfn blue.sock "$VAR/run/live.sock"
	stop "$VAR/run/profile.started" TERM 20
	rm -f "$VAR/run/profile.sock"
}

profile_worker() {
	worker_command
	profiler_command
	trap end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	rm -f "$VAR/run/profile.sock"
	spawn "$VAR/run/profile.started" "$VAR/log/profile.log" spawn-fcgi -n -s "$VAR/run/profile.sock" -b 1024 -M 0666 -- \
		"$(command -v "${profiler[0]}")" "${profiler[@]:1}" "${worker[@]}"
	sleep 1
	alive "$VAR/run/profile.started" || die "the worker ended: $(tail -n 5 "$VAR/log/profile.log")"
	ln -sfn profile.sock "$VAR/run/live.sock"
	drive
	# perf passes no signal on to what it records: the worker itself is asked to end, and then perf writes its file.
	for pid in $(children_of "$(pid_of "$VAR/run/profile.started")"); do
		kill -s TERM "$pid"
	done
	end
	report
}

profile_server() {
	TOOL=perf profiler_command
	perf record -q -e cpu-clock -F 4999 -g -o "$out" -p "$(pid_of "$VAR/run/mariadb.started")" &
	recorder=$!
	trap 'kill -s INT "$recorder" 2>/dev/null || true' EXIT
	drive
	kill -s INT "$recorder"
	wait "$recorder" || true
	TOOL=perf report
}

[ -z "${SERVER:-}" ] || [ -z "${PROBE:-}" ] || die 'SERVER=1 watches the database under the pool, not under the probe'
target
[ -n "$TOOL" ] || { command -v perf >/dev/null && TOOL=perf || TOOL=callgrind; }
make -s up "VAR=$VAR" "BUILD=$BUILD" >/dev/null
# shellcheck source=/dev/null
. "$VAR/rowgate.env"
if [ -n "${SERVER:-}" ]; then
	profile_server
else
	profile_worker
fi
