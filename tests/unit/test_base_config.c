/* rowgate.conf: what a file says, what the environment adds, and what is refused with file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "log.h"

static struct arena *arena;
static char folder[] = "/tmp/rowgate-config-XXXXXX";

static const char *written(const char *name, struct slice text, mode_t mode)
{
	const char *path = arena_printf(arena, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text.ptr, 1, text.len, f), text.len);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

/* "" when the file is taken; the refusal without the path in front. */
static const char *load(const char *text, struct config *out)
{
	const char *path = written("rowgate.conf", slice_of(text), 0600);
	struct error err;
	size_t n = strlen(path);

	error_init(&err, arena);
	if (config_load(arena, path, out, &err))
		return "";
	return strncmp(err.message, path, n) == 0 ? err.message + n + 1 : err.message;
}

static const char *list_text(const struct config_list *list)
{
	struct strbuf b;

	strbuf_init(&b, arena, 0);
	for (size_t i = 0; i < list->n; i++)
		strbuf_addf(&b, "<%s>", list->items[i]);
	return strbuf_cstr(&b);
}

#define HR "db-schemas = hr\n"

static void defaults(void **state)
{
	struct config c;

	(void)state;
	assert_string_equal(load(HR, &c), "");
	assert_string_equal(list_text(&c.db_schemas), "<hr>");
	assert_string_equal(c.db_anon_role, "");
	assert_int_equal(c.db_max_rows, 0);
	assert_int_equal(c.db_tx_end, TX_COMMIT);
	assert_true(c.db_aggregates_enabled);
	assert_false(c.db_plan_enabled);
	assert_int_equal(c.db_port, 3306);
	assert_string_equal(c.db_socket, "");
	assert_string_equal(c.db_user, "authenticator");
	assert_int_equal(c.db_statement_timeout, 10000);
	assert_int_equal(c.db_stream_timeout, 300000);
	assert_int_equal(c.db_connect_timeout, 2000);
	assert_int_equal(c.db_connections_per_worker, 4);
	assert_int_equal(c.text_compare, COMPARE_COLUMN);
	assert_int_equal(c.max_embed_depth, 12);
	assert_string_equal(c.jwt_role_claim_key, ".role");
	assert_string_equal(c.jwt_required_claims, "exp");
	assert_int_equal(c.jwt_leeway, 30);
	assert_false(c.client_error_terse);
	assert_int_equal(c.cors_allowed_origins.n, 0);
	assert_true(c.url_use_legacy_target_names);
	assert_int_equal(c.max_url_length, 131072);
	assert_int_equal(c.log_level, LOG_INFO);
}

static void values(void **state)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "  db-schemas =  a, b ,,c  # the first is the default\n"
				   "db-anon-role=guest\r\n"
				   "\tdb-max-rows\t=\t1000\n"
				   "db-aggregates-enabled = no\n"
				   "db-plan-enabled = on\n"
				   "db-tx-end = rollback-allow-override\n"
				   "jwt-secret = a=b#c \"quoted\" 'text'\n"
				   "jwt-aud = \n"
				   "db-password-file = secrets/db\n"
				   "db-ca = /etc/ca.pem\n"
				   "text-compare = exact\n"
				   "client-error-verbosity = minimal\n"
				   "log-level = debug\n"
				   "server-cors-allowed-origins = https://a.example,https://b.example\n"
				   "db-max-rows = 2000\n"
				   "db-port = 3307";
	struct config c;

	(void)state;
	assert_string_equal(load(text, &c), "");
	assert_string_equal(list_text(&c.db_schemas), "<a><b><c>");
	assert_string_equal(c.db_anon_role, "guest");
	assert_int_equal(c.db_max_rows, 2000); /* the last one */
	assert_false(c.db_aggregates_enabled);
	assert_true(c.db_plan_enabled);
	assert_int_equal(c.db_tx_end, TX_ROLLBACK_OVERRIDE);
	assert_string_equal(c.jwt_secret, "a=b#c \"quoted\" 'text'"); /* as it stands */
	assert_string_equal(c.jwt_aud, "");
	assert_string_equal(c.db_password_file, arena_printf(arena, "%s/secrets/db", folder));
	assert_string_equal(c.db_ca, "/etc/ca.pem");
	assert_int_equal(c.text_compare, COMPARE_EXACT);
	assert_true(c.client_error_terse);
	assert_int_equal(c.log_level, LOG_DEBUG);
	assert_string_equal(list_text(&c.cors_allowed_origins), "<https://a.example><https://b.example>");
	assert_int_equal(c.db_port, 3307);
}

