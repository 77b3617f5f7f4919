/*
 * FastCGI: the only file that knows libfcgi. The listening socket is file descriptor 0, as spawn-fcgi gives it, shared
 * by the workers and non-blocking: whoever comes too late goes back to waiting instead of hanging in accept().
 * Signals are blocked and read from a descriptor, so that none is lost and none interrupts a request.
 *
 * nginx asks to keep the connection (fastcgi_keep_conn), because only then does it take an early close for an error;
 * an answer that is whole clears that wish and closes in good order (facts.md).
 */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <time.h>

#include "clock.h"
#include "http.h"

#define LISTENER 0
#define MAX_HEADERS 200
/* A client that says half a request and no more is left after twice that. nginx sends requests whole. */
#define READ_TIMEOUT_S 3
/* A streamed answer of which nothing is taken for this long is given up. */
#define WRITE_TIMEOUT_S 60
/* While stopping: how long the backlog must stay empty, and what is long enough when others go on serving it. */
#define DRAIN_MS 100
#define DRAIN_MAX_MS 1000

struct http_server {
	FCGX_Request request;
	struct strbuf body; /* of the answer: its memory is kept */
	int epoll;          /* holds the listening socket and: */
	int signals;        /* a signalfd */
	uint64_t body_left; /* of what Content-Length announced */
	bool reloading;
	bool stopping;
	int64_t stop_at; /* milliseconds on the monotonic clock, while stopping */
};

/*
 * EPOLLEXCLUSIVE: a connection wakes one worker, not all of them. Signals come as events beside the connections: under
 * load epoll_pwait would return connections only, and a signal would wait for ever.
 */
static bool watch(struct http_server *s)
{
	struct epoll_event client = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = LISTENER };
	struct epoll_event told = { .events = EPOLLIN };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGQUIT); /* what multiwatch sends when it is told to end */
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	s->signals = told.data.fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	return s->signals >= 0 && s->epoll >= 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, LISTENER, &client) == 0 &&
	       epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->signals, &told) == 0;
}

struct http_server *http_open(void)
{
	struct http_server *s = calloc(1, sizeof(*s));
	int flags = fcntl(LISTENER, F_GETFL);

	if (!s || flags < 0 || FCGX_IsCGI() || FCGX_Init() || FCGX_InitRequest(&s->request, LISTENER, 0)) {
		free(s);
		return NULL;
	}
	if (fcntl(LISTENER, F_SETFL, flags | O_NONBLOCK) < 0 || !watch(s)) {
		free(s);
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	return s;
}

void http_close(struct http_server *s)
{
	close(s->epoll);
	close(s->signals);
	strbuf_close(&s->body);
	free(s);
}

static void read_signals(struct http_server *s)
{
	struct signalfd_siginfo told;

	while (read(s->signals, &told, sizeof(told)) == (ssize_t)sizeof(told)) {
		if (told.ssi_signo == SIGHUP)
			s->reloading = true;
		else
			s->stopping = true;
	}
}

/* True when somebody has connected; *idle_out: nobody has, and no signal came, for ms milliseconds. */
static bool wait_for_client(struct http_server *s, int ms, bool *idle_out)
{
	struct epoll_event events[2];
	int n = epoll_wait(s->epoll, events, 2, ms);
	bool connected = false;

	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == LISTENER)
			connected = true;
		else
			read_signals(s);
	}
	*idle_out = n == 0;
	return connected;
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

int64_t http_read_body(void *context, char *to, size_t size)
{
	struct http_server *s = context;
	size_t want = size < INT_MAX ? size : INT_MAX;
	int n;

	if (want > s->body_left)
		want = s->body_left;
	if (!want)
		return 0;
	n = FCGX_GetStr(to, (int)want, s->request.in);
	if (n <= 0)
		return -1;
	s->body_left -= (uint64_t)n;
	return n;
}

