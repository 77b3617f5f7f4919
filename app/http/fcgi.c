/*
 * FastCGI: the only file that knows libfcgi. The listening socket is file descriptor 0, as spawn-fcgi gives it, shared
 * by the workers and non-blocking: whoever comes too late goes back to waiting instead of hanging in accept().
 * Signals are blocked but for the wait, so that none is lost and none interrupts a request.
 *
 * nginx asks to keep the connection (fastcgi_keep_conn), because only then does it take an early close for an error;
 * an answer that is whole clears that wish and closes in good order (facts.md).
 */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "http.h"

#define LISTENER 0
#define MAX_HEADERS 200
/* A connection that sends nothing, or takes nothing, for this long is given up. */
#define IO_TIMEOUT_S 60
/* While stopping: how long the backlog must stay empty. */
#define DRAIN_MS 100

struct http_server {
	FCGX_Request request;
	sigset_t waiting; /* mask while waiting */
};

static volatile sig_atomic_t stopping, reloading;

static void on_stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static void on_reload(int signal)
{
	(void)signal;
	reloading = 1;
}

static void catch(int signal, void (*handler)(int), sigset_t *blocked)
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, NULL);
	sigaddset(blocked, signal);
}

struct http_server *http_open(void)
{
	struct http_server *s = calloc(1, sizeof(*s));
	sigset_t blocked;
	int flags = fcntl(LISTENER, F_GETFL);

	if (!s || flags < 0 || FCGX_IsCGI() || FCGX_Init() || FCGX_InitRequest(&s->request, LISTENER, 0)) {
		free(s);
		return NULL;
	}
	fcntl(LISTENER, F_SETFL, flags | O_NONBLOCK);
	sigemptyset(&blocked);
	catch(SIGTERM, on_stop, &blocked);
	catch(SIGINT, on_stop, &blocked);
	catch(SIGUSR1, on_stop, &blocked);
	catch(SIGHUP, on_reload, &blocked);
	sigprocmask(SIG_BLOCK, &blocked, &s->waiting);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&blocked, i) == 1)
			sigdelset(&s->waiting, i);
	signal(SIGPIPE, SIG_IGN);
	return s;
}

/* Waits until somebody connects. 1: do accept; 0: time is over; -1: a signal. */
static int wait_for_client(struct http_server *s, int ms)
{
	struct pollfd p = { .fd = LISTENER, .events = POLLIN };
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000L };

	return ppoll(&p, 1, ms < 0 ? NULL : &t, &s->waiting);
}

static enum http_method method_of(struct slice text)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is(text, names[i]))
			return (enum http_method)i;
	return HTTP_OTHER;
}

/* HTTP_ACCEPT_PROFILE to accept-profile, in place: the strings are the request's own. */
static struct slice header_name(char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] + 32);
		else if (name[i] == '_')
			name[i] = '-';
	}
	return (struct slice){ name, len };
}

static void read_uri(struct http_request *rq, struct slice uri)
{
	struct slice rest = uri;

	slice_split(&rest, '?', &rq->path);
	rq->query = rest.ptr ? rest : (struct slice){ "", 0 };
}

/* Headers borrow from libfcgi's memory, which ends with http_finish; what the log still needs is copied. */
static void read_param(struct arena *a, struct http_request *rq, char *param)
{
	char *equals = strchr(param, '=');
	size_t len = equals ? (size_t)(equals - param) : 0;
	struct slice name = { param, len };
	struct slice value = equals ? slice_of(equals + 1) : (struct slice){ "", 0 };

	if (slice_starts(name, "HTTP_") && rq->nheaders < MAX_HEADERS) {
		rq->headers[rq->nheaders++] = (struct http_header){ header_name(param + 5, len - 5), value };
	} else if (slice_is(name, "REQUEST_URI")) {
		read_uri(rq, slice_copy(a, value));
	} else if (slice_is(name, "REQUEST_METHOD")) {
		rq->method_text = slice_copy(a, value);
		rq->method = method_of(value);
	} else if (slice_is(name, "REMOTE_ADDR")) {
		rq->remote_addr = value;
	} else if (slice_is(name, "REQUEST_ID")) {
		rq->id = slice_copy(a, value);
	} else if ((slice_is(name, "CONTENT_TYPE") || slice_is(name, "CONTENT_LENGTH")) && value.len &&
		   rq->nheaders < MAX_HEADERS) {
		rq->headers[rq->nheaders++] = (struct http_header){ header_name(param, len), value };
	}
}

