/*
 * The settings. One row of a table is one setting: its name as in rowgate.conf, its type, its default and its
 * place in struct config. The environment overrides the file: db-max-rows is ROWGATE_DB_MAX_ROWS.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "secret.h"

#define MAX_FILE ((size_t)1 << 20)

struct word {
	const char *name;
	int value;
};

enum kind { SECRET, TEXT, PATH, LIST, NUMBER, BOOLEAN, WORD };

struct setting {
	const char *name;
	enum kind kind;
	size_t place;
	const char *initial;
	const struct word *words; /* WORD: ends with a NULL name */
	uint64_t max;             /* NUMBER */
};

static const struct word tx_words[] = { { "commit", TX_COMMIT },
					{ "commit-allow-override", TX_COMMIT_OVERRIDE },
					{ "rollback", TX_ROLLBACK },
					{ "rollback-allow-override", TX_ROLLBACK_OVERRIDE },
					{ NULL, 0 } };
static const struct word trace_words[] = {
	{ "sampled", TRACE_SAMPLED }, { "always", TRACE_ALWAYS }, { "never", TRACE_NEVER }, { NULL, 0 }
};
static const struct word compare_words[] = { { "column", COMPARE_COLUMN }, { "exact", COMPARE_EXACT }, { NULL, 0 } };
static const struct word openapi_words[] = { { "follow-privileges", OPENAPI_FOLLOW },
					     { "ignore-privileges", OPENAPI_IGNORE },
					     { "disabled", OPENAPI_DISABLED },
					     { NULL, 0 } };
static const struct word level_words[] = { { "crit", LOG_CRIT }, { "error", LOG_ERROR }, { "warn", LOG_WARN },
					   { "info", LOG_INFO }, { "debug", LOG_DEBUG }, { NULL, 0 } };
static const struct word verbosity_words[] = { { "verbose", false }, { "minimal", true }, { NULL, 0 } };

#define AT(field) offsetof(struct config, field)
#define SECONDS_MAX 86400
#define MILLISECONDS_MAX 86400000

