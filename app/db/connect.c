/*
 * One connection: where to, over TLS, as which account, with which session and role. None of it changes between the
 * requests that use it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "internal.h"

void db_conn_close(struct db_conn *conn)
{
	if (!conn)
		return;
	/* What was not read must not be waited for. */
	if (conn->committing || conn->broken)
		shutdown(client_fd(conn->mysql), SHUT_RDWR);
	db_stmts_free(conn);
	if (conn->mysql)
		mysql_close(conn->mysql);
	strbuf_close(&conn->comment);
	free(conn);
}

static unsigned seconds(uint64_t ms)
{
	return (unsigned)((ms + 999) / 1000);
}

static void set_tls(MYSQL *mysql, const char *ca)
{
#ifdef CLIENT_MARIADB
	my_bool yes = 1;

	mysql_ssl_set(mysql, NULL, NULL, ca, NULL, NULL);
	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
#else
	unsigned mode = SSL_MODE_VERIFY_IDENTITY;

	mysql_options(mysql, MYSQL_OPT_SSL_CA, ca);
	mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
#endif
}

static void set_options(MYSQL *mysql, const struct config *c)
{
	unsigned connect = seconds(c->db_connect_timeout), zero = 0;
	unsigned long packet = c->db_max_allowed_packet;
	/* The watchdog ends what takes too long; this is for a server that does not answer at all. */
	unsigned wait = c->db_statement_timeout ? seconds(c->db_statement_timeout) + 2 : 0;

	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &zero);
	mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	if (connect)
		mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	if (wait) {
		mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &wait);
		mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &wait);
	}
	if (*c->db_ca)
		set_tls(mysql, c->db_ca);
}

/* Which server: host NULL is the socket. */
struct place {
	const char *host;
	unsigned port;
	bool reader;
};

/* An account's name, and the file of its password. */
struct login {
	const char *user, *password_file;
};

static struct login login_of(const struct config *c, enum db_account account)
{
	if (account == ACCOUNT_IDENTITY)
		return (struct login){ c->db_identity_user, c->db_identity_password_file };
	if (account == ACCOUNT_CATALOGUE && *c->db_catalogue_user)
		return (struct login){ c->db_catalogue_user, c->db_catalogue_password_file };
	return (struct login){ c->db_user, c->db_password_file };
}

static bool connect_as(struct db_conn *conn, struct login login, const struct place *place, struct error *err)
{
	const struct config *c = conn->db->config;
	struct arena *a = arena_open();
	struct slice file = { "", 0 };
	char *password;
	bool ok = true;

	arena_secret(a);
	if (*login.password_file && !config_read_secret(a, login.password_file, &file, err)) {
		const char *why = arena_printf(err->arena, "%s", err->message);

		error_set(err, ERR_DB_LOGIN, "Database login failed");
		err->log_detail = why;
		arena_close(a);
		return false;
	}
	password = slice_cstr(a, file);
	if (!mysql_real_connect(conn->mysql, place->host ? place->host : "localhost", login.user, password, NULL,
				place->port, place->host ? NULL : c->db_socket, CLIENT_FOUND_ROWS))
		ok = db_conn_failed(conn, err);
	/* The library's own copy would serve to reconnect; every connection here is a new one. */
	if (conn->mysql->passwd)
		explicit_bzero(conn->mysql->passwd, strlen(conn->mysql->passwd));
	arena_close(a);
	if (ok && *c->db_ca && !mysql_get_ssl_cipher(conn->mysql))
		ok = db_error(err, 2026, "HY000", "the connection is not encrypted although db-ca is set");
	return ok;
}

/* "5.5.5-10.11.19-MariaDB-0+deb12u1" is 101119 of MariaDB, "9.7.4" is 90704. */
static void read_version(struct db_conn *conn)
{
	const char *info = mysql_get_server_info(conn->mysql);
	unsigned part[3] = { 0, 0, 0 };

	conn->mariadb = strstr(info, "MariaDB") != NULL;
	if (conn->mariadb && strncmp(info, "5.5.5-", 6) == 0)
		info += 6;
	sscanf(info, "%u.%u.%u", &part[0], &part[1], &part[2]);
	conn->version = part[0] * 10000 + part[1] * 100 + part[2];
}

/* init_connect and skip-character-set-client-handshake can have made the connection another one than was asked for. */
#define CHARACTERS                                                                                                         \
	"SESSION character_set_client = utf8mb4, SESSION character_set_results = utf8mb4, SESSION collation_connection = " \
	"IF(@@character_set_connection = 'utf8mb4', @@collation_connection, 'utf8mb4_general_ci'), "

/*
 * The server's own time limit is the longer one, for it counts the time the client takes to read; the watchdog
 * keeps the shorter.
 */
