/*
 * rowgate role: the database roles that tokens may name. Making one takes rights that the workers' login does not have,
 * so an administrator's login is named, its password in a file.
 */
#include <stdio.h>

#include "internal.h"

static const char usage[] =
	"usage: rowgate role add NAME [--db-user ADMIN] [--db-password-file FILE]\n"
	"       rowgate role list\n"
	"each with [--json] [-c FILE]. add makes the role where it is missing and grants it to db-user; what it may do is\n"
	"GRANT. ADMIN (root) may create roles. Exit status: 0 done, 1 failed, 2 misused.\n";

static bool add(struct cli *c, const char *name, const char *admin, const char *password_file)
{
	struct config *config = &c->state->config;
	struct db_conn *conn;
	struct db *db;
	bool ok;

	if (!identity_role_name(slice_of(name)) || !identity_role_name(slice_of(config->db_user)))
		return error_set(&c->err, ERR_INTERNAL, "a role is named by 1 to 32 of A-Z a-z 0-9 _ - .");
	config->db_catalogue_user = admin ? admin : "root";
	config->db_catalogue_password_file = password_file ? password_file : "";
	db = db_open(config, &c->err);
	if (!db)
		return false;
	ok = db_catalogue(db, &conn, &c->err) &&
	     db_command(conn, arena_printf(c->arena, "CREATE ROLE IF NOT EXISTS `%s`", name), &c->err) &&
	     db_command(conn, arena_printf(c->arena, "GRANT `%s` TO `%s`@'%%'", name, config->db_user), &c->err);
	db_close(db);
	if (ok && !c->json)
		printf("%s may be named by tokens; now GRANT it what it may do\n", name);
	else if (ok)
		printf("{\"role\":\"%s\"}\n", name);
	return ok;
}

static bool list(struct cli *c)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct db_statement statement = {
		.text = SLICE("SELECT DISTINCT ROLE_NAME FROM information_schema.APPLICABLE_ROLES ORDER BY 1"),
		.columns = fetch,
		.ncolumns = 1
	};
	struct config *config = &c->state->config;
	const struct value *cells;
	struct db_conn *conn;
	struct db_rows *rows;
	enum db_step step;

	/* As the workers' login, without a role. */
	config->db_catalogue_user = "";
	if (!db_catalogue(c->state->db, &conn, &c->err) || !db_query(c->arena, conn, &statement, &rows, &c->err))
		return false;
	while ((step = db_next(rows, &cells, &c->err)) == DB_ROW) {
		struct strbuf b;

		strbuf_init(&b, c->arena, 64);
		if (c->json)
			json_string(&b, cells[0].s);
		else
			strbuf_add_slice(&b, cells[0].s);
		printf(c->json ? "{\"role\":%s}\n" : "%s\n", strbuf_cstr(&b));
	}
	return step == DB_END;
}

int command_role(const char *config_path, int argc, char **argv)
{
	const char *admin = NULL, *password_file = NULL;
	struct cli c = { .json = false };
	const struct cli_option options[] = { { "--db-user", &admin, NULL },
					      { "--db-password-file", &password_file, NULL },
					      { "--json", NULL, &c.json } };
	bool adds, ok;

	if (!cli_options(&argc, argv, options, sizeof(options) / sizeof(*options)))
		return CLI_MISUSED;
	adds = argc == 2 && strcmp(argv[0], "add") == 0;
	if (!adds && !(argc == 1 && strcmp(argv[0], "list") == 0))
		return cli_usage(usage);
	if (!cli_open(&c, config_path))
		return cli_fail(&c);
	ok = adds ? add(&c, argv[1], admin, password_file) : list(&c);
	if (!ok)
		return cli_fail(&c);
	cli_close(&c);
	return CLI_OK;
}
