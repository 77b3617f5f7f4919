/*
 * The watchdog. A worker blocks in its client library while the server works; nobody there sees the client leave or
 * the time run out (and MySQL's own limit does not end every statement). So one thread looks every 100 ms: when
 * the client's connection is closed or the deadline has passed, it shuts the database socket down. The blocked
 * call returns with an error, and the worker kills the statement over a new connection. The thread touches nothing
 * of the client library, and sleeps for good when the worker has been idle for a while.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#include "internal.h"

#include "log.h"

#define TICK_NS 100000000L
#define IDLE_TICKS 20

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool started;
	bool asleep;
	bool armed;
	int client;
	int database;
	int64_t deadline; /* 0: none */
	enum watch_verdict verdict;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void look(void)
{
	if (!watch.armed || watch.verdict != WATCH_QUIET)
		return;
	if (watch.deadline && now_ms() >= watch.deadline)
		watch.verdict = WATCH_TIMEOUT;
	else if (hung_up(watch.client))
		watch.verdict = WATCH_CLIENT_GONE;
	else
		return;
	shutdown(watch.database, SHUT_RDWR);
}

static void *watch_main(void *unused)
{
	unsigned idle = 0;

	pthread_mutex_lock(&watch.lock);
	for (;;) {
		struct timespec tick = { 0, TICK_NS };

		if (!watch.armed && ++idle > IDLE_TICKS) {
			watch.asleep = true;
			pthread_cond_wait(&watch.wake, &watch.lock);
			watch.asleep = false;
		}
		if (watch.armed)
			idle = 0;
		pthread_mutex_unlock(&watch.lock);
		nanosleep(&tick, NULL);
		pthread_mutex_lock(&watch.lock);
		look();
	}
	return unused;
}

/* Without signals, so that they reach the worker alone. */
static void start(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	watch.started = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, watch_main, NULL) != 0)
		log_line(LOG_ERROR, "no thread for the watchdog: statements end by the server's limits alone");
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void watch_arm(int client, int database, int64_t deadline)
{
	pthread_mutex_lock(&watch.lock);
	watch.armed = true;
	watch.client = client;
	watch.database = database;
	watch.deadline = deadline;
	watch.verdict = WATCH_QUIET;
	if (!watch.started)
		start();
	else if (watch.asleep)
		pthread_cond_signal(&watch.wake);
	pthread_mutex_unlock(&watch.lock);
}

void watch_extend(int64_t deadline)
{
	pthread_mutex_lock(&watch.lock);
	watch.deadline = deadline;
	pthread_mutex_unlock(&watch.lock);
}

void watch_disarm(void)
{
	pthread_mutex_lock(&watch.lock);
	watch.armed = false;
	pthread_mutex_unlock(&watch.lock);
}

enum watch_verdict watch_verdict(void)
{
	enum watch_verdict verdict;

	pthread_mutex_lock(&watch.lock);
	verdict = watch.verdict;
	pthread_mutex_unlock(&watch.lock);
	return verdict;
}