bool db_conn_set_session(struct db_conn *conn, struct error *err)
{
	const struct config *c = conn->db->config;
	uint64_t longest =
		c->db_stream_timeout > c->db_statement_timeout ? c->db_stream_timeout : c->db_statement_timeout;
	char text[1024];

	if (!c->db_stream_timeout || !c->db_statement_timeout)
		longest = 0;
	snprintf(text, sizeof(text),
		 "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,"
		 "ERROR_FOR_DIVISION_BY_ZERO%s', SESSION time_zone = '+00:00', SESSION autocommit = 1, " CHARACTERS
		 "SESSION %s = %llu",
		 conn->mariadb ? ",TIME_ROUND_FRACTIONAL" : "", /* as MySQL does */
		 conn->mariadb ? "max_statement_time" : "max_execution_time",
		 (unsigned long long)(conn->mariadb ? seconds(longest) : longest));
	return db_command(conn, text, err) &&
	       db_command(conn, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", err);
}

/* Of several hosts the one that writes is wanted: a replica, or a node that has lost its cluster, says that it is not. */
static bool writes(struct db_conn *conn, struct error *err)
{
	static const char text[] = "SELECT @@GLOBAL.read_only";
	MYSQL_RES *result =
		mysql_real_query(conn->mysql, text, sizeof(text) - 1) ? NULL : mysql_store_result(conn->mysql);
	MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
	/* MariaDB 12 has a word there. */
	bool ok = row && row[0] && (strcmp(row[0], "0") == 0 || strcmp(row[0], "OFF") == 0);

	if (result)
		mysql_free_result(result);
	if (ok)
		return true;
	return row ? db_error(err, 1290, "HY000", "read_only is set") : db_conn_failed(conn, err);
}

static struct db_conn *conn_at(struct db *db, const struct place *place, struct login login, struct error *err)
{
	struct db_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		abort();
	conn->db = db;
	strbuf_open(&conn->comment, 0);
	conn->mysql = mysql_init(NULL);
	if (!conn->mysql)
		abort();
	conn->opened = conn->used = now_ms();
	conn->reader = place->reader;
	set_options(conn->mysql, db->config);
	if (connect_as(conn, login, place, err)) {
		conn->thread_id = mysql_thread_id(conn->mysql);
		read_version(conn);
		if ((place->reader || db->config->db_host.n < 2 || writes(conn, err)) &&
		    db_conn_set_session(conn, err)) {
			db->made++;
			return conn;
		}
	}
	db_conn_close(conn);
	return NULL;
}

/* "host:port", or a host alone; a second colon is one of an IPv6 address. */
static struct place place_of(struct arena *a, const char *text, uint64_t port)
{
	struct slice rest = slice_of(text), host;
	struct place place = { text, (unsigned)port, false };
	uint64_t own;

	if (slice_split(&rest, ':', &host) && rest.ptr && parse_u64(rest, &own) && own <= 65535) {
		place.host = slice_cstr(a, host);
		place.port = (unsigned)own;
	}
	return place;
}

static struct db_conn *connect_reader(struct db *db, struct login login, struct error *err)
{
	const struct config *c = db->config;
	struct place place =
		place_of(err->arena, c->db_reader_host, c->db_reader_port ? c->db_reader_port : c->db_port);

	place.reader = true;
	return conn_at(db, &place, login, err);
}

/* Of several hosts the first that does what a writer must, beginning with the one that did last. */
static struct db_conn *connect_writer(struct db *db, struct login login, struct error *err)
{
	const struct config_list *hosts = &db->config->db_host;
	struct place place = { NULL, 0, false };
	struct db_conn *conn = NULL;

	if (!hosts->n && !*db->config->db_socket)
		place = (struct place){ "", (unsigned)db->config->db_port, false };
	if (!hosts->n)
		return conn_at(db, &place, login, err);
	for (size_t i = 0; i < hosts->n && !conn; i++) {
		place = place_of(err->arena, hosts->items[db->host % hosts->n], db->config->db_port);
		conn = conn_at(db, &place, login, err);
		if (!conn && err->code != ERR_DB_LOST && err->code != ERR_READ_ONLY_SERVER &&
		    err->code != ERR_CONNECTIONS)
			return NULL;
		db->host += !conn;
	}
	if (conn)
		error_init(err, err->arena);
	return conn;
}

struct db_conn *db_connect(struct db *db, enum db_account account, bool reader, struct error *err)
{
	struct login login = login_of(db->config, account);

	return reader ? connect_reader(db, login, err) : connect_writer(db, login, err);
}

/*
 * SET ROLE takes no parameter, so the name must be quoted into text: it is the one the server lists among the roles of
 * this login, never the token's own bytes.
 */
static bool find_role(struct db_conn *conn, struct slice role, struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct value param = value_text(role);
	struct db_statement statement = {
		.text = SLICE("SELECT ROLE_NAME FROM information_schema.APPLICABLE_ROLES WHERE ROLE_NAME = ?"),
		.params = &param,
		.nparams = 1,
		.columns = fetch,
		.ncolumns = 1
	};
	const struct value *cells;
	struct db_rows *rows;
	bool found = false;
	size_t n = 0;
	enum db_step step;

	if (!db_query(err->arena, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW) {
		if (found || cells[0].kind != VALUE_TEXT || !slice_eq(cells[0].s, role))
			continue;
		found = true;
		conn->quoted_role[n++] = '`';
		for (size_t i = 0; i < role.len; i++) {
			if (role.ptr[i] == '`')
				conn->quoted_role[n++] = '`';
			conn->quoted_role[n++] = cells[0].s.ptr[i];
		}
		conn->quoted_role[n++] = '`';
	}
	if (step == DB_FAILED)
		return false;
	if (!found)
		return error_set(err, ERR_UNKNOWN_ROLE, "role \"%.*s\" does not exist", (int)role.len, role.ptr);
	memcpy(conn->role, role.ptr, role.len);
	return true;
}

bool db_conn_set_role(struct db_conn *conn, struct error *err)
{
	char text[300];

	snprintf(text, sizeof(text), "SET ROLE %s", conn->quoted_role);
	if (!db_command(conn, text, err)) {
		if (err->code == ERR_UNKNOWN_ROLE)
			error_set(err, ERR_UNKNOWN_ROLE, "role \"%s\" does not exist", conn->role);
		return false;
	}
	conn->role_set = now_ms();
	return true;
}

bool db_conn_enter_role(struct db_conn *conn, struct slice role, struct error *err)
{
	return find_role(conn, role, err) && db_conn_set_role(conn, err);
}
