#!/usr/bin/env bash
# Oracle MySQL for the tests, on machines whose own archive has none: the packages mysql-server-core and
# mysql-client-core of Debian sid, unpacked (no maintainer script is run) into a folder that serves as a chroot, and
# started from there as an unprivileged user on a port of 127.0.0.1, with TLS. MariaDB needs no such thing: the tests
# use the private one of `make up`.
#
# Archives are those of this machine's apt (ROWGATE_MIRROR names another one). Processes are ended by pid and start
# time. The unpacked server is kept between runs; data are not.
set -euo pipefail
SUITE=${ROWGATE_SUITE:-sid}
DBUID=65534

usage() {
	cat >&2 <<-'END'
		usage: mysql97.sh FOLDER create          unpack the server (410 MB, some 10 s); 3 when the archive has none
		       mysql97.sh FOLDER start PORT      new data, then mysqld on 127.0.0.1:PORT; login 'admin', password in
		                                         FOLDER/password, CA in FOLDER/tls/ca.pem
		       mysql97.sh FOLDER again PORT      mysqld once more on the data there are
		       mysql97.sh FOLDER pid             of the running server
		       mysql97.sh FOLDER stop [SIGNAL]   ends it
		       mysql97.sh FOLDER destroy         ends it and removes its data
		MYSQLD_OPTIONS: further ones of mysqld's, without blanks in them
		ROWGATE_MYSQL_ROOT: where the server is unpacked (default FOLDER/root)
	END
	exit 2
}
die() {
	echo "mysql97.sh: $*" >&2
	exit 1
}

started_at() { sed -n 's/.*) [^ZX]/&/p' "/proc/$1/stat" 2>/dev/null | sed 's/.*) //' | cut -d' ' -f20; }
alive() {
	local pid start
	[ -s "$1" ] && read -r pid start <"$1" && [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ]
}

mirror() {
	[ -z "${ROWGATE_MIRROR:-}" ] || { echo "$ROWGATE_MIRROR" && return; }
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk '$2 !~ /-/ { print $1; exit }'
}

