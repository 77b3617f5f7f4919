#!/usr/bin/env bash
# make release: one archive with all that a host needs, the same byte for byte wherever the same commit is built with
# the same compiler and libraries. It holds the programs, the pages, sql/, nginx/, the units, rowgate-pool,
# SHA256SUMS over all of them, and MANIFEST.json: version, commit, platform, and the packages and libraries it needs.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
OUT=$BUILD/release

die() {
	echo "release: $*" >&2
	exit 1
}

need() { command -v "$1" >/dev/null || die "needs the program $1: apt-get install $2"; }

# The packages of the libraries that the programs name themselves; theirs come with them.
packages() {
	local library
	ldd "$@" | awk '/=> \// { print $1, $3 }' | grep -Ff <(sonames "$@") | sort -u | while read -r library library; do
		library=$(realpath "$library")
		dpkg -S "$library" 2>/dev/null || dpkg -S "${library#/usr}"
	done | sed 's/:.*//' | sort -u
}

sonames() { objdump -p "$@" | awk '$1 == "NEEDED" { print $2 }' | sort -u; }

json_list() { sed 's/.*/"&"/' | paste -sd, | sed 's/,/, /g'; }

json_versions() {
	local package
	while read -r package; do
		printf '    "%s": "%s"\n' "$package" "$(dpkg-query -W -f '${Version}' "$package" | head -n 1)"
	done | sed '$!s/$/,/'
}

manifest() { # PROGRAM...
	cat <<-END
		{
		  "name": "rowgate",
		  "version": "$VERSION",
		  "commit": "$COMMIT",
		  "release": "$NAME",
		  "time": "$(date -u -d "@$EPOCH" +%Y-%m-%dT%H:%M:%SZ)",
		  "platform": "$PLATFORM",
		  "libraries": [$(sonames "$@" | json_list)],
		  "packages": {
		$(packages "$@" | json_versions)
		  }
		}
	END
}

need git git
need objdump binutils
need dpkg-query dpkg
pkg-config --exists libcurl || die 'needs libcurl for rowgate-jwks: apt-get install libcurl4-openssl-dev'
VERSION=$(sed -n 's/^VERSION = //p' Makefile)
COMMIT=$(git rev-parse HEAD)
EPOCH=$(git log -1 --format=%ct)
PLATFORM=$(sed -n 's/^ID=//p' /etc/os-release)-$(sed -n 's/^VERSION_ID="\?\([^"]*\)"\?/\1/p' /etc/os-release)-$(uname -m)
NAME=rowgate-$VERSION-${COMMIT:0:12}
# What is built is not what it is built from, wherever BUILD is.
SOURCES=(.)
[ -z "${BUILD##/*}" ] || SOURCES+=(":(exclude)$BUILD")
if [ -n "$(git status --porcelain -- "${SOURCES[@]}")" ]; then
	# Work in progress: its own name, so that it never passes for the commit.
	NAME=$NAME-$( (git diff HEAD; git ls-files -o --exclude-standard -z -- "${SOURCES[@]}" | xargs -0r cat) | sha256sum | cut -c1-8)
fi

# Neither the folder nor the flags of the machine go into the programs.
unset CFLAGS LDFLAGS
env -u MAKEFLAGS -u MFLAGS make -s -j2 "BUILD=$OUT/obj" "OPT=-O2 -g -ffile-prefix-map=$PWD=. -ffile-prefix-map=$OUT/obj=obj" \
	all jwks >&2 || die 'the build failed: see the compiler above'
[ -z "$(sed -n 's/^\.PHONY:.*\bpages\b.*/y/p' Makefile)" ] || env -u MAKEFLAGS -u MFLAGS make -s "BUILD=$BUILD" pages >&2 ||
	die 'the pages could not be built'

TREE=$OUT/tree/$NAME
rm -rf "$OUT/tree"
mkdir -p "$TREE"/{bin,sbin,pages,nginx,systemd}
for program in rowgate rowgate-jwks; do
	strip -o "$TREE/bin/$program" "$OUT/obj/$program"
done
cp -r nginx/pages/. "$TREE/pages/"
[ ! -d "$BUILD/pages" ] || cp -r "$BUILD/pages/." "$TREE/pages/"
cp nginx/*.conf "$TREE/nginx/"
cp ansible/release/systemd/* "$TREE/systemd/"
cp ansible/release/rowgate-pool "$TREE/sbin/"
git ls-files -z sql LICENSE | xargs -0 cp --parents -t "$TREE"
manifest "$TREE/bin/rowgate" "$TREE/bin/rowgate-jwks" >"$TREE/MANIFEST.json"
chmod -R u=rwX,go=rX "$TREE"
(cd "$TREE" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum) >"$OUT/SHA256SUMS"
install -m 644 "$OUT/SHA256SUMS" "$TREE/SHA256SUMS"

ARCHIVE=$OUT/$NAME.tar.gz
tar -C "$OUT/tree" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$EPOCH" -cf - "$NAME" |
	gzip -9n >"$ARCHIVE.new"
mv "$ARCHIVE.new" "$ARCHIVE"
(cd "$OUT" && sha256sum "$NAME.tar.gz" >"$NAME.tar.gz.sha256")
ln -sfn "$NAME.tar.gz" "$OUT/rowgate.tar.gz"
rm -rf "$OUT/tree"
echo "$ARCHIVE"