static void read_request(struct http_server *s, struct arena *a, struct http_request *rq)
{
	*rq = (struct http_request){ .method = HTTP_OTHER, .path = SLICE(""), .query = SLICE(""), .id = SLICE("") };
	rq->headers = arena_array(a, struct http_header, MAX_HEADERS);
	for (char **p = s->request.envp; p && *p; p++)
		read_param(a, rq, *p);
}

static void set_timeouts(int fd)
{
	struct timeval t = { IO_TIMEOUT_S, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* Accepts and reads one request; false when somebody else was faster or it was no request. */
static bool accept_request(struct http_server *s)
{
	int fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	set_timeouts(fd);
	/* With a connection at hand, and one it believes worth keeping, libfcgi reads the request and accepts nothing. */
	s->request.ipcFd = fd;
	s->request.keepConnection = 1;
	return FCGX_Accept_r(&s->request) == 0;
}

enum http_event http_accept(struct http_server *s, struct arena *a, int tick_ms, struct http_request *rq,
			    struct http_response *rs)
{
	for (;;) {
		int ready = wait_for_client(s, stopping ? DRAIN_MS : tick_ms);

		if (ready > 0 && accept_request(s)) {
			read_request(s, a, rq);
			*rs = (struct http_response){ .status = 500, .connection = &s->request,
						      .head = rq->method == HTTP_HEAD };
			strbuf_init(&rs->headers, a, 512);
			strbuf_init(&rs->body, a, 4096);
			return HTTP_REQUEST;
		}
		if (ready == 0)
			return stopping ? HTTP_STOP : HTTP_TICK;
		if (reloading && !stopping) {
			reloading = 0;
			return HTTP_RELOAD;
		}
	}
}

static void send_headers(struct http_response *rs, FCGX_Stream *out)
{
	struct strbuf *h = &rs->headers;
	char status[64];
	int n;

	if (rs->before_send)
		rs->before_send(rs, rs->context);
	n = snprintf(status, sizeof(status), "Status: %d %s\r\n", rs->status, http_reason(rs->status));
	FCGX_PutStr(status, n, out);
	strbuf_lit(h, "\r\n");
	FCGX_PutStr(h->ptr, (int)h->len, out);
	rs->sent = true;
}

bool http_flush(struct http_response *rs, struct error *err)
{
	FCGX_Request *request = rs->connection;

	if (!rs->sent)
		send_headers(rs, request->out);
	rs->bytes += rs->body.len;
	if (!rs->head && rs->body.len)
		FCGX_PutStr(rs->body.ptr, (int)rs->body.len, request->out);
	rs->body.len = 0;
	if (FCGX_GetError(request->out))
		return error_set(err, ERR_CUT, "the client has left");
	return true;
}

void http_finish(struct http_server *s, struct http_response *rs)
{
	struct error ignored = { 0 };
	struct arena *a = rs->headers.arena;

	error_init(&ignored, a);
	if (!rs->sent && !rs->head && rs->status != 204 && rs->status != 304)
		http_set_header(rs, "Content-Length", "%zu", rs->body.len);
	if (!http_flush(rs, &ignored)) {
		/* Nobody is left to be told. */
	}
	s->request.keepConnection = 0;
	FCGX_Finish_r(&s->request);
}

void http_cut(struct http_server *s, struct http_response *rs)
{
	(void)rs;
	FCGX_Free(&s->request, 1);
	FCGX_InitRequest(&s->request, LISTENER, 0);
}

int http_fd(const struct http_server *s)
{
	return s->request.ipcFd;
}
