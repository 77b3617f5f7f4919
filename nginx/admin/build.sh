#!/usr/bin/env bash
# The web pages, from this folder to BUILD/pages: packages by npm ci, then esbuild. Nothing is done when they are there and
# nothing is newer. Without node the API works all the same, so what stands in the way is said in one line.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
BUILD=$(realpath -m "${1:-$HERE/../../build}")
WEB=$BUILD/web

no_pages() {
	echo "rowgate: no web pages: $*; the API works without them, 'make pages' builds them" >&2
	exit 1
}

fresh() { # FILE SOURCES...
	[ -e "$1" ] && [ -z "$(find "${@:2}" -newer "$1" -print -quit)" ]
}

! fresh "$BUILD/pages/index.html" "$HERE" || exit 0
for program in node npm; do
	command -v $program >/dev/null || no_pages "$program is missing (apt-get install --no-install-recommends nodejs npm)"
done
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || no_pages "node is version $major and 18 is needed"

mkdir -p "$WEB"
exec 9>"$WEB/lock"
flock 9
! fresh "$BUILD/pages/index.html" "$HERE" || exit 0
if ! fresh "$WEB/installed" "$HERE/package-lock.json"; then
	cp "$HERE/package.json" "$HERE/package-lock.json" "$WEB/"
	(cd "$WEB" && npm ci --ignore-scripts --no-audit --no-fund >"$WEB/npm.log" 2>&1) ||
		no_pages "npm could not install the packages ($WEB/npm.log)"
	touch "$WEB/installed"
fi
# From a copy beside the packages: the names of the files depend on where one lies from the other, and are to be the same
# wherever BUILD is (make release).
rm -rf "$WEB/source"
cp -r "$HERE" "$WEB/source"
node "$WEB/source/build.mjs" "$WEB" "$BUILD/pages" || no_pages 'esbuild failed'
