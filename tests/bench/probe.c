/*
 * The bare probe: what nginx, FastCGI, a checked token, a prepared statement and JSON cost at the very least.
 *
 * It knows three requests by heart, has no schema, no roles, no URL grammar, and no answer to anything that goes
 * wrong but to end. Rowgate does all of that and is measured against this floor.
 *
 *   /rest/v1/employee/N            one employee by key
 *   /rest/v1/employees?division=C  the last 25 of a division
 *   /rest/v1/nested                25 employees, each with its salaries
 *   POST /rest/v1/insert           one row
 *
 * Each request's token is verified by libjwt (HS256, exp). Columns are fetched as text, so numbers and decimals go
 * out digit by digit as the server wrote them.
 */
#include "probe.h"

#include <fcgiapp.h>
#include <jwt.h>
#include <time.h>

enum { MAX_COLUMNS = 12, MAX_VALUE = 256, PAGE = 25, MAX_SECRET = 4096 };

#define EMPLOYEE \
	"eid, name, gender, hire_date, department, division, job_code, manager, performance, annual_benefits_value"

struct column {
	char *key; /* `"name":`, ready to be written */
	size_t key_len;
	bool number;
	my_bool null;
	unsigned long len;
	char value[MAX_VALUE];
};

struct statement {
	MYSQL_STMT *handle;
	unsigned n;
	struct column columns[MAX_COLUMNS];
	MYSQL_BIND results[MAX_COLUMNS];
};

struct probe {
	unsigned char secret[MAX_SECRET];
	int secret_len;
	struct statement key, page, parents, salaries;
	MYSQL_STMT *insert;
	struct out out;
	struct out rows; /* the parents, while their salaries are not there yet */
};

static void column_init(struct column *c, MYSQL_BIND *result, const MYSQL_FIELD *field)
{
	size_t size = strlen(field->name) + sizeof("\"\":");

	c->key = malloc(size);
	if (!c->key)
		fail("out of memory");
	c->key_len = (size_t)snprintf(c->key, size, "\"%s\":", field->name);
	c->number = is_number(field->type);
	result->buffer_type = MYSQL_TYPE_STRING;
	result->buffer = c->value;
	result->buffer_length = sizeof(c->value);
	result->length = &c->len;
	result->is_null = &c->null;
}

static void statement_open(struct statement *s, MYSQL *db, const char *sql)
{
	MYSQL_RES *meta;

	s->handle = mysql_stmt_init(db);
	if (mysql_stmt_prepare(s->handle, sql, strlen(sql)))
		fail("%s: %s", sql, mysql_stmt_error(s->handle));
	meta = mysql_stmt_result_metadata(s->handle);
	s->n = mysql_num_fields(meta);
	if (s->n > MAX_COLUMNS)
		fail("%s: more than %d columns", sql, MAX_COLUMNS);
	for (unsigned i = 0; i < s->n; i++)
		column_init(&s->columns[i], &s->results[i], mysql_fetch_field_direct(meta, i));
	mysql_free_result(meta);
}

static void statement_run(struct statement *s, MYSQL_BIND *parameters)
{
	if ((parameters && mysql_stmt_bind_param(s->handle, parameters)) || mysql_stmt_execute(s->handle) ||
	    mysql_stmt_bind_result(s->handle, s->results) || mysql_stmt_store_result(s->handle))
		fail("execute: %s", mysql_stmt_error(s->handle));
}

static bool statement_fetch(struct statement *s)
{
	int status = mysql_stmt_fetch(s->handle);

	if (status && status != MYSQL_NO_DATA)
		fail("fetch: %s", mysql_stmt_error(s->handle));
	return !status;
}

static int statement_int(const struct statement *s, unsigned column)
{
	return (int)strtol(s->columns[column].value, NULL, 10);
}

