/*
 * Revocations: written with a version that only grows, read by every worker when that version has moved. Who revokes
 * tells the workers of its own pool through the memory they share; those of other machines see the version in the
 * database when one of them looks, every two seconds (app/worker.c).
 */
#include <time.h>

#include "internal.h"

#include "log.h"

static const char *const kinds[] = {
	[REVOKE_TOKEN] = "token", [REVOKE_SESSION] = "session", [REVOKE_SUBJECT] = "subject", [REVOKE_ALL] = "all"
};

#define NKINDS (sizeof(kinds) / sizeof(*kinds))
/* Clocks of several machines, and workers that sign a moment later. */
#define MARGIN_S 120

int64_t last_access(const struct config *config)
{
	return time(NULL) + (int64_t)(config->auth_access_ttl + config->jwt_leeway) + MARGIN_S;
}

static bool next_version(struct store *q, int64_t *out)
{
	static const enum db_fetch fetch[] = { FETCH_INT };
	struct value **rows;
	size_t n;

	if (!store_run(q, SLICE("UPDATE rowgate.auth_state SET revocations = revocations + 1 WHERE id = 1"), NULL, 0,
		       NULL) ||
	    !store_rows(q, SLICE("SELECT revocations FROM rowgate.auth_state WHERE id = 1"), NULL, 0, fetch, 1, &rows,
			&n))
		return false;
	if (!n)
		return error_set(q->err, ERR_INTERNAL, "rowgate.auth_state is empty");
	*out = rows[0][0].i;
	return true;
}

bool revoke(struct store *q, enum auth_revocation kind, const struct slice *values, size_t n, int64_t before,
	    int64_t expires)
{
	struct value now = value_int(time(NULL));
	int64_t version = 0;

	if (!next_version(q, &version))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct value params[] = {
			value_int(version),    value_int((int64_t)i), value_text(slice_of(kinds[kind])),
			value_text(values[i]), value_int(before),     value_int(expires)
		};

		if (before == INT64_MAX)
			params[4].kind = VALUE_NULL;
		if (!expires)
			params[5].kind = VALUE_NULL;
		if (!store_run(
			    q,
			    SLICE("INSERT INTO rowgate.auth_revocation (version, number, kind, value, issued_before, "
				  "expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6))"),
			    params, 6, NULL))
			return false;
	}
	return store_run(q, SLICE("DELETE FROM rowgate.auth_revocation WHERE expires_at < ? LIMIT 100"), &now, 1, NULL);
}

void revoked_now(const struct identity_env *env)
{
	/* Whatever differs from what a worker holds sends it to the database. */
	atomic_fetch_add(&env->shared->revocations, 1);
}

bool identity_revoke(const struct identity_env *env, enum auth_revocation kind, struct slice value, int64_t before,
		     int64_t expires, struct error *err)
{
	struct store q;
	bool ok;

	if (!store_open(&q, env, err))
		return false;
	ok = db_begin(q.conn, err) && revoke(&q, kind, &value, 1, before, expires) && db_commit(q.conn, err);
	store_close(&q);
	if (ok)
		revoked_now(env);
	return ok;
}

/* --- reading, as the catalogue account --- */

static bool read_version(struct arena *a, struct db_conn *conn, uint64_t *out, struct error *err)
{
	int64_t version;
	bool ok = db_number(a, conn, SLICE("SELECT revocations FROM rowgate.auth_state WHERE id = 1"), &version, err);

	*out = (uint64_t)version;
	return ok;
}

bool identity_revocation_version(const struct identity_env *env, uint64_t *out, struct error *err)
{
	struct db_conn *conn;

	return db_catalogue(env->db, &conn, err) && read_version(env->arena, conn, out, err);
}

static void take(const struct identity_env *env, const struct value *cells, uint64_t *version)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (slice_is(cells[1].s, kinds[i]))
			auth_revoke(env->auth, (enum auth_revocation)i, cells[2].s,
				    cells[3].kind == VALUE_NULL ? INT64_MAX : cells[3].i,
				    cells[4].kind == VALUE_NULL ? INT64_MAX : cells[4].i);
	if ((uint64_t)cells[0].i > *version)
		*version = (uint64_t)cells[0].i;
}

static bool read_newer(const struct identity_env *env, struct db_conn *conn, uint64_t *version, struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_INT, FETCH_TEXT, FETCH_TEXT, FETCH_INT, FETCH_INT };
	struct value param = value_int((int64_t)*version);
	struct db_statement statement = {
		.text = SLICE("SELECT version, kind, value, issued_before, expires_at FROM rowgate.auth_revocation "
			      "WHERE version > ?"),
		.params = &param,
		.nparams = 1,
		.columns = fetch,
		.ncolumns = 5
	};
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	if (!db_query(env->arena, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		take(env, cells, version);
	return step == DB_END;
}

bool identity_load_revocations(const struct identity_env *env, uint64_t *version, struct error *err)
{
	struct db_conn *conn;
	uint64_t newest;

	if (!db_catalogue(env->db, &conn, err) || !read_version(env->arena, conn, &newest, err))
		return false;
	/* Back in time: the database is another one, or was restored. */
	if (newest < *version)
		*version = 0;
	if (!read_newer(env, conn, version, err))
		return false;
	if (newest > *version)
		*version = newest;
	return true;
}