/* libfcgi's buffer is passed through in pieces that lie in it whole, each wiped behind us. */
int64_t http_read_secret(void *context, char *to, size_t size)
{
	struct http_server *s = context;
	FCGX_Stream *in = s->request.in;
	size_t left;
	int64_t n;

	if (in->rdNext == in->stop && s->body_left) {
		if (FCGX_GetChar(in) < 0)
			return -1;
		in->rdNext--;
	}
	left = (size_t)(in->stop - in->rdNext);
	n = http_read_body(context, to, left < size ? left : size);
	if (n > 0)
		explicit_bzero(in->rdNext - n, (size_t)n);
	return n;
}

static uint64_t announced(const struct http_request *rq)
{
	struct slice text;
	uint64_t n = 0;

	return http_header(rq, "content-length", &text) && parse_u64(text, &n) ? n : 0;
}

/* Accepts and reads one request; false when somebody else was faster or it was no request. */
static bool accept_request(struct http_server *s)
{
	static const struct timeval patience = { READ_TIMEOUT_S, 0 };
	int fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* With a connection at hand, and one it believes worth keeping, libfcgi reads the request and accepts nothing. */
	s->request.ipcFd = fd;
	s->request.keepConnection = 1;
	return FCGX_Accept_r(&s->request) == 0;
}

enum http_event http_accept(struct http_server *s, struct arena *a, int tick_ms, struct http_request *rq,
			    struct http_response *rs)
{
	for (;;) {
		bool idle, connected;

		if (s->reloading && !s->stopping) {
			s->reloading = false;
			return HTTP_RELOAD;
		}
		connected = wait_for_client(s, s->stopping ? DRAIN_MS : tick_ms, &idle);

		if (s->stopping && !s->stop_at)
			s->stop_at = now_ms() + DRAIN_MAX_MS;
		if (s->stopping && (idle || now_ms() >= s->stop_at))
			return HTTP_STOP;
		if (connected && accept_request(s)) {
			read_request(s, a, rq);
			s->body_left = announced(rq);
			*rs = (struct http_response){ .status = 500,
						      .connection = &s->request,
						      .head = rq->method == HTTP_HEAD };
			strbuf_init(&rs->headers, a, 512);
			s->body.len = 0;
			rs->body = s->body;
			return HTTP_REQUEST;
		}
		if (idle)
			return HTTP_TICK;
	}
}

/* What the client sent and nobody read: closing with input unread would reset the connection. */
static void drain(struct http_server *s)
{
	char rest[8192];

	while (FCGX_GetStr(rest, sizeof(rest), s->request.in) > 0)
		;
}

/* What came in headers and went out: cookies and tokens. */
static void forget(const struct http_server *s, const struct http_response *rs)
{
	for (char **p = s->request.envp; p && *p; p++)
		explicit_bzero(*p, strlen(*p));
	if (rs->body.ptr)
		explicit_bzero(rs->body.ptr, rs->body.cap);
}

/* Closes the connection. libfcgi would wait for nginx to close first, lest unread input reset it; there is none. */
static void end_request(struct http_server *s, struct http_response *rs)
{
	close(s->request.ipcFd);
	s->request.ipcFd = -1;
	if (rs->secret)
		forget(s, rs);
	FCGX_Free(&s->request, 0);
	s->body = rs->body;
	if (s->body.cap > 4 * HTTP_HOLD_BACK)
		strbuf_close(&s->body);
}

/* --- the answer: FastCGI records (FastCGI 1.0, sections 3.3 and 5.3), gathered into as few writes as possible --- */

#define RECORD_MAX ((size_t)65528)
#define RECORD_STDOUT 6
#define RECORD_END_REQUEST 3
#define RECORDS_PER_WRITE 16

struct record_header {
	unsigned char version, type, id_high, id_low, length_high, length_low, padding, reserved;
};

static struct record_header record(const FCGX_Request *request, unsigned char type, size_t length)
{
	return (struct record_header){ 1,
				       type,
				       (unsigned char)(request->requestId >> 8),
				       (unsigned char)request->requestId,
				       (unsigned char)(length >> 8),
				       (unsigned char)length,
				       0,
				       0 };
}

static bool write_all(int fd, struct iovec *v, int n)
{
	while (n > 0) {
		ssize_t done = writev(fd, v, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		for (; n > 0 && (size_t)done >= v->iov_len; v++, n--)
			done -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + done;
			v->iov_len -= (size_t)done;
		}
	}
	return true;
}