static const struct setting settings[] = {
	{ "db-schemas", LIST, AT(db_schemas), "", NULL, 0 },
	{ "db-anon-role", TEXT, AT(db_anon_role), "", NULL, 0 },
	{ "db-max-rows", NUMBER, AT(db_max_rows), "0", NULL, INT64_MAX },
	{ "db-tx-end", WORD, AT(db_tx_end), "commit", tx_words, 0 },
	{ "db-aggregates-enabled", BOOLEAN, AT(db_aggregates_enabled), "true", NULL, 0 },
	{ "db-max-distinct", NUMBER, AT(db_max_distinct), "2000000", NULL, UINT32_MAX },
	{ "db-plan-enabled", BOOLEAN, AT(db_plan_enabled), "false", NULL, 0 },
	{ "db-pre-request", TEXT, AT(db_pre_request), "", NULL, 0 },
	{ "db-host", LIST, AT(db_host), "", NULL, 0 },
	{ "db-port", NUMBER, AT(db_port), "3306", NULL, 65535 },
	{ "db-socket", PATH, AT(db_socket), "", NULL, 0 },
	{ "db-reader-host", TEXT, AT(db_reader_host), "", NULL, 0 },
	{ "db-reader-port", NUMBER, AT(db_reader_port), "0", NULL, 65535 },
	{ "db-reader-max-lag", NUMBER, AT(db_reader_max_lag), "5", NULL, SECONDS_MAX },
	{ "db-user", TEXT, AT(db_user), "authenticator", NULL, 0 },
	{ "db-password-file", PATH, AT(db_password_file), "", NULL, 0 },
	{ "db-ca", PATH, AT(db_ca), "", NULL, 0 },
	{ "db-catalogue-user", TEXT, AT(db_catalogue_user), "", NULL, 0 },
	{ "db-catalogue-password-file", PATH, AT(db_catalogue_password_file), "", NULL, 0 },
	{ "db-statement-timeout", NUMBER, AT(db_statement_timeout), "10000", NULL, MILLISECONDS_MAX },
	{ "db-stream-timeout", NUMBER, AT(db_stream_timeout), "300000", NULL, MILLISECONDS_MAX },
	{ "db-identity-user", TEXT, AT(db_identity_user), "", NULL, 0 },
	{ "db-identity-password-file", PATH, AT(db_identity_password_file), "", NULL, 0 },
	{ "db-connect-timeout", NUMBER, AT(db_connect_timeout), "2000", NULL, MILLISECONDS_MAX },
	{ "db-connections-per-worker", NUMBER, AT(db_connections_per_worker), "4", NULL, 1000 },
	{ "db-statement-cache", NUMBER, AT(db_statement_cache), "64", NULL, 10000 },
	{ "db-max-allowed-packet", NUMBER, AT(db_max_allowed_packet), "33554432", NULL, 1 << 30 },
	{ "db-write-unfiltered", BOOLEAN, AT(write_unfiltered), "false", NULL, 0 },
	{ "db-schema-poll", NUMBER, AT(db_schema_poll), "3", NULL, SECONDS_MAX },
	{ "db-trace-comment", WORD, AT(db_trace_comment), "sampled", trace_words, 0 },
	{ "text-compare", WORD, AT(text_compare), "column", compare_words, 0 },
	{ "max-embed-depth", NUMBER, AT(max_embed_depth), "12", NULL, 30 },
	{ "max-body-size", NUMBER, AT(max_body_size), "1073741824", NULL, INT64_MAX },
	{ "idempotency-ttl", NUMBER, AT(idempotency_ttl), "86400", NULL, SECONDS_MAX },
	{ "idempotency-required", LIST, AT(idempotency_required), "", NULL, 0 },
	{ "jwt-secret", SECRET, AT(jwt_secret), "", NULL, 0 },
	{ "jwt-secret-file", PATH, AT(jwt_secret_file), "", NULL, 0 },
	{ "jwt-secret-is-base64", BOOLEAN, AT(jwt_secret_is_base64), "false", NULL, 0 },
	{ "jwt-jwks-folder", PATH, AT(jwt_jwks_folder), "", NULL, 0 },
	{ "jwt-jwks-urls", LIST, AT(jwt_jwks_urls), "", NULL, 0 },
	{ "jwt-jwks-ca", PATH, AT(jwt_jwks_ca), "", NULL, 0 },
	{ "jwt-aud", TEXT, AT(jwt_aud), "", NULL, 0 },
	{ "jwt-issuer", TEXT, AT(jwt_issuer), "", NULL, 0 },
	{ "jwt-role-claim-key", TEXT, AT(jwt_role_claim_key), ".role", NULL, 0 },
	{ "jwt-required-claims", TEXT, AT(jwt_required_claims), "exp", NULL, 0 },
	{ "jwt-leeway", NUMBER, AT(jwt_leeway), "30", NULL, 3600 },
	{ "jwt-cache-max-entries", NUMBER, AT(jwt_cache_max_entries), "256", NULL, 65536 },
	{ "auth-signing-keys", PATH, AT(auth_signing_keys), "", NULL, 0 },
	{ "auth-default-role", TEXT, AT(auth_default_role), "authenticated", NULL, 0 },
	{ "auth-admin-role", TEXT, AT(auth_admin_role), "service_role", NULL, 0 },
	{ "auth-signup-enabled", BOOLEAN, AT(auth_signup_enabled), "false", NULL, 0 },
	{ "auth-access-ttl", NUMBER, AT(auth_access_ttl), "900", NULL, SECONDS_MAX },
	{ "auth-refresh-ttl", NUMBER, AT(auth_refresh_ttl), "2592000", NULL, INT32_MAX },
	{ "auth-refresh-reuse", NUMBER, AT(auth_refresh_reuse), "10", NULL, 300 },
	{ "auth-password-min", NUMBER, AT(auth_password_min), "8", NULL, 72 },
	{ "auth-hash-cost", NUMBER, AT(auth_hash_cost), "5", NULL, 11 },
	{ "auth-hash-share", NUMBER, AT(auth_hash_share), "25", NULL, 100 },
	{ "auth-login-attempts", NUMBER, AT(auth_login_attempts), "5", NULL, 1000 },
	{ "client-error-verbosity", WORD, AT(client_error_terse), "verbose", verbosity_words, 0 },
	{ "server-cors-allowed-origins", LIST, AT(cors_allowed_origins), "", NULL, 0 },
	{ "server-timing-enabled", BOOLEAN, AT(server_timing_enabled), "false", NULL, 0 },
	{ "server-trace-header", TEXT, AT(server_trace_header), "", NULL, 0 },
	{ "openapi-mode", WORD, AT(openapi_mode), "follow-privileges", openapi_words, 0 },
	{ "openapi-server-proxy-uri", TEXT, AT(openapi_server_proxy_uri), "", NULL, 0 },
	{ "openapi-title", TEXT, AT(openapi_title), "", NULL, 0 },
	{ "openapi-description", TEXT, AT(openapi_description), "", NULL, 0 },
	{ "url-use-legacy-target-names", BOOLEAN, AT(url_use_legacy_target_names), "true", NULL, 0 },
	{ "max-url-length", NUMBER, AT(max_url_length), "131072", NULL, 1048576 },
	{ "log-level", WORD, AT(log_level), "info", level_words, 0 },
	{ "shared-file", PATH, AT(shared_file), "", NULL, 0 },
};

