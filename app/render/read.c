/*
 * The flow of a read: what is counted before, what after; rows straight through, or by batches when they have embeds;
 * status and Content-Range at the last moment they can be known.
 */
#include "internal.h"

/* A page of at most so many rows is held back whole, so that its count can wait until it is known to be needed. */
#define SMALL_PAGE 1000

struct flow {
	struct reader r;
	const struct query *query;
	struct media_choice media;
	struct render_result *result;
	uint64_t seen;         /* rows read, for the singular object */
	bool count_after;      /* count= is answered from the page, or counted once it is read */
	size_t batch_rows;     /* parents of the next batch of embeds */
	struct level level;    /* opened beforehand, where groups are counted here */
	struct db_rows *given; /* rows of a call that runs already; NULL: the plan's own */
	uint64_t ngiven;
};

static const enum media table_media[] = { MEDIA_JSON,   MEDIA_CSV,     MEDIA_NDJSON, MEDIA_OBJECT,
					  MEDIA_OCTETS, MEDIA_GEOJSON, MEDIA_PLAN };

static size_t geometries(const struct plan_node *root)
{
	size_t n = 0;

	for (size_t i = 0; i < root->nitems; i++)
		n += !root->items[i].embed && root->items[i].expr.type.class == TYPE_GEOMETRY;
	return n;
}

static bool offered(const struct plan *plan, const struct media_choice *m)
{
	const struct plan_node *root = plan->root;

	switch (m->media) {
	case MEDIA_PLAN:
		/* It tells of hidden rows how many they are; and the plan of a write is not that of showing its rows. */
		return plan->config->db_plan_enabled && !plan->policed && !plan->of_write;
	case MEDIA_OCTETS:
		return root->nitems == 1 && !root->items[0].embed;
	case MEDIA_GEOJSON:
		return geometries(root) == 1 && !root->nkids;
	default:
		for (size_t i = 0; i < sizeof(table_media) / sizeof(*table_media); i++)
			if (table_media[i] == m->media)
				return true;
		return false;
	}
}

static bool choose_media(struct flow *f, struct error *err)
{
	struct strbuf names;

	for (size_t i = 0; i < f->query->nmedia; i++)
		if (offered(f->r.plan, &f->query->media[i])) {
			f->media = f->query->media[i];
			return true;
		}
	strbuf_init(&names, err->arena, 64);
	for (size_t i = 0; i < f->query->nmedia; i++) {
		struct slice name = slice_of(http_media_name(&f->query->media[i]));
		const char *parameters = memchr(name.ptr, ';', name.len);

		strbuf_adds(&names, i ? ", " : "");
		strbuf_add(&names, name.ptr, parameters ? (size_t)(parameters - name.ptr) : name.len);
	}
	return error_set(err, ERR_MEDIA, "None of these media types are available: %s", strbuf_cstr(&names));
}

/* --- counting --- */

