# shellcheck shell=bash
# The workers of an instance: spawn-fcgi opens a socket, multiwatch keeps WORKERS processes on it. nginx knows them
# by the symlink run/live.sock, so that another pool can take over by renaming one link.

pool_start() {
	local drop=()
	: >>"$VAR/run/shared"
	chmod 600 "$VAR/run/shared"
	if [ "$(id -u)" -eq 0 ]; then
		chown "$APP_USER" "$VAR/run/shared"
		drop=(-u "$APP_USER" -g "$APP_GROUP" -U "$APP_USER" -G "$APP_GROUP")
	fi
	rm -f "$VAR/run/blue.sock"
	# A worker that dies is replaced, unless it does nothing but die: 20 times, each within 10 s of its start.
	(cd "$VAR" && ulimit -n 1024 && spawn "$VAR/run/pool.started" "$VAR/log/rowgate.log" \
		spawn-fcgi -n -s "$SHORT/run/blue.sock" -b 1024 -M 0660 "${drop[@]}" -- \
		"$(command -v multiwatch)" -f "$WORKERS" -r 20 -t 10000 -s TERM -- \
		"$ROWGATE" serve -c "$SHORT/rowgate.conf")
	ln -sfn blue.sock "$VAR/run/live.sock"
}

# multiwatch would end the pool on SIGHUP: the signal goes to its children.
pool_reload() {
	local log=$VAR/log/rowgate.log from left=200 pid waiting
	from=$(($(stat -c %s "$log") + 1))
	waiting=$(children_of "$(pid_of "$VAR/run/pool.started")")
	for pid in $waiting; do
		kill -s HUP "$pid" 2>/dev/null || true
	done
	while [ -n "$waiting" ]; do
		waiting=$(for pid in $waiting; do reloading "$pid" "$from" && echo "$pid"; done || true)
		[ $((left--)) -gt 0 ] || break
		sleep .1
	done
	! reload_answers "$from" | grep -q '"reload failed' || {
		reload_answers "$from" | grep '"reload failed' | tail -n 1 >&2
		die "the workers keep their old configuration: correct it and run 'make reload' again"
	}
	[ -z "$waiting" ] || say "$(echo "$waiting" | wc -w) workers are busy and reload after their request"
}

reload_answers() { tail -c "+$1" "$VAR/log/rowgate.log" | grep -E '"msg":"(reloaded|reload failed)'; }

# reloading PID FROM: does the worker still owe its answer?
reloading() { [ -e "/proc/$1" ] && ! reload_answers "$2" | grep -q "\"pid\":$1[,}]"; }

pool_stop() { stop "$VAR/run/pool.started" TERM 30; }