#define NSETTINGS (sizeof(settings) / sizeof(*settings))

static struct config_list list_of(struct arena *a, struct slice text)
{
	struct config_list list = { NULL, 0 };
	struct slice rest = text, part;
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == ',';
	list.items = arena_array(a, const char *, n);
	while (slice_split(&rest, ',', &part)) {
		part = slice_trim(part);
		if (part.len)
			list.items[list.n++] = slice_cstr(a, part);
	}
	return list;
}

static bool set_word(const struct setting *s, struct slice value, void *place, struct error *err)
{
	for (const struct word *w = s->words; w->name; w++)
		if (slice_is(value, w->name)) {
			if (s->place == AT(client_error_terse))
				*(bool *)place = w->value != 0;
			else
				*(int *)place = w->value;
			return true;
		}
	return error_set(err, ERR_INTERNAL, "%s: unknown word '%.*s'", s->name, (int)value.len, value.ptr);
}

static bool set_boolean(const struct setting *s, struct slice value, bool *place, struct error *err)
{
	*place = slice_is(value, "true") || slice_is(value, "on") || slice_is(value, "1") || slice_is(value, "yes");
	if (*place || slice_is(value, "false") || slice_is(value, "off") || slice_is(value, "0") ||
	    slice_is(value, "no"))
		return true;
	return error_set(err, ERR_INTERNAL, "%s: expected true or false, not '%.*s'", s->name, (int)value.len,
			 value.ptr);
}

static const char *own_secret(struct arena *a, struct slice value)
{
	char *copy = secret_copy(value.ptr, value.len);

	arena_defer(a, secret_free, copy);
	return copy;
}

/* folder: of the configuration file, with its final slash; what relative names are relative to. */
static bool set_value(struct arena *a, const struct setting *s, struct slice value, struct slice folder,
		      struct config *out, struct error *err)
{
	char *place = (char *)out + s->place;

