#ifndef ROWGATE_CONFIG_H
#define ROWGATE_CONFIG_H

#include "error.h"

enum tx_end { TX_COMMIT, TX_COMMIT_OVERRIDE, TX_ROLLBACK, TX_ROLLBACK_OVERRIDE };
enum text_compare { COMPARE_COLUMN, COMPARE_EXACT };
enum trace_comment { TRACE_SAMPLED, TRACE_ALWAYS, TRACE_NEVER };
enum openapi_mode { OPENAPI_FOLLOW, OPENAPI_IGNORE, OPENAPI_DISABLED };

/* A list of texts: "a, b" in the file. */
struct config_list {
	const char **items;
	size_t n;
};

/*
 * The settings of contract.md: one row each in the table of app/base/config.c, which holds name, type,
 * default and place. Texts are never NULL: unset is "".
 */
struct config {
	/* database */
	struct config_list db_schemas;
	const char *db_anon_role;
	uint64_t db_max_rows; /* 0: no limit */
	enum tx_end db_tx_end;
	bool db_aggregates_enabled;
	uint64_t db_max_distinct; /* values that medians, box plots and the like of one answer may keep */
	bool db_plan_enabled;
	const char *db_pre_request;
	struct config_list db_host; /* host or host:port each; tried in turn */
	uint64_t db_port;
	const char *db_socket;
	const char *db_reader_host; /* empty: reads go where writes go */
	uint64_t db_reader_port;    /* 0: db_port */
	uint64_t db_reader_max_lag; /* seconds; 0: any */
	const char *db_user;
	const char *db_password_file;
	const char *db_ca;
	const char *db_catalogue_user;
	const char *db_catalogue_password_file;
	const char *db_identity_user; /* empty: no /auth/v1, no revocations */
	const char *db_identity_password_file;
	uint64_t db_statement_timeout; /* milliseconds, 0: none */
	uint64_t db_stream_timeout;    /* milliseconds for an answer that is being streamed */
	uint64_t db_connect_timeout;   /* milliseconds */
	uint64_t db_connections_per_worker;
	uint64_t db_max_allowed_packet;      /* bytes of a row, or of a statement with its parameters */
	bool write_unfiltered;               /* PATCH and DELETE without a filter are for all rows, not refused */
	uint64_t db_statement_cache;         /* prepared statements kept per connection */
	uint64_t db_schema_poll;             /* seconds between looks at the definitions' counters */
	enum trace_comment db_trace_comment; /* whose statements begin with a comment that names the request */
	enum text_compare text_compare;
	uint64_t max_embed_depth;
	uint64_t max_body_size;                  /* bytes of a body, unpacked; 0: any */
	uint64_t idempotency_ttl;                /* seconds that an Idempotency-Key is remembered */
	struct config_list idempotency_required; /* paths whose writes need one: "/orders", "/rpc/pay"; "*": all */
	/* tokens */
	const char *jwt_secret;
	const char *jwt_secret_file;
	bool jwt_secret_is_base64;
	const char *jwt_jwks_folder;      /* every *.json in it is a JWKS of public keys; empty: none */
	struct config_list jwt_jwks_urls; /* for rowgate-jwks, which fills that folder */
	const char *jwt_jwks_ca;
	const char *jwt_aud;
	const char *jwt_issuer;
	const char *jwt_role_claim_key;
	const char *jwt_required_claims;
	uint64_t jwt_leeway; /* seconds */
	uint64_t jwt_cache_max_entries;
	/* users and sessions: /auth/v1 */
	const char *auth_signing_keys; /* file; empty: tokens are signed with jwt-secret */
	const char *auth_default_role;
	const char *auth_admin_role;
	bool auth_signup_enabled;
	uint64_t auth_access_ttl;     /* seconds an access token lasts */
	uint64_t auth_refresh_ttl;    /* seconds after which an unused session ends */
	uint64_t auth_refresh_reuse;  /* seconds in which a used refresh token may come again */
	uint64_t auth_password_min;   /* characters */
	uint64_t auth_hash_cost;      /* of yescrypt, 1 to 11 */
	uint64_t auth_hash_share;     /* per cent of the workers that may hash passwords at once */
	uint64_t auth_login_attempts; /* wrong passwords a minute for an account from an address; 0: any */
	/* answers */
	bool client_error_terse;
	struct config_list cors_allowed_origins;
	bool server_timing_enabled;
	const char *server_trace_header;
	enum openapi_mode openapi_mode;
	const char *openapi_server_proxy_uri;
	const char *openapi_title;
	const char *openapi_description;
	bool url_use_legacy_target_names;
	uint64_t max_url_length; /* bytes of path and query */
	/* process */
	int log_level;           /* enum log_level */
	const char *shared_file; /* what workers share: metrics, schema generation; "": nothing shared */
};

/*
 * Reads path, then the environment (ROWGATE_DB_MAX_ROWS overrides db-max-rows). Relative file names in the
 * file are resolved against the file's own folder. Everything lives in a. err names file, line and setting.
 */
bool config_load(struct arena *a, const char *path, struct config *out, struct error *err) MUST_CHECK;

/* Are the files that hold secrets ours and closed to others, those that are there? err names the first that is not. */
bool config_check_secrets(const struct config *config, struct error *err) MUST_CHECK;

/* Reads a whole small file (at most 1 MiB), without the final newline. Says why it could not. */
bool config_read_file(struct arena *a, const char *path, struct slice *out, struct error *err) MUST_CHECK;

/* The same for what others may read and not write, as public keys: owned by anyone, closed to writers (mode 0644 at most). */
bool config_read_guarded(struct arena *a, const char *path, struct slice *out, struct error *err) MUST_CHECK;

/*
 * The same for a secret: refused unless owned by root or this user and closed to others
 * (mode 0600, 0400 or 0640 at most).
 */
bool config_read_secret(struct arena *a, const char *path, struct slice *out, struct error *err) MUST_CHECK;

#endif