static bool run_count(struct flow *f, bool page, uint64_t *out, struct error *err)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	*out = 0;
	sql_count(f->r.a, f->r.plan, page, &statement);
	if (!db_query(f->r.a, f->r.conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		*out = (uint64_t)cells[0].i;
	return step == DB_END;
}

static double text_number(const struct value *v)
{
	uint64_t whole = 0;
	struct slice rest, part;

	if (v->kind != VALUE_TEXT)
		return 0;
	rest = v->s;
	return slice_split(&rest, '.', &part) && parse_u64(part, &whole) ? (double)whole : 0;
}

/* Views are explained only to those who may see how they are made. */
#define EXPLAIN_DENIED 1345

/* What the server's optimizer expects, from the first line of EXPLAIN; of what may not be explained, the rows there are. */
static bool run_estimate(struct flow *f, uint64_t *out, struct error *err)
{
	struct db_statement statement;
	const struct value *cells;
	size_t at_rows, at_filtered;
	struct db_rows *rows;
	enum db_step step;
	bool first = true;

	*out = 0;
	sql_estimate(f->r.a, f->r.plan, &statement, &at_rows, &at_filtered);
	if (!db_query(f->r.a, f->r.conn, &statement, &rows, err)) {
		if (err->db_errno != EXPLAIN_DENIED)
			return false;
		error_init(err, err->arena);
		return run_count(f, false, out, err);
	}
	while ((step = db_next(rows, &cells, err)) == DB_ROW) {
		if (first)
			*out = (uint64_t)(text_number(&cells[at_rows]) * text_number(&cells[at_filtered]) / 100 + 0.5);
		first = false;
	}
	return step == DB_END;
}

/* Exact up to db-max-rows, beyond it the optimizer's figure when that is larger. */
static bool count_estimated(struct flow *f, uint64_t *out, struct error *err)
{
	uint64_t max = f->r.plan->config->db_max_rows, planned;

	if (!run_estimate(f, &planned, err))
		return false;
	if (max && planned > max) {
		*out = planned;
		return true;
	}
	return run_count(f, false, out, err);
}

/* Groups that are counted here are known all before the first of them is shown. */
static bool count_groups(struct flow *f, struct error *err)
{
	if (!f->level.stats && !level_open(f->r.a, &f->r, f->r.plan->root, NULL, true, &f->level, err))
		return false;
	f->result->total = stats_total(f->level.stats);
	f->result->has_total = f->r.plan->count != COUNT_NONE;
	return true;
}

static bool count_total(struct flow *f, struct error *err)
{
	bool ok;

	if (f->r.plan->root->counted)
		return count_groups(f, err);
	/* So would an estimate. */
	switch (f->r.plan->policed ? COUNT_EXACT : f->r.plan->count) {
	case COUNT_PLANNED:
		ok = run_estimate(f, &f->result->total, err);
		break;
	case COUNT_ESTIMATED:
		ok = count_estimated(f, &f->result->total, err);
		break;
	default:
		ok = run_count(f, false, &f->result->total, err);
	}
	f->result->has_total = ok;
	return ok;
}

static bool check_offset(const struct flow *f, struct error *err)
{
	uint64_t offset = f->r.plan->root->offset;

	if (!f->result->has_total || offset <= f->result->total)
		return true;
	error_set(err, ERR_RANGE, "Requested range not satisfiable");
	err->content_range = arena_printf(f->r.a, "*/%llu", (unsigned long long)f->result->total);
	return error_details(err, "An offset of %llu was requested, but there are only %llu rows.",
			     (unsigned long long)offset, (unsigned long long)f->result->total);
}

/* A page that is not full, from the first row on, tells the total by itself. */
static bool count_from_page(struct flow *f, struct error *err)
{
	const struct plan_node *root = f->r.plan->root;

	if (f->given) {
		f->result->total = f->ngiven;
		f->result->has_total = f->r.plan->count != COUNT_NONE;
		return true;
	}
	if (!f->count_after)
		return true;
	if (f->r.plan->count == COUNT_EXACT && !root->offset && f->result->rows < root->limit) {
		f->result->total = f->result->rows;
		f->result->has_total = true;
		return true;
	}
	return count_total(f, err);
}

/* --- headers --- */

/* Rows a streamed page will have by the time it ends, when the total is known. */
static uint64_t rows_to_come(const struct flow *f)
{
	const struct plan_node *root = f->r.plan->root;
	uint64_t rest = f->result->total > root->offset ? f->result->total - root->offset : 0;

	return root->has_limit && root->limit < rest ? root->limit : rest;
}

static void content_range(struct flow *f, struct http_response *rs)
{
	bool unfinished = f->r.streamed;
	uint64_t first = f->r.plan->root->offset, rows = f->result->rows;
	char total[24] = "*";
	struct strbuf b;

	if (unfinished && f->result->has_total && f->r.plan->count == COUNT_EXACT)
		rows = rows_to_come(f);
	else if (unfinished)
		rows = 0;
	if (f->result->has_total) {
		strbuf_init(&b, f->r.a, 24);
		strbuf_add_u64(&b, f->result->total);
		memcpy(total, strbuf_cstr(&b), b.len + 1);
	}
	if (rows)
		http_set_header(rs, "Content-Range", "%llu-%llu/%s", (unsigned long long)first,
				(unsigned long long)(first + rows - 1), total);
	else
		http_set_header(rs, "Content-Range", "*/%s", total);
	rs->status = f->result->has_total && rows < f->result->total ? 206 : 200;
}

static void before_send(struct http_response *rs, void *context)
{
	struct flow *f = context;

	content_range(f, rs);
}

static void begin(struct flow *f)
{
	struct http_response *rs = f->r.rs;

	http_set_header(rs, "Content-Type", "%s", http_media_name(&f->media));
	rs->status = 200;
	rs->before_send = before_send;
	rs->context = f;
	if (f->r.style.media == MEDIA_JSON)
		strbuf_addc(&rs->body, '[');
	else if (f->r.style.media == MEDIA_GEOJSON)
		strbuf_lit(&rs->body, "{\"type\":\"FeatureCollection\",\"features\":[");
	else if (f->r.style.media == MEDIA_CSV)
		rows_csv_header(f->r.plan->root, &rs->body);
}

static void end(struct flow *f)
{
	if (f->r.style.media == MEDIA_JSON)
		strbuf_addc(&f->r.rs->body, ']');
	else if (f->r.style.media == MEDIA_GEOJSON)
		strbuf_lit(&f->r.rs->body, "]}");
}

static void separator(struct flow *f)
{
	struct strbuf *out = &f->r.rs->body;

	if (f->r.style.media == MEDIA_CSV)
		strbuf_addc(out, '\n');
	else if (f->result->rows && (f->r.style.media == MEDIA_JSON || f->r.style.media == MEDIA_GEOJSON))
		strbuf_addc(out, ',');
}

/* --- rows --- */

static bool is_single(const struct flow *f)
{
	return f->r.style.media == MEDIA_OBJECT || f->r.style.media == MEDIA_OCTETS;
}

/* A second row of what should be one is only counted. */
static bool counted_only(struct flow *f)
{
	return ++f->seen > 1 && is_single(f);
}

static void write_octets(struct flow *f, const struct value *cells)
{
	const struct plan_item *item = &f->r.plan->root->items[0];
	const struct value *v = &cells[item->place];

	if (v->kind == VALUE_TEXT && !item->expr.raw_json && item->expr.type.class != TYPE_BIT &&
	    item->expr.type.class != TYPE_VECTOR)
		strbuf_add_slice(&f->r.rs->body, v->s);
	else if (item->expr.type.class == TYPE_VECTOR)
		render_json_value(&f->r.rs->body, item, cells);
	else
		render_csv_value(&f->r.rs->body, item, cells);
}

static bool write_plain(struct flow *f, const struct value *cells)
{
	if (counted_only(f))
		return true;
	separator(f);
	if (f->r.style.media == MEDIA_OCTETS)
		write_octets(f, cells);
	else
		rows_write(&f->r.style, f->r.plan->root, cells, &f->r.rs->body);
	if (f->r.style.media == MEDIA_NDJSON)
		strbuf_addc(&f->r.rs->body, '\n');
	f->result->rows++;
	return render_commit(&f->r);
}

static bool emit_batch(struct flow *f, struct error *err)
{
	struct batch *b = &f->r.batches[f->r.plan->root->number];

	if (!rows_load_kids(&f->r, f->r.plan->root, err))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		separator(f);
		rows_emit(&f->r, f->r.plan->root, b->rows[i], &f->r.rs->body);
		if (f->r.style.media == MEDIA_NDJSON)
			strbuf_addc(&f->r.rs->body, '\n');
		f->result->rows++;
		if (!render_commit(&f->r))
			return false;
	}
	return true;
}

