#!/usr/bin/env bash
# Rowgate with Oracle's libmysqlclient, on machines whose own archive has none: libmysqlclient-dev of Debian sid,
# unpacked (no maintainer script is run) into a folder. The rest - compilers, the other libraries - is the machine's own.
# What sid's libraries want of a newer libc is found when the program starts: its loader and its libc are sid's too.
#
# Archives are those of this machine's apt (ROWGATE_MIRROR names another one).
set -euo pipefail
SUITE=${ROWGATE_SUITE:-sid}
REPO=$(cd "$(dirname "$0")/../.." && pwd)

usage() {
	cat >&2 <<-'END'
		usage: mysqlclient.sh FOLDER create            unpack the library (170 MB, some 10 s); 3 when the archive has none
		       mysqlclient.sh FOLDER build CC [WORD...]  make with that compiler, warnings as errors: FOLDER/CC/rowgate
		Accounts of mysql_native_password, as MariaDB has them, need LIBMYSQL_PLUGIN_DIR=FOLDER/root/usr/lib/mysql/plugin.
	END
	exit 2
}
die() {
	echo "mysqlclient.sh: $*" >&2
	exit 1
}

mirror() {
	[ -z "${ROWGATE_MIRROR:-}" ] || { echo "$ROWGATE_MIRROR" && return; }
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk '$2 !~ /-/ { print $1; exit }'
}

create() {
	local uri until date new=$W/root.new
	[ ! -d "$W/root" ] || return 0
	[ "$(id -u)" -eq 0 ] || die 'unpacking needs root'
	command -v mmdebstrap >/dev/null || die 'needs mmdebstrap (apt-get install mmdebstrap)'
	uri=$(mirror)
	[ -n "$uri" ] || die "no archive in this machine's apt sources"
	eval "$(apt-config shell until Acquire::Check-Valid-Until date Acquire::Check-Date)"
	rm -rf "$new"
	# mysql-client-core has the plugin of mysql_native_password.
	mmdebstrap --quiet --mode=root --variant=extract --include=base-files,libmysqlclient-dev,mysql-client-core \
		--aptopt="Acquire::Check-Valid-Until \"${until:-true}\"" --aptopt="Acquire::Check-Date \"${date:-true}\"" \
		"$SUITE" "$new" "deb $uri $SUITE main" >"$W/create.log" 2>&1 || {
		rm -rf "$new"
		tail -n 3 "$W/create.log" >&2
		return 3
	}
	rm -rf "$new"/var/lib/apt/lists/* "$new"/var/cache/apt/* "${new:?}"/usr/share
	# The headers alone: those of sid's libc beside them are not meant.
	mkdir -p "$W/include" "$W/pkgconfig"
	ln -sfn ../root/usr/include/mysql "$W/include/mysql"
	cat >"$W/pkgconfig/mysqlclient.pc" <<-END
		Name: mysqlclient
		Description: libmysqlclient of $SUITE
		Version: 0
		Cflags: -I$W/include -I$W/include/mysql
		Libs: -L$(libraries "$W/root") -lmysqlclient
	END
	mv "$new" "$W/root"
}

libraries() { echo "$1/usr/lib/$(gcc -print-multiarch)"; }

build() {
	local cc=$1 own sid loader
	shift
	[ -d "$W/root" ] || die "create it first"
	sid=$(libraries "$W/root")
	own=$(libraries '')
	loader=$(find "$sid" -maxdepth 1 -name 'ld-linux*.so.*')
	[ -n "$loader" ] || die "no loader in $sid"
	env -u MAKEFLAGS -u MFLAGS PKG_CONFIG_PATH="$W/pkgconfig" \
		LDFLAGS="-Wl,--unresolved-symbols=ignore-in-shared-libs,--dynamic-linker=$loader,--disable-new-dtags,-rpath,$sid:$own" \
		make -s -j2 -C "$REPO" DBLIB=mysqlclient CC="$cc" BUILD="$W/$cc" OPT='-O2 -g -Werror' "$@" all
}

[ $# -ge 2 ] || usage
mkdir -p "$1"
W=$(cd "$1" && pwd)
case $2 in
create) create ;;
build)
	[ $# -ge 3 ] || usage
	build "${@:3}"
	;;
*) usage ;;
esac
