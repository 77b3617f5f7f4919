#!/bin/sh
# fuzz.sh TARGET [SECONDS]: builds tests/fuzz/fuzz_TARGET.c and runs it on its corpus.
# shellcheck disable=SC2046,SC2086
set -eu
cd "$(dirname "$0")/../.."
target=$1
seconds=${2:-60}
out=build/fuzz

mkdir -p "$out/corpus/$target"
clang -std=c11 -D_GNU_SOURCE -DROWGATE_VERSION='"fuzz"' -Iinclude -g -O1 -Wall -Wextra \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	-o "$out/fuzz_$target" "tests/fuzz/fuzz_$target.c" \
	$(find app -name '*.c' ! -path app/main.c ! -path 'app/cli/*' ! -path 'app/fetch/*') \
	$(pkg-config --cflags --libs json-c libjwt openssl zlib "${DBLIB:-libmariadb}") -lfcgi -lcrypt -lpthread -lm
dictionary=
[ -e "tests/fuzz/$target.dict" ] && dictionary="-dict=tests/fuzz/$target.dict"
exec "$out/fuzz_$target" -max_total_time="$seconds" -max_len=9000 -timeout=10 -print_final_stats=1 \
	-artifact_prefix="$out/" $dictionary "$out/corpus/$target" "tests/fuzz/corpus/$target"