static void new_batch(struct flow *f)
{
	arena_reset(f->r.scratch);
	f->r.batches = arena_array(f->r.scratch, struct batch, f->r.plan->nnodes);
	strbuf_init(&f->r.batches[0].text, f->r.scratch, 4096);
}

/* As many parents as keep to the memory of a batch, as far as this one tells. */
static void size_next_batch(struct flow *f)
{
	size_t each = arena_used(f->r.scratch) / f->r.batches[0].n + 1, n = BATCH_MEMORY / each;

	f->batch_rows = n > BATCH_ROWS ? BATCH_ROWS : n + 1;
}

static bool plain_rows(struct flow *f, struct level *rows, struct error *err)
{
	const struct value *cells;
	enum db_step step;

	while ((step = level_next(rows, &cells, err)) == DB_ROW)
		if (!write_plain(f, cells)) {
			level_close(rows);
			return false;
		}
	return step == DB_END;
}

/* Parents are read in batches; with a cursor the embeds' statements run between two batches. */
static bool nested_rows(struct flow *f, struct level *rows, bool cursor, struct error *err)
{
	const struct plan_node *root = f->r.plan->root;
	const struct value *cells;
	enum db_step step;

	new_batch(f);
	while ((step = level_next(rows, &cells, err)) == DB_ROW) {
		if (counted_only(f))
			continue;
		rows_add(&f->r, root, cells);
		if (render_may_hold(&f->r, arena_used(f->r.scratch)) && (!cursor || f->r.batches[0].n < f->batch_rows))
			continue;
		if (f->r.failed || !emit_batch(f, err)) {
			level_close(rows);
			return false;
		}
		size_next_batch(f);
		new_batch(f);
	}
	return step == DB_END && emit_batch(f, err);
}