/* An empty value is the default. */
static void unset(void **state)
{
	struct config c;

	(void)state;
	assert_string_equal(
		load(HR "db-port = 1\ndb-port =\ndb-aggregates-enabled =\nlog-level =\ntext-compare =\n", &c), "");
	assert_int_equal(c.db_port, 3306);
	assert_int_equal(c.log_level, LOG_INFO);
	assert_int_equal(c.text_compare, COMPARE_COLUMN);
	assert_true(c.db_aggregates_enabled);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ HR "nonsense = 1\n", "line 2: unknown setting 'nonsense'" },
		{ HR "\n\nDB-MAX-ROWS = 1\n", "line 4: unknown setting 'DB-MAX-ROWS'" },
		{ HR "db_max_rows = 1\n", "line 2: unknown setting 'db_max_rows'" },
		{ HR "db-max-rows\n", "line 2: expected 'name = value'" },
		{ HR "= 5\n", "line 2: unknown setting ''" },
		{ HR "db-max-rows = many\n",
		  "line 2: db-max-rows: expected a whole number up to 9223372036854775807, not 'many'" },
		{ HR "db-max-rows = -1\n",
		  "line 2: db-max-rows: expected a whole number up to 9223372036854775807, not '-1'" },
		{ HR "db-max-rows = 1.5\n",
		  "line 2: db-max-rows: expected a whole number up to 9223372036854775807, not '1.5'" },
		{ HR "db-max-rows = \"5\"\n",
		  "line 2: db-max-rows: expected a whole number up to 9223372036854775807, not '\"5\"'" },
		{ HR "db-port = 65536\n", "line 2: db-port: expected a whole number up to 65535, not '65536'" },
		{ HR "max-embed-depth = 31\n", "line 2: max-embed-depth: expected a whole number up to 30, not '31'" },
		{ HR "jwt-leeway = 3601\n", "line 2: jwt-leeway: expected a whole number up to 3600, not '3601'" },
		{ HR "db-plan-enabled = maybe\n", "line 2: db-plan-enabled: expected true or false, not 'maybe'" },
		{ HR "db-plan-enabled = 2\n", "line 2: db-plan-enabled: expected true or false, not '2'" },
		{ HR "log-level = loud\n", "line 2: log-level: unknown word 'loud'" },
		{ HR "db-tx-end = Commit\n", "line 2: db-tx-end: unknown word 'Commit'" },
		{ "", "db-schemas: at least one database is needed" },
		{ "db-schemas = ,\n", "db-schemas: at least one database is needed" },
		{ "db-schemas = hr, mysql\n", "db-schemas: 'mysql' is never published" },
		{ "db-schemas = MySQL\n", "db-schemas: 'mysql' is never published" },
		{ "db-schemas = sys\n", "db-schemas: 'sys' is never published" },
		{ "db-schemas = information_schema\n", "db-schemas: 'information_schema' is never published" },
		{ "db-schemas = performance_schema\n", "db-schemas: 'performance_schema' is never published" },
		{ HR "db-connections-per-worker = 0\n", "db-connections-per-worker: at least 1" },
	};
	struct config c;
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *got = load(rows[i].text, &c);

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].text, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void environment(void **state)
{
	struct config c;

	(void)state;
	setenv("ROWGATE_DB_MAX_ROWS", " 7 ", 1);
	setenv("ROWGATE_JWT_SECRET_FILE", "/run/secret", 1);
	setenv("ROWGATE_DB_SCHEMAS", "x,y", 1);
	assert_string_equal(load(HR "db-max-rows = 5\n", &c), "");
	assert_int_equal(c.db_max_rows, 7);
	assert_string_equal(c.jwt_secret_file, "/run/secret");
	assert_string_equal(list_text(&c.db_schemas), "<x><y>");
	setenv("ROWGATE_DB_MAX_ROWS", "x", 1);
	assert_string_equal(load(HR, &c),
			    "environment: db-max-rows: expected a whole number up to 9223372036854775807, "
			    "not 'x'");
	unsetenv("ROWGATE_DB_MAX_ROWS");
	unsetenv("ROWGATE_JWT_SECRET_FILE");
	unsetenv("ROWGATE_DB_SCHEMAS");
}

static void files(void **state)
{
	static const struct {
		mode_t mode;
		bool secret;
	} modes[] = { { 0600, true },  { 0400, true },  { 0640, true },  { 0644, false }, { 0660, false },
		      { 0604, false }, { 0700, false }, { 0601, false }, { 0620, false }, { 0666, false } };
	struct slice text;
	struct error err;
	char *large = arena_alloc(arena, (2 << 20) + 1);
	struct config c;

	(void)state;
	error_init(&err, arena);
	assert_true(config_read_file(arena, written("f", SLICE("a\0b\n\n"), 0644), &text, &err));
	assert_true(slice_eq(text, SLICE("a\0b\n")));
	assert_true(config_read_file(arena, written("f", SLICE(""), 0644), &text, &err));
	assert_int_equal(text.len, 0);
	memset(large, 'x', 2 << 20);
	assert_true(config_read_file(arena, written("f", (struct slice){ large, 100000 }, 0644), &text, &err));
	assert_int_equal(text.len, 100000);
	assert_false(config_read_file(arena, written("f", (struct slice){ large, 2 << 20 }, 0644), &text, &err));
	assert_non_null(strstr(err.message, "larger than 1 MiB"));
	assert_false(config_read_file(arena, folder, &text, &err));
	assert_non_null(strstr(err.message, "not a readable file"));
	assert_false(config_read_file(arena, arena_printf(arena, "%s/none", folder), &text, &err));
	assert_non_null(strstr(err.message, "No such file"));
	assert_false(config_load(arena, arena_printf(arena, "%s/none", folder), &c, &err));
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		const char *path = written("s", SLICE("secret\n"), modes[i].mode);

		if (config_read_secret(arena, path, &text, &err) != modes[i].secret)
			fail_msg("mode %03o", (unsigned)modes[i].mode);
		unlink(path);
	}
}

static int open_arena(void **state)
{
	(void)state;
	arena = arena_open();
	return mkdtemp(folder) ? 0 : 1;
}

static int close_arena(void **state)
{
	static const char *const names[] = { "rowgate.conf", "f", "s" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(arena_printf(arena, "%s/%s", folder, names[i]));
	rmdir(folder);
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(values),      cmocka_unit_test(unset),
		cmocka_unit_test(refused),  cmocka_unit_test(environment), cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
