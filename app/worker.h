#ifndef ROWGATE_WORKER_H
#define ROWGATE_WORKER_H

#include "auth.h"
#include "call.h"
#include "db.h"
#include "identity.h"
#include "once.h"
#include "openapi.h"
#include "render.h"
#include "schema.h"
#include "shared.h"
#include "write.h"

/* What a reload replaces as a whole: configuration, keys, connections, definitions. */
struct state {
	struct arena *arena; /* of the configuration */
	struct config config;
	struct auth *auth;
	struct db *db;
	struct openapi_cache *descriptions;
	struct schema *schema; /* NULL until the database has been reached */
	int64_t tried;         /* milliseconds: last attempt to load, 0 when it went well */
	int64_t looked;        /* milliseconds: last load, or look whether definitions have changed */
	uint64_t revocations;  /* version of those that auth holds, as in struct shared */
	bool revocations_read;
	int64_t revocations_tried; /* milliseconds */
};

struct worker {
	const char *config_path;
	struct state *state;
	struct shared *shared;
	struct http_server *server;
	struct arena *arena; /* of the request */
	struct render_memory memory;
	struct metric_worker *self; /* NULL: not among the counted */
	uint64_t connections_seen;
	uint64_t hits_seen, misses_seen;
	uint64_t demotions_seen;
	uint64_t reloads_seen;
	int64_t keys_looked; /* milliseconds: at the file of signing keys */
};

/* Configuration, keys and database handles; definitions are loaded when the database answers. */
bool state_open(const char *config_path, struct state **out, struct error *err) MUST_CHECK;
void state_close(struct state *s);

/* Makes sure the definitions are there, and those that the pool has. ERR_SCHEMA_LOADING when they cannot be read. */
bool worker_schema(struct worker *w, struct error *err) MUST_CHECK;

/*
 * Makes sure that auth knows what is revoked. When the database does not answer what is known goes on to count; with
 * nothing known yet ERR_SCHEMA_LOADING.
 */
bool worker_revocations(struct worker *w, struct error *err) MUST_CHECK;

/* Between requests: has another machine revoked something, is there a new signing key? */
void worker_poll_identity(struct worker *w);

/* Does the database answer now? */
bool worker_database_answers(struct worker *w, struct error *err) MUST_CHECK;

/*
 * Between requests: has somebody changed the definitions? At most every db-schema-poll seconds in the whole pool. Every
 * minute, one of the pool deletes expired idempotency keys.
 */
void worker_poll(struct worker *w);

/* Has one of the pool met a read-only server? Then all leave the server they know. */
void worker_notice(struct worker *w);

/*
 * The writer's time now, in microseconds and at most a little more than it is: nothing that is committed by now is later.
 * False when it has not been heard of for a while.
 */
bool worker_writer_time(const struct worker *w, int64_t *time_out);

/* A request is in hand since then (milliseconds, monotonic); 0: no more. */
void worker_busy(struct worker *w, int64_t since);

/* What db and auth have counted since the last time goes to /metrics. */
void worker_count(struct worker *w);

/* At once, after a name was not found. True when the definitions are new and another attempt makes sense. */
bool worker_definitions_changed(struct worker *w);

/* SIGHUP: everything anew; on failure the old state serves on. */
bool worker_reload(struct worker *w);

/* Has somebody asked for a reload of the whole pool? */
void worker_follow_reload(struct worker *w);

/* Counts statements at the worker's place, from now on. */
void worker_count_statements(struct worker *w);

/* For /auth/v1: what only a worker has. */
struct identity_env worker_identity(struct worker *w, struct arena *a, int client_fd);

/* One request from start to end (handle/). */
void handle(struct worker *w, struct http_request *rq, struct http_response *rs);

/* The subcommands beside serve (commands.c, cli/); they return the exit status. */
int command_check(const char *config_path);
int command_schema(const char *config_path, int argc, char **argv);
int command_policy(const char *config_path, int argc, char **argv);
int command_token(const char *config_path, int argc, char **argv);
int command_user(const char *config_path, int argc, char **argv);
int command_key(const char *config_path, int argc, char **argv);
int command_role(const char *config_path, int argc, char **argv);

#endif