/* The page is cut here, and what is not on it is counted. */
static bool given_rows(struct flow *f, struct error *err)
{
	const struct plan_node *root = f->r.plan->root;
	const struct value *cells;
	enum db_step step;

	while ((step = db_next(f->given, &cells, err)) == DB_ROW) {
		uint64_t at = f->ngiven++;

		if (at < root->offset || (root->has_limit && at - root->offset >= root->limit))
			continue;
		if (!write_plain(f, cells)) {
			db_rows_close(f->given);
			return false;
		}
	}
	return step == DB_END;
}

static bool shows_embeds(const struct plan_node *root)
{
	for (size_t i = 0; i < root->nembeds; i++)
		if (is_shown(root->embeds[i]))
			return true;
	return false;
}

static bool small_page(const struct plan_node *root)
{
	return root->has_limit && root->limit <= SMALL_PAGE;
}

static bool all_rows(struct flow *f, struct error *err)
{
	struct plan_node *root = f->r.plan->root;
	/* A procedure's rows are few; and through a cursor MariaDB gives the bytes of UNHEX(), of which they are made, as
	 * empty. */
	bool cursor = root->counted || (shows_embeds(root) && !small_page(root) && !f->r.plan->source.ptr);

	if (f->given)
		return given_rows(f, err);
	if (!f->level.stats && !level_open(f->r.a, &f->r, root, NULL, cursor, &f->level, err))
		return false;
	return root->nembeds ? nested_rows(f, &f->level, cursor, err) : plain_rows(f, &f->level, err);
}

static bool check_single(const struct flow *f, struct error *err)
{
	if (!is_single(f) || f->seen == 1)
		return true;
	error_set(err, ERR_SINGULAR, "Cannot coerce the result to a single JSON object");
	return error_details(err, "The result contains %llu rows", (unsigned long long)f->seen);
}

/* --- the whole --- */

static bool explain(struct flow *f, struct error *err)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	sql_explain(f->r.a, f->r.plan, f->media.plan_analyze, f->media.plan_json, &statement);
	if (!db_query(f->r.a, f->r.conn, &statement, &rows, err))
		return false;
	http_set_header(f->r.rs, "Content-Type", "%s", http_media_name(&f->media));
	f->r.rs->status = 200;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		if (cells[0].kind == VALUE_TEXT)
			strbuf_add_slice(&f->r.rs->body, cells[0].s);
	return step == DB_END;
}

/* HEAD: the headers of GET, from counts alone. */
static bool head_only(struct flow *f, struct error *err)
{
	if (f->r.plan->count && (!count_total(f, err) || !check_offset(f, err)))
		return false;
	if (f->r.plan->root->counted && !count_groups(f, err))
		return false;
	if (f->r.plan->count == COUNT_EXACT || f->r.plan->root->counted)
		f->result->rows = rows_to_come(f);
	else if (!run_count(f, true, &f->result->rows, err))
		return false;
	if (f->r.style.media == MEDIA_OBJECT) {
		f->seen = f->result->rows;
		if (!check_single(f, err))
			return false;
	}
	begin(f);
	f->r.rs->body.len = 0;
	return true;
}