/* text as STDOUT records; with end, the marks of a whole answer behind it. */
static bool send_records(const FCGX_Request *request, struct slice text, bool end)
{
	struct record_header headers[RECORDS_PER_WRITE], close[2];
	struct iovec v[RECORDS_PER_WRITE * 2 + 3];
	char body[8] = { 0 };
	int n = 0, records = 0;

	for (;;) {
		size_t len = text.len < RECORD_MAX ? text.len : RECORD_MAX;
		union {
			const char *from;
			char *to;
		} data = { text.ptr };

		if (len) {
			headers[records] = record(request, RECORD_STDOUT, len);
			v[n++] = (struct iovec){ &headers[records++], sizeof(*headers) };
			v[n++] = (struct iovec){ data.to, len };
			text = slice_from(text, len);
		}
		if (!text.len)
			break;
		if (records == RECORDS_PER_WRITE) {
			if (!write_all(request->ipcFd, v, n))
				return false;
			n = records = 0;
		}
	}
	if (end) {
		close[0] = record(request, RECORD_STDOUT, 0);
		close[1] = record(request, RECORD_END_REQUEST, sizeof(body));
		v[n++] = (struct iovec){ close, sizeof(close) };
		v[n++] = (struct iovec){ body, sizeof(body) };
	}
	return write_all(request->ipcFd, v, n);
}

/* The header block, put before the body so far: both leave together. */
static void put_headers(struct http_response *rs)
{
	struct strbuf block;

	strbuf_init(&block, rs->headers.arena, rs->headers.len + 64);
	strbuf_addf(&block, "Status: %d %s\r\n", rs->status, http_reason(rs->status));
	strbuf_add_slice(&block, strbuf_slice(&rs->headers));
	strbuf_lit(&block, "\r\n");
	rs->sent = true;
	rs->headers = block;
}

/* The last word about status and headers. */
static void complete(struct http_response *rs)
{
	if (rs->sent)
		return;
	if (rs->before_send)
		rs->before_send(rs, rs->context);
	if (rs->complete)
		rs->complete(rs, rs->complete_context);
}

static bool transmit(struct http_response *rs, bool end)
{
	const FCGX_Request *request = rs->connection;
	bool first = !rs->sent, ok = true;
	struct slice body = rs->head ? (struct slice){ NULL, 0 } : strbuf_slice(&rs->body);

	rs->bytes += rs->body.len;
	if (first) {
		put_headers(rs);
		/* A small answer goes out in one record, and so in one write. */
		if (body.len + rs->headers.len <= RECORD_MAX) {
			strbuf_add_slice(&rs->headers, body);
			body.len = 0;
		}
		ok = send_records(request, strbuf_slice(&rs->headers), end && !body.len);
	}
	if (ok && (!first || body.len))
		ok = send_records(request, body, end);
	rs->body.len = 0;
	return ok;
}

/* nginx buffers what its client does not take; when it takes nothing either, the answer is given up. */
static void limit_writes(const struct http_response *rs)
{
	const FCGX_Request *request = rs->connection;
	struct timeval t = { WRITE_TIMEOUT_S, 0 };

	setsockopt(request->ipcFd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

bool http_flush(struct http_response *rs, struct error *err)
{
	if (!rs->sent)
		limit_writes(rs);
	complete(rs);
	return transmit(rs, false) || error_set(err, ERR_CUT, "the client has left");
}

void http_finish(struct http_server *s, struct http_response *rs)
{
	complete(rs);
	if (!rs->sent && !rs->head && rs->status != 204 && rs->status != 304)
		http_set_header(rs, "Content-Length", "%zu", rs->body.len);
	drain(s);
	if (!transmit(rs, true)) {
		/* Nobody is left to be told. */
	}
	end_request(s, rs);
}

void http_cut(struct http_server *s, struct http_response *rs)
{
	end_request(s, rs);
}

int http_fd(const struct http_server *s)
{
	return s->request.ipcFd;
}