/* The members of a row's object, from a column on, without the braces. */
static void add_members(struct out *o, const struct statement *s, unsigned from)
{
	for (unsigned i = from; i < s->n; i++) {
		const struct column *c = &s->columns[i];

		if (i > from)
			out_char(o, ',');
		out_add(o, c->key, c->key_len);
		if (c->null)
			out_text(o, "null");
		else if (c->number)
			out_add(o, c->value, c->len);
		else
			out_json_string(o, c->value, c->len);
	}
}

static void add_object(struct out *o, const struct statement *s, unsigned from)
{
	out_char(o, '{');
	add_members(o, s, from);
	out_char(o, '}');
}

static void add_array(struct out *o, struct statement *s)
{
	out_char(o, '[');
	for (bool first = true; statement_fetch(s); first = false) {
		if (!first)
			out_char(o, ',');
		add_object(o, s, 0);
	}
	out_char(o, ']');
}

static void bind_int(MYSQL_BIND *b, int *value)
{
	b->buffer_type = MYSQL_TYPE_LONG;
	b->buffer = value;
}

static void bind_text(MYSQL_BIND *b, char *text, unsigned long *len)
{
	b->buffer_type = MYSQL_TYPE_STRING;
	b->buffer = text;
	b->buffer_length = *len;
	b->length = len;
}

static void answer_key(struct probe *p, const char *eid)
{
	int key = (int)strtol(eid, NULL, 10);
	MYSQL_BIND parameter = { 0 };

	bind_int(&parameter, &key);
	statement_run(&p->key, &parameter);
	add_array(&p->out, &p->key);
}

static void answer_page(struct probe *p, const char *letter)
{
	char division[40];
	unsigned long len = (unsigned long)snprintf(division, sizeof(division), "Division %.8s", letter);
	MYSQL_BIND parameter = { 0 };

	bind_text(&parameter, division, &len);
	statement_run(&p->page, &parameter);
	add_array(&p->out, &p->page);
}

/* Both results are in the order of eid: the salaries are dealt out to the parents in one pass. */
static void answer_nested(struct probe *p, const char *rest)
{
	int ids[PAGE];
	size_t ends[PAGE];
	MYSQL_BIND parameters[PAGE] = { 0 };
	int n = 0;
	bool more;

	(void)rest;
	p->rows.len = 0;
	statement_run(&p->parents, NULL);
	for (; n < PAGE && statement_fetch(&p->parents); n++) {
		add_members(&p->rows, &p->parents, 0);
		ids[n] = statement_int(&p->parents, 0);
		ends[n] = p->rows.len;
		bind_int(&parameters[n], &ids[n]);
	}
	if (n != PAGE)
		fail("the benchmark's data is not loaded");
	statement_run(&p->salaries, parameters);
	more = statement_fetch(&p->salaries);
	for (int i = 0; i < n; i++) {
		size_t start = i ? ends[i - 1] : 0;

		out_text(&p->out, i ? ",{" : "[{");
		out_add(&p->out, p->rows.bytes + start, ends[i] - start);
		out_text(&p->out, ",\"salary_history\":[");
		for (bool first = true; more && statement_int(&p->salaries, 0) == ids[i]; first = false) {
			if (!first)
				out_char(&p->out, ',');
			add_object(&p->out, &p->salaries, 1);
			more = statement_fetch(&p->salaries);
		}
		out_text(&p->out, "]}");
	}
	out_char(&p->out, ']');
}

/* {"eid":1,"salary":2,"date":"2020-01-31"}, in this very form */
static void answer_insert(struct probe *p, FCGX_Request *request)
{
	char body[256], date[11];
	unsigned long len = sizeof(date) - 1;
	MYSQL_BIND parameters[3] = { 0 };
	int eid, salary;

	body[FCGX_GetStr(body, sizeof(body) - 1, request->in)] = '\0';
	if (sscanf(body, "{\"eid\":%d,\"salary\":%d,\"date\":\"%10s", &eid, &salary, date) != 3)
		fail("not the body of the benchmark: %s", body);
	bind_int(&parameters[0], &eid);
	bind_int(&parameters[1], &salary);
	bind_text(&parameters[2], date, &len);
	if (mysql_stmt_bind_param(p->insert, parameters) || mysql_stmt_execute(p->insert))
		fail("insert: %s", mysql_stmt_error(p->insert));
	out_text(&p->out, "Status: 201\r\n\r\n");
}

