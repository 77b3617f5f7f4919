# Rowgate. `make run` starts everything, `make test` tests it, `make help` lists the rest.
BUILD ?= build
CC ?= gcc
PKGS = json-c libjwt openssl zlib
# DBLIB=mysqlclient builds against Oracle's client library instead of MariaDB Connector/C.
DBLIB ?= libmariadb
VERSION = 0.1.0

WARN = -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes \
       -Wwrite-strings -Wcast-qual -Wpointer-arith -Wvla
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
OPT ?= -O2 -g
SANITIZE ?=
CFLAGS += -std=c11 -D_GNU_SOURCE -Iinclude -DROWGATE_VERSION='"$(VERSION)"' $(OPT) $(WARN) $(HARDEN) $(SANITIZE) \
          $(shell pkg-config --cflags $(PKGS) $(DBLIB))
LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)
LIBS = $(shell pkg-config --libs $(PKGS) $(DBLIB)) -lfcgi -lcrypt -lpthread -lm

# app/fetch is a program of its own: rowgate-jwks, where libcurl is.
SRC := $(filter-out app/fetch/%,$(wildcard app/*.c app/*/*.c))
OBJ := $(SRC:%.c=$(BUILD)/%.o)
ALL_BUT_MAIN := $(filter-out $(BUILD)/app/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))

# A new version is a new program.
VERSIONED := $(shell grep -lr --include=*.c ROWGATE_VERSION app)

# What `make` alone makes: the program, and the pages where node is there.
everything: all
	@nginx/admin/build.sh $(BUILD) || true
all: $(BUILD)/rowgate
.PHONY: everything all unit unit-programs pages screenshots

# The web pages (nginx/admin/README.md), in $(BUILD)/pages.
pages:
	@nginx/admin/build.sh $(BUILD)
# Pictures of every page, in $(BUILD)/screenshots.
screenshots: all pages
	@BUILD=$(BUILD) SCREENSHOTS=1 tests/all.py browser

$(BUILD)/rowgate: $(OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# Fetches the keys of identity providers, under a timer (app/IDENTITY.md); needs libcurl4-openssl-dev.
.PHONY: jwks
jwks: $(BUILD)/rowgate-jwks
$(BUILD)/rowgate-jwks: $(BUILD)/app/fetch/jwks.o $(filter $(addprefix $(BUILD)/app/,base/% auth/% http/headers.o),$(OBJ))
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcurl

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(VERSIONED:%.c=$(BUILD)/%.o): Makefile

$(BUILD)/tests/unit/%: tests/unit/%.c $(ALL_BUT_MAIN)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(ALL_BUT_MAIN) $(LDFLAGS) $(LIBS) -lcmocka

unit-programs: $(UNIT)
unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done

-include $(OBJ:.o=.d) $(wildcard $(BUILD)/tests/unit/*.d)

# An instance on this machine (contract.md): VAR, PORT, WORKERS, DB, DB_USER, DB_PASSWORD_FILE, DB_CA come from the
# command line or the environment.
.PHONY: run up down reload status deps help
run up down reload status deps:
	@ansible/local/rowgate-local.sh $@

# All tests, or some stages of tests/all.py: make test STAGES="unit http". The last line is `N passed, M failed`.
.PHONY: test
test: deps all
	@BUILD=$(BUILD) tests/all.py $(STAGES)

# clang-tidy, clang-format, cppcheck, shellcheck, warnings as errors; the tests under AddressSanitizer and UBSan; one
# worker under valgrind.
.PHONY: lint asan valgrind
lint:
	@BUILD=$(BUILD) tests/lint.sh
asan:
	@BUILD=$(BUILD) tests/all.py asan
valgrind: all
	@BUILD=$(BUILD) tests/memory/memory.py

# Two minutes of writes on each server while workers and the database are killed.
.PHONY: fault
fault: all
	@for s in mariadb mysql; do BUILD=$(BUILD) tests/fault/fault.py --server $$s --seconds 120 --kills 20 || exit 1; done

# The benchmarks, side by side: tests/bench/README.md.
.PHONY: bench bench-programs
bench:
	@BUILD=$(BUILD) tests/bench/bench.sh
bench-programs: $(BUILD)/tests/bench/probe $(BUILD)/tests/bench/bulk $(BUILD)/tests/bench/load $(BUILD)/tests/bench/quartiles

$(BUILD)/tests/bench/%: tests/bench/%.c tests/bench/probe.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) $(LIBS)

# What a token costs: tests/bench/README.md.
$(BUILD)/tests/bench/auth: tests/bench/auth.c tests/unit/token_maker.h $(ALL_BUT_MAIN)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(ALL_BUT_MAIN) $(LDFLAGS) $(LIBS)

# One archive for the playbooks in ansible/: program, pages, sql, nginx, units, checksums. ansible/README.md.
.PHONY: release
release:
	@BUILD=$(BUILD) ansible/release/build.sh

# Fuzz targets: tests/fuzz/fuzz.sh builds with clang and sanitizers of its own.
NOT_FUZZED := $(filter $(BUILD)/app/main.o $(BUILD)/app/cli/%,$(OBJ))
$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(filter-out $(NOT_FUZZED),$(OBJ))
	$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDFLAGS) -fsanitize=fuzzer $(LIBS)

# Rowgate's verdict on tokens, for tests/clients/verdicts.test.mjs.
$(BUILD)/tests/clients/%: tests/clients/%.c $(ALL_BUT_MAIN)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(ALL_BUT_MAIN) $(LDFLAGS) $(LIBS)

help:
	@echo 'make          build $(BUILD)/rowgate, and the pages'
	@echo 'make pages    build the web pages (node)'
	@echo 'make jwks     build $(BUILD)/rowgate-jwks, which fetches other providers'\'' keys'
	@echo 'make run      an instance in the foreground: what is missing, database, sample data, workers, nginx'
	@echo 'make up       the same in the background; make down ends it, make reload reads the configuration again'
	@echo 'make status   what of it runs'
	@echo 'make deps     the packages that run and test need'
	@echo 'make unit     unit tests'
	@echo 'make test     all tests; STAGES="unit http" for some (tests/all.py)'
	@echo 'make lint     static analysis; make asan, make valgrind: tests under the sanitizers, under valgrind'
	@echo 'make screenshots  pictures of every page, in $(BUILD)/screenshots'
	@echo 'make release  $(BUILD)/release/rowgate.tar.gz: what the playbooks in ansible/ put on a host'
	@echo 'make fault    8 writers for two minutes while workers and the database are killed, on both servers'
	@echo 'make bench    Rowgate beside a bare C probe, FastAPI and Flask, as tables'
	@echo 'Variables: VAR=var PORT=8443 WORKERS=N DB=local|HOST:PORT DB_USER= DB_PASSWORD_FILE= DB_CA='
	@echo '           RATE=N (requests a second for each address) METRICS_ALLOW="ADDRESS..."'