static bool needs_snapshot(const struct flow *f)
{
	return f->r.plan->count || shows_embeds(f->r.plan->root);
}

static bool read_rows(struct flow *f, struct error *err)
{
	const struct plan *plan = f->r.plan;

	if (f->query->method == HTTP_HEAD)
		return head_only(f, err);
	f->count_after = plan->count == COUNT_EXACT && small_page(plan->root);
	f->r.held = plan->held || f->count_after || is_single(f);
	if (plan->count && !f->count_after && (!count_total(f, err) || !check_offset(f, err)))
		return false;
	begin(f);
	if (!all_rows(f, err) || !count_from_page(f, err) || !check_offset(f, err) || !check_single(f, err))
		return false;
	end(f);
	return true;
}

static bool in_timezone(struct flow *f, struct error *err)
{
	const struct plan *plan = f->r.plan;
	bool ok;

	if (!plan->timezone.len)
		return read_rows(f, err);
	if (!zone_enter(f->r.a, f->r.conn, plan, err))
		return false;
	ok = read_rows(f, err);
	zone_leave(f->r.a, f->r.conn);
	return ok;
}

/* NULL with err when the client takes nothing that is offered. memory: NULL where nothing is embedded. */
static struct flow *new_flow(const struct reader *reader, struct render_memory *memory, const struct query *query,
			     struct render_result *result)
{
	struct flow *f = arena_new(reader->a, struct flow);

	f->r = *reader;
	f->r.scratch = memory ? memory->batch : NULL;
	f->query = query;
	f->result = result;
	f->batch_rows = FIRST_BATCH;
	*result = (struct render_result){ 0 };
	if (!choose_media(f, f->r.err))
		return NULL;
	f->r.style = (struct style){ f->media.media, f->media.strip_nulls };
	return f;
}

bool render_rows(struct arena *a, struct render_memory *memory, const struct plan *plan, const struct query *query,
		 struct db_conn *conn, struct http_response *rs, struct render_result *result_out, struct error *err)
{
	struct reader reader = { .a = a, .plan = plan, .conn = conn, .rs = rs, .err = err, .held = true };
	struct flow *f = new_flow(&reader, memory, query, result_out);
	bool ok;

	if (!f)
		return false;
	begin(f);
	rs->before_send = NULL;
	ok = all_rows(f, err) && check_single(f, err);
	if (ok)
		end(f);
	arena_reset(f->r.scratch);
	return ok;
}

bool render_read(struct arena *a, struct render_memory *memory, const struct plan *plan, const struct query *query,
		 struct db_conn *conn, struct http_response *rs, struct render_result *result_out, struct error *err)
{
	struct reader reader = { .a = a, .plan = plan, .conn = conn, .rs = rs, .err = err };
	struct flow *f = new_flow(&reader, memory, query, result_out);
	bool ok;

	if (!f)
		return false;
	if (f->media.media == MEDIA_PLAN)
		return explain(f, err);
	if (needs_snapshot(f) && !db_begin_snapshot(conn, err))
		return false;
	ok = in_timezone(f, err);
	arena_reset(f->r.scratch);
	return ok;
}

bool render_given(struct arena *a, const struct plan *plan, const struct query *query, struct db_conn *conn,
		  struct http_response *rs, struct db_rows *rows, bool one, struct render_result *result_out,
		  struct error *err)
{
	struct reader reader = { .a = a, .plan = plan, .conn = conn, .rs = rs, .err = err };
	struct flow *f = new_flow(&reader, NULL, query, result_out);

	if (!f)
		return false;
	f->given = rows;
	if (one && f->media.media == MEDIA_JSON)
		f->r.style.media = MEDIA_OBJECT;
	f->r.held = plan->held || plan->count || is_single(f);
	begin(f);
	if (!all_rows(f, err) || !count_from_page(f, err) || !check_offset(f, err) || !check_single(f, err))
		return false;
	end(f);
	return true;
}
