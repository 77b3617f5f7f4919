# shellcheck shell=bash
# nginx of an instance: the shared site (nginx/*.conf) inside ansible/local/nginx.conf.in, all under VAR.

nginx_version() { nginx -v 2>&1 | sed 's/.*nginx\/\([0-9.]*\).*/\1/'; }

# at_least VERSION: is nginx that new?
at_least() { printf '%s\n%s\n' "$1" "$(nginx_version)" | sort -V -C; }

# nginx_knows DIRECTIVE: some are backported, so the version does not tell.
nginx_knows() {
	local probe=$SHORT/run/nginx/probe.conf
	printf 'pid "%s/run/nginx/probe.pid"; error_log stderr;\nevents { }\nhttp { %s }\n' "$SHORT" "$1" >"$probe"
	nginx -t -p "$SHORT" -c "$probe" >/dev/null 2>&1
}

# Directives that depend on this nginx.
nginx_probed() {
	if nginx_knows 'max_headers 64;'; then
		echo 'max_headers 64;'
	fi
	if ! at_least 1.19.7; then
		echo 'http2_max_field_size 128k;'
		echo 'http2_max_header_size 512k;'
	fi
	if at_least 1.25.1; then
		echo 'http2 on;'
	fi
}

# What the settings of an instance make of the template.
nginx_render() {
	local user='' http2=' http2' files connections client='' allow='' address
	[ "$(id -u)" -ne 0 ] || user="user $APP_USER;"
	at_least 1.25.1 && http2=''
	files=$(ulimit -H -n)
	[ "$files" != unlimited ] && [ "$files" -lt 16384 ] || files=16384
	connections=$((files / 2))
	[ -z "$RATE" ] || client=limited
	for address in $METRICS_ALLOW; do
		allow="$allow $address 1;"
	done
	sed -e "s|@USER@|$user|; s|@VAR@|$SHORT|g; s|@FILES@|$files|; s|@CONNECTIONS@|$connections|" \
		-e "s|@METRICS_ALLOW@|$allow|; s|@CLIENT@|$client|; s|@RATE@|${RATE:-1}|; s|@PORT@|$PORT|" \
		-e "s|@LISTEN_HTTP2@|$http2|; s|@PROBED@|$(nginx_probed | tr '\n' ' ')|" \
		"$REPO/ansible/local/nginx.conf.in"
}

# The pages as they are built, else the one that says that they are not.
nginx_root() {
	if [ -r "$(dirname "$ROWGATE")/pages/index.html" ]; then
		realpath "$(dirname "$ROWGATE")/pages"
	else
		echo "$REPO/nginx/pages"
	fi
}

# Writes the configuration of this instance. True when it differs from the one before.
nginx_configure() {
	local folder=$SHORT/run/nginx before after
	before=$(cat "$folder/nginx.conf" "$folder"/rowgate/*.conf "$folder/server.sum" 2>/dev/null | cksum)
	mkdir -p "$folder/tmp" "$folder/rowgate"
	cp "$REPO"/nginx/*.conf "$folder/rowgate/"
	ln -sfn "$(nginx_root)" "$folder/pages"
	nginx_render >"$folder/nginx.conf"
	cksum <"$VAR/tls/server.pem" >"$folder/server.sum"
	after=$(cat "$folder/nginx.conf" "$folder"/rowgate/*.conf "$folder/server.sum" | cksum)
	[ "$before" != "$after" ]
}

# -e: else nginx before 1.19.5 and ours alike would look for the system's log at first.
nginx_command() {
	local log=()
	at_least 1.19.5 && log=(-e "$SHORT/log/nginx.log")
	printf '%s\0' nginx "${log[@]}" -p "$SHORT" -c "$SHORT/run/nginx/nginx.conf"
}

nginx_test() {
	local command
	mapfile -d '' command < <(nginx_command)
	"${command[@]}" -t -q 2>"$VAR/run/nginx/test" && return
	tail -n 3 "$VAR/run/nginx/test" >&2
	die "nginx refuses its configuration, $VAR/run/nginx/nginx.conf"
}

nginx_start() {
	local command
	nginx_configure || true
	nginx_test
	mapfile -d '' command < <(nginx_command)
	spawn "$VAR/run/nginx.started" "$VAR/log/nginx.log" "${command[@]}"
}

nginx_reload() {
	nginx_configure || return 0
	nginx_test
	kill -s HUP "$(pid_of "$VAR/run/nginx.started")"
	say 'nginx: new configuration'
}

nginx_stop() { stop "$VAR/run/nginx.started" QUIT 15; }

# port_owner: what listens on PORT of this machine, as "NAME (pid N)", or "another process".
port_owner() {
	local hex inodes inode fd
	hex=$(printf '%04X' "$PORT")
	inodes=$(awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null)
	[ -n "$inodes" ] || return 1
	for inode in $inodes; do
		for fd in /proc/[0-9]*/fd/*; do
			if [ "$(readlink "$fd" 2>/dev/null)" = "socket:[$inode]" ]; then
				fd=${fd#/proc/}
				echo "$(cat "/proc/${fd%%/*}/comm") (pid ${fd%%/*})"
				return
			fi
		done
	done
	echo 'a process of another user'
}

check_port() {
	local owner first
	first=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)
	[ "$(id -u)" -eq 0 ] || [ "$PORT" -ge "$first" ] || die "port $PORT is for root alone: choose one from $first with PORT=N"
	! owner=$(port_owner) || die "port $PORT is in use by $owner: end it, or choose another one with PORT=N"
}
