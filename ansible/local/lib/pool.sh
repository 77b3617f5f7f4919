# shellcheck shell=bash
# The workers of an instance: spawn-fcgi opens a socket, multiwatch keeps WORKERS processes on it. nginx knows them
# by the symlink run/live.sock, so that another pool can take over by renaming one link.

pool_start() {
	local drop=()
	# Anew: another version of the program may put other things in it.
	: >"$VAR/run/shared"
	chmod 600 "$VAR/run/shared"
	if [ "$APP_USER" != "$(id -un)" ]; then
		chown "$APP_USER" "$VAR/run/shared"
		drop=(-u "$APP_USER" -g "$APP_GROUP" -U "$APP_USER" -G "$APP_GROUP")
	fi
	rm -f "$VAR/run/blue.sock"
	# A worker that dies is replaced, however often: one that cannot start at all takes a second to say so.
	(cd "$VAR" && ulimit -n 1024 && spawn "$VAR/run/pool.started" "$VAR/log/rowgate.log" \
		spawn-fcgi -n -s "$SHORT/run/blue.sock" -b 1024 -M 0660 "${drop[@]}" -- \
		"$(command -v multiwatch)" -f "$WORKERS" -r 1000000 -s TERM -- \
		"$ROWGATE" serve -c "$SHORT/rowgate.conf")
	ln -sfn blue.sock "$VAR/run/live.sock"
}

# multiwatch would end the pool on SIGHUP: the signal goes to its children, and each says in the log how it went.
pool_reload() {
	local log=$VAR/log/rowgate.log from left=200 waiting answers='' pid
	from=$(($(stat -c %s "$log") + 1))
	waiting=$(children_of "$(pid_of "$VAR/run/pool.started")")
	for pid in $waiting; do
		kill -s HUP "$pid" 2>/dev/null || true
	done
	while [ -n "$waiting" ] && [ $((left--)) -gt 0 ]; do
		sleep .1
		answers=$(tail -c "+$from" "$log" | grep -E '"msg":"(reloaded|reload failed)' || true)
		waiting=$(for pid in $waiting; do
			if [ -e "/proc/$pid" ] && ! grep -q "\"pid\":$pid," <<<"$answers"; then echo "$pid"; fi
		done)
	done
	if grep -q '"msg":"reload failed' <<<"$answers"; then
		grep '"msg":"reload failed' <<<"$answers" | tail -n 1 >&2
		die "the workers keep their old configuration: correct it and run 'make reload' again"
	fi
	[ -z "$waiting" ] || say "$(wc -w <<<"$waiting") workers are busy and reload after their request"
}

pool_stop() { stop "$VAR/run/pool.started" TERM 30; }