static const struct route {
	const char *prefix;
	void (*answer)(struct probe *p, const char *rest);
} routes[] = {
	{ "/rest/v1/employee/", answer_key },
	{ "/rest/v1/employees?division=", answer_page },
	{ "/rest/v1/nested", answer_nested },
};

static bool token_good(const struct probe *p, const char *authorization)
{
	jwt_t *token;
	bool good;

	if (!authorization || strncmp(authorization, "Bearer ", 7) != 0 ||
	    jwt_decode(&token, authorization + 7, p->secret, p->secret_len))
		return false;
	good = jwt_get_alg(token) == JWT_ALG_HS256 && jwt_get_grant_int(token, "exp") > time(NULL);
	jwt_free(token);
	return good;
}

static void answer(struct probe *p, FCGX_Request *request)
{
	const char *uri = FCGX_GetParam("REQUEST_URI", request->envp);

	if (!token_good(p, FCGX_GetParam("HTTP_AUTHORIZATION", request->envp))) {
		out_text(&p->out, "Status: 401\r\n\r\n");
		return;
	}
	if (uri && strcmp(uri, "/rest/v1/insert") == 0) {
		answer_insert(p, request);
		return;
	}
	for (size_t i = 0; uri && i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t n = strlen(routes[i].prefix);

		if (strncmp(uri, routes[i].prefix, n) == 0) {
			out_text(&p->out, "Content-Type: application/json; charset=utf-8\r\n\r\n");
			routes[i].answer(p, uri + n);
			return;
		}
	}
	out_text(&p->out, "Status: 404\r\n\r\n");
}

static void read_secret(struct probe *p)
{
	FILE *file = fopen(environment("BENCH_SECRET_FILE"), "r");

	if (!file || !fgets((char *)p->secret, sizeof(p->secret), file))
		fail("the file in BENCH_SECRET_FILE cannot be read");
	p->secret_len = (int)strcspn((char *)p->secret, "\n");
	fclose(file);
}

static void statements_open(struct probe *p, MYSQL *db)
{
	static const char insert[] = "INSERT INTO inserts (eid, salary, date) VALUES (?, ?, ?)";

	p->insert = mysql_stmt_init(db);
	if (mysql_stmt_prepare(p->insert, insert, strlen(insert)))
		fail("%s: %s", insert, mysql_stmt_error(p->insert));
	statement_open(&p->key, db, "SELECT " EMPLOYEE " FROM employees WHERE eid = ?");
	statement_open(&p->page, db,
		       "SELECT " EMPLOYEE " FROM employees WHERE division = ? ORDER BY eid DESC LIMIT 25");
	statement_open(&p->parents, db, "SELECT " EMPLOYEE " FROM employees ORDER BY eid LIMIT 25 OFFSET 1000");
	statement_open(&p->salaries, db,
		       "SELECT eid, id, salary, date FROM salary_history WHERE eid IN "
		       "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ORDER BY eid, id");
}

int main(void)
{
	static struct probe p;
	FCGX_Request request;

	read_secret(&p);
	statements_open(&p, db_connect());
	if (FCGX_Init() || FCGX_InitRequest(&request, 0, 0))
		fail("no FastCGI socket on file descriptor 0");
	while (FCGX_Accept_r(&request) == 0) {
		p.out.len = 0;
		answer(&p, &request);
		FCGX_PutStr(p.out.bytes, (int)p.out.len, request.out);
		/* nginx keeps no connections: without this, libfcgi would wait for another request on this one. */
		request.keepConnection = 0;
		FCGX_Finish_r(&request);
	}
	return 0;
}