	switch (s->kind) {
	case SECRET:
		*(const char **)(void *)place = value.len ? own_secret(a, value) : "";
		return true;
	case TEXT:
		*(const char **)(void *)place = slice_cstr(a, value);
		return true;
	case PATH:
		if (value.len && value.ptr[0] != '/')
			*(const char **)(void *)place =
				arena_printf(a, "%.*s%.*s", (int)folder.len, folder.ptr, (int)value.len, value.ptr);
		else
			*(const char **)(void *)place = slice_cstr(a, value);
		return true;
	case LIST:
		*(struct config_list *)(void *)place = list_of(a, value);
		return true;
	case NUMBER:
		if (!value.len)
			value = slice_of(s->initial);
		if (!parse_u64(value, (uint64_t *)(void *)place) || *(uint64_t *)(void *)place > s->max)
			return error_set(err, ERR_INTERNAL, "%s: expected a whole number up to %llu, not '%.*s'",
					 s->name, (unsigned long long)s->max, (int)value.len, value.ptr);
		return true;
	case BOOLEAN:
		return set_boolean(s, value.len ? value : slice_of(s->initial), (bool *)place, err);
	case WORD:
		return set_word(s, value.len ? value : slice_of(s->initial), place, err);
	}
	return false;
}

static const struct setting *find(struct slice name)
{
	for (size_t i = 0; i < NSETTINGS; i++)
		if (slice_is(name, settings[i].name))
			return &settings[i];
	return NULL;
}

/* The line without its comment: '#' at the start or after a blank. */
static struct slice uncommented(struct slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] == '#' && (i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t')) {
			line.len = i;
			break;
		}
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return slice_trim(line);
}

static bool set_line(struct arena *a, struct slice line, struct slice folder, struct config *out, struct error *err)
{
	struct slice value = line, name;
	const struct setting *s;

	if (!slice_split(&value, '=', &name) || !value.ptr)
		return error_set(err, ERR_INTERNAL, "expected 'name = value'");
	name = slice_trim(name);
	s = find(name);
	if (!s)
		return error_set(err, ERR_INTERNAL, "unknown setting '%.*s'", (int)name.len, name.ptr);
	return set_value(a, s, slice_trim(value), folder, out, err);
}

static bool from_file(struct arena *a, const char *path, struct slice folder, struct config *out, struct error *err)
{
	struct arena *scratch = arena_open();
	struct slice rest, line;
	unsigned number = 0;
	bool ok;

	arena_secret(scratch);
	ok = config_read_file(scratch, path, &rest, err);
	while (ok && slice_split(&rest, '\n', &line)) {
		number++;
		line = uncommented(line);
		if (line.len && !set_line(a, line, folder, out, err))
			ok = error_set(err, ERR_INTERNAL, "%s line %u: %s", path, number, err->message);
	}
	arena_close(scratch);
	return ok;
}

/* /proc shows a process's environment for as long as it lives: a secret is taken out of it. */
static const char *moved(const char *name)
{
	static char *kept;
	char *value = getenv(name);

	if (value && *value) {
		secret_free(kept);
		kept = secret_copy(value, strlen(value));
		explicit_bzero(value, strlen(value));
	}
	return kept;
}

static const char *from_environment(const struct setting *s)
{
	char name[64] = "ROWGATE_";
	size_t n = strlen(name);

	for (const char *c = s->name; *c && n < sizeof(name) - 1; c++)
		name[n++] = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	name[n] = '\0';
	return s->kind == SECRET ? moved(name) : getenv(name);
}

static bool check_all(const struct config *c, struct error *err)
{
	static const char *const internal[] = { "mysql",   "sys",           "performance_schema", "information_schema",
						"rowgate", "rowgate_sqitch" };

	for (size_t i = 0; i < c->db_schemas.n; i++)
		for (size_t k = 0; k < sizeof(internal) / sizeof(*internal); k++)
			if (slice_ieq(slice_of(c->db_schemas.items[i]), slice_of(internal[k])))
				return error_set(err, ERR_INTERNAL, "db-schemas: '%s' is never published", internal[k]);
	if (!c->db_schemas.n)
		return error_set(err, ERR_INTERNAL, "db-schemas: at least one database is needed");
	if (!c->db_connections_per_worker)
		return error_set(err, ERR_INTERNAL, "db-connections-per-worker: at least 1");
	if (!c->auth_hash_cost)
		return error_set(err, ERR_INTERNAL, "auth-hash-cost: at least 1");
	if (c->auth_access_ttl < 10)
		return error_set(err, ERR_INTERNAL, "auth-access-ttl: at least 10");
	return true;
}

