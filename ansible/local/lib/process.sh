# shellcheck shell=bash
# Processes of an instance. Each is known by pid and start time, so that a number given to somebody else since
# is never signalled. Each leads a session of its own: a Ctrl-C in the terminal does not reach it, and children
# it left behind can still be found.

# Nothing for a process that has ended, also when its parent has not yet been told (state Z).
started_at() {
	sed -n 's/.*) [^ZX]/&/p' "/proc/$1/stat" 2>/dev/null | sed 's/.*) //' | cut -d' ' -f20
}

# spawn PIDFILE LOG COMMAND...: in the background; COMMAND stays in its own foreground.
spawn() {
	local file=$1 log=$2
	shift 2
	setsid "$@" >>"$log" 2>&1 </dev/null 9>&- &
	printf '%s %s\n' "$!" "$(started_at "$!")" >"$file"
}

# alive PIDFILE: does the very process that was started still run?
alive() {
	local pid start
	[ -s "$1" ] && read -r pid start <"$1" && [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ]
}

pid_of() { cut -d' ' -f1 "$1"; }

children_of() { cat "/proc/$1/task/$1/children" 2>/dev/null || true; }

# members PIDFILE: "pid start" of every process in the session that PIDFILE's process led. When the leader is gone,
# its number cannot lead another session as long as members are left.
members() {
	local leader start pid rest
	[ -s "$1" ] && read -r leader start <"$1" || return 0
	if [ -n "$(started_at "$leader")" ] && [ "$(started_at "$leader")" != "$start" ]; then
		return 0
	fi
	for pid in /proc/[0-9]*; do
		rest=$(sed 's/.*) //' "$pid/stat" 2>/dev/null) || continue
		# shellcheck disable=SC2086
		set -- $rest
		if [ "${4:-}" = "$leader" ] && [ "$1" != Z ] && [ "${20}" -ge "$start" ]; then
			printf '%s %s\n' "${pid#/proc/}" "${20}"
		fi
	done
}

# stop PIDFILE SIGNAL SECONDS: the signal to the leader, time for it and its children to finish, then KILL for
# whatever is left of its session.
stop() {
	local file=$1 signal=$2 left=$(($3 * 10)) pid start
	[ -e "$file" ] || return 0
	if alive "$file"; then
		kill -s "$signal" "$(pid_of "$file")" 2>/dev/null || true
		while alive "$file" && [ $((left--)) -gt 0 ]; do
			sleep .1
		done
	fi
	members "$file" | while read -r pid start; do
		[ "$(started_at "$pid")" = "$start" ] && kill -s KILL "$pid" 2>/dev/null
	done || true
	rm -f "$file"
}
