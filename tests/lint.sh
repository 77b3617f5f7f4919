#!/usr/bin/env bash
# make lint: warnings of two compilers as errors, the shape of the code, static analysis, and rules of our own that a
# search can keep. Silent when there is nothing to say.
# shellcheck disable=SC2317
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
failed=0

say() {
	echo "lint: $*" >&2
	failed=1
}

step() { # step NAME COMMAND...: its output only when it fails
	local name=$1 out
	shift
	out=$("$@" 2>&1) || {
		printf '%s\n' "$out" >&2
		say "$name"
	}
}

mapfile -t sources < <(git ls-files -co --exclude-standard 'app/*.c')
# rowgate-jwks is built, and looked at, where libcurl is.
pkg-config --exists libcurl || mapfile -t sources < <(printf '%s\n' "${sources[@]}" | grep -v '^app/fetch/')
mapfile -t code < <(git ls-files -co --exclude-standard 'app/*.[ch]' 'include/*.h' 'tests/*.[ch]')
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run ansible/release/rowgate-pool 'ansible/roles/*/files/rowgate-*' \
	'ansible/roles/*/files/check-*' | grep -v '\.\(json\|yml\)$')
mapfile -t python < <(git ls-files -co --exclude-standard '*.py')
read -ra flags <<<"-std=c11 -D_GNU_SOURCE -Iinclude -DROWGATE_VERSION=\"0\" $(
	pkg-config --cflags json-c libjwt openssl zlib libmariadb
)"

for cc in gcc clang; do
	step "$cc" make -s -j2 "CC=$cc" "BUILD=$BUILD/lint-$cc" OPT='-O2 -g -Werror' all unit-programs
done
step clang-format clang-format --dry-run -Werror "${code[@]}"
tidy() {
	printf '%s\0' "${sources[@]}" | xargs -0 -P2 -I{} clang-tidy --quiet {} -- "${flags[@]}"
}
step clang-tidy tidy
step cppcheck cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--suppress=missingIncludeSystem --suppress=va_list_usedBeforeStarted -Iinclude app
step shellcheck shellcheck -x "${scripts[@]}"
in_ansible() { cd ansible && "$@"; }
if command -v yamllint >/dev/null; then step yamllint in_ansible yamllint -s .; fi
if command -v ansible-lint >/dev/null; then step ansible-lint in_ansible ansible-lint -p --offline --nocolor; fi
step python /usr/bin/python3 -m py_compile "${python[@]}"
for header in include/*.h; do
	step "$header does not compile alone" gcc "${flags[@]}" -Wall -Wextra -fsyntax-only -x c "$header"
done

# One file prepares; nothing else brings text to the database but constants.
if git grep -n 'mysql_stmt_prepare' -- app | grep -v '^app/db/stmt.c:' >&2; then say 'only app/db/stmt.c prepares'; fi
if git grep -nwE '(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets)\(' -- app include >&2; then say 'banned functions'; fi
exit $failed