create() {
	local uri until date new=$ROOT.new dir
	[ ! -x "$ROOT/usr/sbin/mysqld" ] || return 0
	[ "$(id -u)" -eq 0 ] || die 'a chroot needs root'
	command -v mmdebstrap >/dev/null || die 'needs mmdebstrap (apt-get install mmdebstrap)'
	uri=$(mirror)
	[ -n "$uri" ] || die "no archive in this machine's apt sources"
	eval "$(apt-config shell until Acquire::Check-Valid-Until date Acquire::Check-Date)"
	rm -rf "$new"
	# base-files, dash and coreutils: without them an extracted root lacks bin, lib and lib64.
	mmdebstrap --quiet --mode=root --variant=extract \
		--include=base-files,dash,coreutils,mysql-server-core,mysql-client-core \
		--aptopt="Acquire::Check-Valid-Until \"${until:-true}\"" --aptopt="Acquire::Check-Date \"${date:-true}\"" \
		"$SUITE" "$new" "deb $uri $SUITE main" >"$W/create.log" 2>&1 || {
		rm -rf "$new"
		tail -n 3 "$W/create.log" >&2
		return 3
	}
	for dir in bin sbin lib lib64; do
		[ -e "$new/$dir" ] || { mkdir -p "$new/usr/$dir" && ln -s "usr/$dir" "$new/$dir"; }
	done
	mkdir -p "$new/dev" "$new/tmp" "$new/etc" "$new/srv"
	chmod 1777 "$new/tmp"
	[ -e "$new/dev/null" ] || mknod -m 666 "$new/dev/null" c 1 3
	[ -e "$new/dev/urandom" ] || mknod -m 666 "$new/dev/urandom" c 1 9
	[ -s "$new/etc/passwd" ] || printf 'root:x:0:0::/:/bin/sh\ndb:x:%s:%s::/srv:/bin/sh\n' $DBUID $DBUID >"$new/etc/passwd"
	[ -s "$new/etc/group" ] || printf 'root:x:0:\ndb:x:%s:\n' $DBUID >"$new/etc/group"
	rm -rf "$new"/var/lib/apt/lists/* "$new"/var/cache/apt/* "$ROOT"
	mv "$new" "$ROOT"
}

in_root() { chroot --userspec="$DBUID:$DBUID" "$ROOT" "$@"; }

# A CA and a server certificate, as RDS has them.
make_tls() {
	[ ! -s "$W/tls/server.pem" ] || return 0
	mkdir -p "$W/tls"
	(
		cd "$W/tls"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=test CA' \
			-keyout ca.key -out ca.pem
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key \
			-out server.csr
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
			-extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out server.pem
	) 2>/dev/null
}

initialise() {
	rm -rf "$HOME_DIR"
	mkdir -p "$HOME_DIR/files" "$HOME_DIR/tmp"
	make_tls
	cp "$W"/tls/ca.pem "$W"/tls/server.pem "$W"/tls/server.key "$HOME_DIR/"
	(umask 077 && openssl rand -hex 16 >"$W/password")
	cat >"$HOME_DIR/init.sql" <<-END
		CREATE USER 'admin'@'%' IDENTIFIED BY '$(cat "$W/password")' REQUIRE SSL;
		GRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;
	END
	chown -R "$DBUID:$DBUID" "$HOME_DIR"
	chmod 600 "$HOME_DIR/server.key" "$HOME_DIR/init.sql"
	in_root /usr/sbin/mysqld --no-defaults --initialize-insecure --datadir="$IN/data" --tmpdir="$IN/tmp" \
		--secure-file-priv="$IN/files" --init-file="$IN/init.sql" --log-error="$IN/init.log" || {
		tail -n 5 "$HOME_DIR/init.log" >&2
		die 'the data could not be initialised'
	}
}

start() {
	local left=600
	! alive "$PIDFILE" || die 'it runs already'
	# Of a server that was killed, whose pid may still be in the process table.
	rm -f "$HOME_DIR/s" "$HOME_DIR/s.lock"
	# shellcheck disable=SC2086
	setsid chroot --userspec="$DBUID:$DBUID" "$ROOT" /usr/sbin/mysqld --no-defaults --datadir="$IN/data" \
		--tmpdir="$IN/tmp" --secure-file-priv="$IN/files" --bind-address=127.0.0.1 --port="$1" \
		--socket="$IN/s" --mysqlx=OFF --pid-file="$IN/pid" --log-error="$IN/error.log" \
		--ssl-ca="$IN/ca.pem" --ssl-cert="$IN/server.pem" --ssl-key="$IN/server.key" \
		--innodb-flush-log-at-trx-commit=2 --skip-log-bin --skip-name-resolve \
		--innodb-buffer-pool-size=256M --max-connections=200 ${MYSQLD_OPTIONS:-} >"$W/out.log" 2>&1 </dev/null &
	echo "$! $(started_at $!)" >"$PIDFILE"
	# The pid stays the same: setsid and chroot both become mysqld.
	until in_root /usr/bin/mysql --no-defaults -uroot --socket="$IN/s" -e 'SELECT 1' >/dev/null 2>&1; do
		alive "$PIDFILE" || { tail -n 5 "$HOME_DIR/error.log" >&2 && die 'it ended while starting'; }
		[ $((left--)) -gt 0 ] || die 'it did not come up within a minute'
		sleep .1
	done
}

stop() {
	local left=300 pid
	alive "$PIDFILE" || return 0
	pid=$(cut -d' ' -f1 "$PIDFILE")
	kill -s CONT "$pid" 2>/dev/null || true
	kill -s "$1" "$pid" 2>/dev/null || true
	while alive "$PIDFILE" && [ $((left--)) -gt 0 ]; do sleep .1; done
	! alive "$PIDFILE" || kill -s KILL "$pid"
	# Its other threads may hold the files a little longer.
	while [ -d "/proc/$pid/task" ] && [ "$(ls "/proc/$pid/task")" != "$pid" ] && [ $((left--)) -gt 0 ]; do sleep .1; done
	rm -f "$PIDFILE"
}

[ $# -ge 2 ] || usage
mkdir -p "$1"
W=$(cd "$1" && pwd) ROOT=${ROWGATE_MYSQL_ROOT:-$(cd "$1" && pwd)/root}
# Several runs may use one unpacked server: each has its own data in it.
NAME=$(printf %s "$W" | cksum | cut -d' ' -f1)
IN=/srv/$NAME HOME_DIR=$ROOT/srv/$NAME PIDFILE=$W/mysqld.started
case $2 in
create) create ;;
start)
	[ $# -eq 3 ] || usage
	initialise
	start "$3"
	;;
again)
	[ $# -eq 3 ] || usage
	start "$3"
	;;
pid)
	alive "$PIDFILE" || exit 1
	cut -d' ' -f1 "$PIDFILE"
	;;
stop) stop "${3:-TERM}" ;;
destroy)
	stop TERM
	rm -rf "$HOME_DIR"
	;;
*) usage ;;
esac
