/* A bound value as text: "int 5", "text abc", "bytes 00ff", "datetime 2020-01-31T10:00:00". */
#ifndef VALUE_DUMP_H
#define VALUE_DUMP_H

#include "db.h"

static inline void dump_value(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL:
		strbuf_adds(b, "null");
		break;
	case VALUE_INT:
		strbuf_addf(b, "int %lld", (long long)v->i);
		break;
	case VALUE_UINT:
		strbuf_addf(b, "uint %llu", (unsigned long long)v->u);
		break;
	case VALUE_DOUBLE:
	case VALUE_FLOAT:
		strbuf_addf(b, "double %.17g", v->d);
		break;
	case VALUE_DECIMAL:
		strbuf_addf(b, "decimal %.*s", (int)v->s.len, v->s.ptr);
		break;
	case VALUE_TEXT:
		strbuf_addf(b, "text %.*s", (int)v->s.len, v->s.ptr);
		break;
	case VALUE_BYTES:
		strbuf_adds(b, "bytes ");
		for (size_t i = 0; i < v->s.len; i++)
			strbuf_addf(b, "%02x", (unsigned char)v->s.ptr[i]);
		break;
	case VALUE_DATE:
		strbuf_adds(b, "date ");
		value_add_date(b, &v->t);
		break;
	case VALUE_DATETIME:
		strbuf_adds(b, "datetime ");
		value_add_datetime(b, &v->t);
		break;
	case VALUE_TIME:
		strbuf_adds(b, "time ");
		value_add_time(b, &v->t);
		break;
	}
}

/* The parameters of a statement: "int 5, text abc". */
static inline const char *dump_params(struct arena *a, const struct db_statement *s)
{
	struct strbuf b;

	strbuf_init(&b, a, 64);
	for (size_t i = 0; i < s->nparams; i++) {
		strbuf_adds(&b, i ? ", " : "");
		dump_value(&b, &s->params[i]);
	}
	return strbuf_cstr(&b);
}

#endif
