#!/bin/sh
# fuzz.sh TARGET [SECONDS]: builds tests/fuzz/fuzz_TARGET.c and runs it on its corpus. fuzz.sh build: all of them, not run.
set -eu
cd "$(dirname "$0")/../.."
seconds=${2:-60}
out=build/fuzz
flags='-fsanitize=address,undefined -fno-sanitize-recover=undefined'

build() {
	MAKEFLAGS='' make -s -j2 "BUILD=$out" CC=clang OPT='-O1 -g' "SANITIZE=-fsanitize=fuzzer-no-link $flags" "$out/fuzz_$1"
}

if [ "$1" = build ]; then
	for source in tests/fuzz/fuzz_*.c; do
		source=${source##*/fuzz_}
		build "${source%.c}"
	done
	exit
fi
build "$1"
mkdir -p "$out/corpus/$1"
set -- "$1" "$out/corpus/$1" "tests/fuzz/corpus/$1"
[ ! -e "tests/fuzz/$1.dict" ] || set -- "$@" "-dict=tests/fuzz/$1.dict"
target=$1
shift
# FUZZ_SEED: the same inputs in the same order, FUZZ_RUNS: so many of them, as CI wants it.
exec "$out/fuzz_$target" "-seed=${FUZZ_SEED:-0}" "-runs=${FUZZ_RUNS:--1}" -max_total_time="$seconds" -max_len=9000 -timeout=10 -print_final_stats=1 \
	-artifact_prefix="$out/" "$@"
