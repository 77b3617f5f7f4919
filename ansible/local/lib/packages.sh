# shellcheck shell=bash disable=SC2034
# What has to be on the machine, and how it gets there: apt packages whose names are the same on Debian 12,
# Ubuntu 22.04 and 24.04. A service that comes with a package is not left running or enabled: the instance runs
# its own nginx and MariaDB.

# One line each: what proves that it is there, and its packages.
RUN_NEEDS='
nginx|nginx
mariadbd|mariadb-server
mariadb|mariadb-client
spawn-fcgi|spawn-fcgi
multiwatch|multiwatch
sqitch|sqitch
openssl|openssl
curl|curl
'
# Sqitch's driver, from Sqitch 1.5 on another one.
case $(sed -n 's/^ID=//p; s/^VERSION_ID="*\([0-9.]*\)"*/\1/p' /etc/os-release | sort | paste -s) in
11*debian | 12*debian | 2[0-3].*ubuntu | 24.04*ubuntu) RUN_NEEDS+=$'perl:DBD::mysql|libdbd-mysql-perl\n' ;;
*) RUN_NEEDS+=$'perl:DBD::MariaDB|libdbd-mariadb-perl\n' ;;
esac
BUILD_NEEDS='
gcc|gcc
libc|libc6-dev
pkg-config|pkg-config
lib:fcgi|libfcgi-dev
lib:libcrypt|libcrypt-dev
lib:json-c|libjson-c-dev
lib:libjwt|libjwt-dev
lib:libmariadb|libmariadb-dev
lib:openssl|libssl-dev
lib:zlib|zlib1g-dev
'
# For the web pages, which an instance can do without.
PAGES_NEEDS='
node|nodejs
npm|npm
'
# For `make test`.
TEST_NEEDS='
lib:libcurl|libcurl4-openssl-dev
lib:cmocka|libcmocka-dev
python:pytest|python3-pytest
python:requests|python3-requests
python:jwt|python3-jwt
python:cryptography|python3-cryptography
python:pymysql|python3-pymysql
python:yaml|python3-yaml
rsync|rsync
lsof|lsof
ss|iproute2
node|nodejs
npm|npm
'
SERVICES='nginx mariadb'

present() {
	case $1 in
	lib:*) pkg-config --exists "${1#lib:}" 2>/dev/null ;;
	libc) [ -e /usr/include/stdlib.h ] ;;
	perl:*) perl -M"${1#perl:}" -e 1 2>/dev/null ;;
	python:*) /usr/bin/python3 -c "import ${1#python:}" 2>/dev/null ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# missing NEEDS...: the packages that are not there yet.
missing() {
	local need package
	printf '%s\n' "$@" | while IFS='|' read -r need package; do
		[ -z "$need" ] || present "$need" || printf '%s\n' "$package"
	done | xargs
}

# Runs as root: $@ are packages. Services stay down while and after they are installed.
install_as_root() {
	local policy=/usr/sbin/policy-rc.d service fresh=''
	for service in $SERVICES; do
		[ -e "/lib/systemd/system/$service.service" ] || fresh="$fresh $service"
	done
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update || echo 'the package lists could not be renewed' >&2
	apt-get -q -y --no-install-recommends install "$@" || return 1
	for service in $fresh; do
		if command -v systemctl >/dev/null; then
			systemctl disable --quiet "$service.service" || true
		fi
		update-rc.d "$service" disable || true
	done
}

# install_missing NEEDS...: or one line that says what to do.
install_missing() {
	local packages sudo='' log=$VAR/log/apt.log
	packages=$(missing "$@")
	[ -n "$packages" ] || return 0
	command -v apt-get >/dev/null ||
		die "these are missing and there is no apt-get to install them: $packages"
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			die "packages are missing and there is no sudo: as root, run 'apt-get install $packages'"
		sudo=sudo
	fi
	say "installing $packages"
	# shellcheck disable=SC2086
	$sudo env "SERVICES=$SERVICES" bash -c "$(declare -f install_as_root); install_as_root \"\$@\"" install \
		$packages >"$log" 2>&1 || {
		tail -n 5 "$log" >&2
		die "apt could not install $packages (see $log): run 'apt-get install $packages' as root and try again"
	}
	packages=$(missing "$@")
	[ -z "$packages" ] || die "still missing after the installation: $packages (see $log)"
}
