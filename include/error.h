#ifndef ROWGATE_ERROR_H
#define ROWGATE_ERROR_H

#include "strbuf.h"

/*
 * Every refusal a client can meet: one row per code in app/base/error.c gives HTTP status and the code
 * that goes out (PostgREST's, or the SQLSTATE PostgreSQL uses for the same thing).
 */
enum error_code {
	ERR_NONE,
	/* connection */
	ERR_DB_LOGIN,       /* PGRST000 503 */
	ERR_DB_LOST,        /* PGRST001 503 */
	ERR_SCHEMA_LOADING, /* PGRST002 503 */
	ERR_POOL_WAIT,      /* PGRST003 504 */
	/* request */
	ERR_PARSE,            /* PGRST100 400 */
	ERR_METHOD_RPC,       /* PGRST101 405 */
	ERR_BODY,             /* PGRST102 400 */
	ERR_RANGE,            /* PGRST103 416 */
	ERR_SCHEMA,           /* PGRST106 406 */
	ERR_MEDIA,            /* PGRST107 406 */
	ERR_NOT_EMBEDDED,     /* PGRST108 400 */
	ERR_SINGULAR,         /* PGRST116 406 */
	ERR_METHOD,           /* PGRST117 405 */
	ERR_ORDER_NOT_TO_ONE, /* PGRST118 400 */
	ERR_EMBED_FILTER,     /* PGRST120 400 */
	ERR_PREFER,           /* PGRST122 400 */
	ERR_AGGREGATES_OFF,   /* PGRST123 400 */
	ERR_PATH,             /* PGRST125 404 */
	ERR_ROOT_OFF,         /* PGRST126 404 */
	ERR_NOT_OFFERED,      /* PGRST127 400 */
	ERR_MAX_AFFECTED,     /* PGRST124 400 */
	ERR_PUT_FILTER,       /* PGRST105 405 */
	ERR_PUT_RANGE,        /* PGRST114 400 */
	ERR_PUT_KEY,          /* PGRST115 400 */
	ERR_RESPONSE_HEADERS, /* PGRST111 500 */
	ERR_RESPONSE_STATUS,  /* PGRST112 500 */
	ERR_SCALAR_AFFECTED,  /* PGRST128 400 */
	/* schema */
	ERR_NO_RELATION,     /* PGRST200 400 */
	ERR_AMBIGUOUS_EMBED, /* PGRST201 300 */
	ERR_NO_ROUTINE,      /* PGRST202 404 */
	ERR_NO_TABLE,        /* PGRST205 404 */
	ERR_WRITE_COLUMN,    /* PGRST204 400 */
	/* token */
	ERR_JWT_NO_SECRET, /* PGRST300 500 */
	ERR_JWT_INVALID,   /* PGRST301 401 */
	ERR_JWT_REQUIRED,  /* PGRST302 401 */
	ERR_JWT_CLAIMS,    /* PGRST303 401 */
	ERR_JWT_REVOKED,   /* PGRST303 401 */
	/* the database's own, by SQLSTATE */
	ERR_UNKNOWN_COLUMN,   /* 42703 400 */
	ERR_UNKNOWN_TYPE,     /* 42704 400 */
	ERR_NO_OPERATOR,      /* 42883 400 */
	ERR_BAD_LITERAL,      /* 22P02 400 */
	ERR_BAD_DATETIME,     /* 22007 400 */
	ERR_OUT_OF_RANGE,     /* 22003 400 */
	ERR_BAD_PARAMETER,    /* 22023 400 */
	ERR_UNKNOWN_ROLE,     /* 22023 401 */
	ERR_BAD_REGEX,        /* 2201B 400 */
	ERR_NO_FULLTEXT,      /* 42704 400 */
	ERR_DENIED,           /* 42501 403, 401 for the anonymous role */
	ERR_DB_TABLE,         /* 42P01 404 */
	ERR_DB_SCHEMA,        /* 3F000 404 */
	ERR_DB_ROUTINE,       /* 42883 404 */
	ERR_DB_SYNTAX,        /* 42601 500: our bug */
	ERR_DIVISION,         /* 22012 400 */
	ERR_LOCK_WAIT,        /* 55P03 503 */
	ERR_DEADLOCK,         /* 40P01 503 */
	ERR_READ_ONLY,        /* 25006 405 */
	ERR_READ_ONLY_SERVER, /* 25006 503 */
	ERR_TIMEOUT,          /* 57014 504 */
	ERR_CONNECTIONS,      /* 53300 503 */
	ERR_DISK_FULL,        /* 53100 503 */
	ERR_PACKET,           /* 54000 413 */
	ERR_STACK,            /* 54001 500 */
	ERR_DUPLICATE,        /* 23505 409 */
	ERR_NULL,             /* 23502 400 */
	ERR_FOREIGN_KEY,      /* 23503 409 */
	ERR_CHECK,            /* 23514 400 */
	ERR_TOO_LONG,         /* 22001 400 */
	ERR_GENERATED,        /* 428C9 400 */
	ERR_VIEW_CHECK,       /* 44000 400 */
	ERR_CARDINALITY,      /* 21000 400 */
	ERR_NO_CONFLICT_KEY,  /* 42P10 400 */
	ERR_RAISED,           /* P0001 400: SIGNAL SQLSTATE '45000' */
	ERR_DB_OTHER,         /* XX000 500, or 400 for SQLSTATE classes 22, 23 and 42 */
	/* ours */
	ERR_AUTH,      /* of /auth/v1: status and code are set one by one */
	ERR_TOO_LARGE, /* PGRST100 414: the request is beyond a limit */
	ERR_OUTCOME,   /* PGRSTX01 503: nobody knows whether the write was done */
	ERR_KEY,       /* PGRSTX02 400: no Idempotency-Key as it must be */
	ERR_KEY_BUSY,  /* PGRSTX03 409: the same request is being answered */
	ERR_KEY_USED,  /* PGRSTX04 422: the key stands for another request */
	ERR_POLICY,    /* PGRSTX05 503: a row policy cannot be applied */
	ERR_CUT,       /* the answer could not be finished; the connection is cut */
	ERR_INTERNAL,  /* PGRSTX00 500 */
	ERR_CODES
};

/* One refusal. Its texts live in the arena given to error_init. */
struct error {
	struct arena *arena;
	enum error_code code;
	int status;           /* HTTP status; from the table unless set otherwise */
	const char *sqlstate; /* what goes out as "code"; from the table unless set otherwise */
	const char *message;
	const char *details;       /* NULL: null */
	const char *hint;          /* NULL: null */
	bool details_json;         /* details is JSON text, not a string */
	const char *challenge;     /* RFC 6750 error_description for WWW-Authenticate, or NULL */
	const char *content_range; /* 416: what there is, for Content-Range */
	unsigned retry_after;      /* seconds for Retry-After; 0: none */
	unsigned db_errno;         /* MySQL's number; 0: not from the database */
	const char *log_detail;    /* for the log only: MySQL's text */
};

void error_init(struct error *err, struct arena *a);

/* Fills code, status and message and clears the rest. Always returns false, so that a refusal is one line. */
bool error_set(struct error *err, enum error_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Add to a refusal already set; return false as well. */
bool error_details(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool error_hint(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The body {"code","message","details","hint"}; only the first two when terse. */
void error_body(const struct error *err, bool terse, struct strbuf *out);

#endif
