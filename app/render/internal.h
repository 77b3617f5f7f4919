#ifndef ROWGATE_RENDER_INTERNAL_H
#define ROWGATE_RENDER_INTERNAL_H

#include "render.h"
#include "stats.h"

/* Parents per batch of embeds: the first, the most, and what a batch may grow to; and keys per statement of an embed. */
#define FIRST_BATCH 128
#define BATCH_ROWS 1000
#define BATCH_MEMORY ((size_t)4 << 20)
#define BATCH_KEYS 1024

/* The most a worker holds of one answer, in rows not put together yet or in text not sent yet. */
#define HELD_MAX ((size_t)64 << 20)

/* How the rows of one answer are written. */
struct style {
	enum media media; /* JSON, CSV, NDJSON, OBJECT, GEOJSON, OCTETS */
	bool strip_nulls;
};

/* A row whose own values are written; holes for its embeds are left between its pieces of text. */
struct row {
	struct row *next; /* with the same key */
	size_t *cuts;     /* where its pieces end in the batch's text: one more than there are holes */
	size_t start;
	size_t *values;        /* columnar: start and end of each item's value */
	struct group **groups; /* for each kid: the rows that hang on this one; NULL: none */
};

/* The rows of an embed that share one key. */
struct group {
	struct group *chain; /* in its hash bucket */
	struct slice match;  /* key bytes to compare */
	const struct value *key;
	struct row *first, *last;
};

/* The rows of one level, for one batch of parents. */
struct batch {
	struct strbuf text;
	struct row **rows;
	size_t n, cap;
	struct value **keys; /* for each row: the key, and what is matched, of each of its kids */
	size_t keys_cap;
};

struct reader {
	struct arena *a;
	struct arena *scratch; /* ends with the batch */
	const struct plan *plan;
	struct db_conn *conn;
	struct http_response *rs;
	struct style style;
	struct batch *batches; /* by node number */
	bool opening;          /* the comma before the next item is left out: an object begins */
	bool held;             /* nothing may be sent before the whole page is known */
	bool streamed;         /* something has been sent */
	bool failed;           /* err says why; what is still written is lost */
	struct error *err;
};

/* app/render/zone.c: Prefer: timezone, from here to there. Fails with ERR_BAD_PARAMETER, ERR_PREFER. */
bool zone_enter(struct arena *a, struct db_conn *conn, const struct plan *plan, struct error *err) MUST_CHECK;
void zone_leave(struct arena *a, struct db_conn *conn);

/* The rows of a level: the database's, or groups that were counted here (app/render/level.c). */
struct level {
	struct db_rows *rows;
	struct stats *stats; /* instead of rows */
};

/* keys as in sql_select; cursor: other statements may run between the rows. Lives in a. */
bool level_open(struct arena *a, const struct reader *r, struct plan_node *node, const struct sql_keys *keys,
		bool cursor, struct level *out, struct error *err) MUST_CHECK;
enum db_step level_next(struct level *s, const struct value **cells_out, struct error *err) MUST_CHECK;
void level_close(struct level *s);

/* Is the answer at most one row: an object, not an array? */
static inline bool plan_to_one(const struct plan_node *node)
{
	return node->relation->cardinality == TO_ONE || node->relation->cardinality == ONE_TO_ONE;
}

/* An empty embed, rel(), is for filtering only. */
static inline bool is_shown(const struct plan_node *node)
{
	return node->nitems > 0;
}

/*
 * Sends what is ready once there is enough of it. False, with r->failed, when the client has gone, the time is up, or
 * the answer is held and has become too large.
 */
bool render_commit(struct reader *r) MUST_CHECK;

/* False, with r->failed, when so many bytes of one answer may not be held. */
bool render_may_hold(struct reader *r, size_t bytes) MUST_CHECK;

/* app/render/row.c */

/* Writes a row that has no holes straight to the answer. */
void rows_write(const struct style *style, const struct plan_node *root, const struct value *cells, struct strbuf *out);
/* One value of it, with a comma before it; and the first comma of a line of CSV taken away. */
void rows_write_item(const struct style *style, const struct plan_item *item, const struct value *cells, bool csv,
		     struct strbuf *out);
void rows_close_csv_line(struct strbuf *out, size_t start);
/* The CSV header line. */
void rows_csv_header(const struct plan_node *root, struct strbuf *out);

/* app/render/rows.c */

/* Appends a fetched row of node to its batch. */
struct row *rows_add(struct reader *r, const struct plan_node *node, const struct value *cells);

/* Fetches the embeds of all rows of node's batch, and theirs. */
bool rows_load_kids(struct reader *r, const struct plan_node *node, struct error *err) MUST_CHECK;

/* app/render/emit.c: writes one row of the root, with its embeds, to the answer, which may be sent in parts meanwhile. */
void rows_emit(struct reader *r, const struct plan_node *root, const struct row *row, struct strbuf *out);

/*
 * A page of the rows of a call, whose columns are those of plan, in their order. one: there is one row, which is an object
 * where an array would be.
 */
bool render_given(struct arena *a, const struct plan *plan, const struct query *query, struct db_conn *conn,
		  struct http_response *rs, struct db_rows *rows, bool one, struct render_result *result_out,
		  struct error *err) MUST_CHECK;

#endif