bool config_load(struct arena *a, const char *path, struct config *out, struct error *err)
{
	const char *slash = strrchr(path, '/');
	struct slice folder = { path, slash ? (size_t)(slash - path) + 1 : 0 };

	*out = (struct config){ 0 };
	for (size_t i = 0; i < NSETTINGS; i++)
		if (!set_value(a, &settings[i], slice_of(settings[i].initial), folder, out, err))
			return false;
	if (!from_file(a, path, folder, out, err))
		return false;
	for (size_t i = 0; i < NSETTINGS; i++) {
		const char *value = from_environment(&settings[i]);

		if (value &&
		    !set_value(a, &settings[i], slice_trim(slice_of(value)), (struct slice){ "", 0 }, out, err))
			return error_set(err, ERR_INTERNAL, "environment: %s", err->message);
	}
	return check_all(out, err);
}

static bool read_open(struct arena *a, int fd, const char *path, struct slice *out, struct error *err)
{
	char *text = arena_alloc(a, 4096);
	size_t cap = 4096, len = 0;

	for (;;) {
		ssize_t n = read(fd, text + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
		if (len == cap) {
			char *more;

			if (cap >= MAX_FILE)
				return error_set(err, ERR_INTERNAL, "%s: larger than 1 MiB", path);
			more = arena_alloc(a, cap * 2);
			memcpy(more, text, len);
			text = more;
			cap *= 2;
		}
	}
	if (len && text[len - 1] == '\n')
		len--;
	*out = (struct slice){ text, len };
	return true;
}

enum guard { FOR_ANYONE, FOR_READERS, FOR_US };

static bool guarded(const char *path, const struct stat *st, enum guard guard, struct error *err)
{
	unsigned mode = (unsigned)st->st_mode & 0777;

	if (guard == FOR_US && st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(err, ERR_INTERNAL, "%s: belongs to another user", path);
	if (guard == FOR_US && (mode & 0137))
		return error_set(err, ERR_INTERNAL, "%s: mode %03o lets others in; chmod 600 it", path, mode);
	if (guard == FOR_READERS && (mode & 022))
		return error_set(err, ERR_INTERNAL, "%s: mode %03o lets others write; chmod 644 it", path, mode);
	return true;
}

static bool read_file(struct arena *a, const char *path, enum guard guard, struct slice *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd < 0)
		return error_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		ok = error_set(err, ERR_INTERNAL, "%s: not a readable file", path);
	else
		ok = guarded(path, &st, guard, err) && read_open(a, fd, path, out, err);
	close(fd);
	return ok;
}

bool config_read_file(struct arena *a, const char *path, struct slice *out, struct error *err)
{
	return read_file(a, path, FOR_ANYONE, out, err);
}

bool config_read_guarded(struct arena *a, const char *path, struct slice *out, struct error *err)
{
	return read_file(a, path, FOR_READERS, out, err);
}

bool config_read_secret(struct arena *a, const char *path, struct slice *out, struct error *err)
{
	return read_file(a, path, FOR_US, out, err);
}

bool config_check_secrets(const struct config *config, struct error *err)
{
	const char *const paths[] = { config->jwt_secret_file, config->auth_signing_keys, config->db_password_file,
				      config->db_catalogue_password_file, config->db_identity_password_file };
	struct stat st;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (*paths[i] && stat(paths[i], &st) == 0 && !guarded(paths[i], &st, FOR_US, err))
			return false;
	return true;
}
