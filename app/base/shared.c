/*
 * Counters and generations in memory that all workers of a pool map.
 *
 * A running worker holds a lock on one byte of the file, whose number is its place. The kernel gives the lock back
 * however the worker ends, so a place whose lock is free belongs to nobody, whatever is written in it.
 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

/* Raised when a member means something else than before; the size tells of the rest. */
#define LAYOUT 2
#define VERSION (((uint64_t)LAYOUT << 32) | sizeof(struct shared))
#define TRIES 10

static int lock_fd = -1; /* the mapped file's; -1: the memory is this process's own */
static size_t own_place = METRIC_WORKERS;

static bool lock_place(int command, size_t place, struct flock *lock)
{
	*lock = (struct flock){ .l_type = F_WRLCK,
				.l_whence = SEEK_SET,
				.l_start = (off_t)sizeof(struct shared) + (off_t)place,
				.l_len = 1 };
	return fcntl(lock_fd, command, lock) == 0;
}

bool metrics_alive(size_t place)
{
	struct flock lock;

	if (place == own_place || lock_fd < 0)
		return place == own_place;
	return lock_place(F_OFD_GETLK, place, &lock) && lock.l_type != F_UNLCK;
}

/* Still the file of that name, and one that this program has made or may make its own. */
enum fitness { FITS, FOREIGN, REPLACED, UNUSABLE };

static enum fitness fitness(int fd, const char *path)
{
	uint64_t version = 0;
	struct stat here, there;

	if (fstat(fd, &here) < 0)
		return UNUSABLE;
	if (stat(path, &there) < 0 || here.st_ino != there.st_ino || here.st_dev != there.st_dev)
		return REPLACED;
	if (here.st_size && pread(fd, &version, sizeof(version), 0) < 0)
		return UNUSABLE;
	if (version && version != VERSION)
		return FOREIGN;
	if (ftruncate(fd, sizeof(struct shared)) < 0)
		return UNUSABLE;
	version = VERSION;
	return pwrite(fd, &version, sizeof(version), 0) == sizeof(version) ? FITS : UNUSABLE;
}

/* -1 with errno. Of several workers that start at once one makes the file, and the others wait for it. */
static int open_file(const char *path, bool replace)
{
	for (int i = 0; i < TRIES; i++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), why;
		enum fitness fit;

		if (fd < 0)
			return -1;
		fit = flock(fd, LOCK_EX) < 0 ? UNUSABLE : fitness(fd, path);
		if (fit == FITS) {
			flock(fd, LOCK_UN);
			return fd;
		}
		why = fit == FOREIGN ? ESTALE : errno;
		if (fit == UNUSABLE || (fit == FOREIGN && (!replace || unlink(path) < 0))) {
			close(fd);
			errno = why;
			return -1;
		}
		close(fd);
	}
	errno = EBUSY;
	return -1;
}

static void *map(int fd)
{
	return mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
		    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
}

struct shared *shared_open(const char *path, bool replace)
{
	int fd = *path ? open_file(path, replace) : -1;
	void *p = MAP_FAILED;

	if (fd >= 0 && (p = map(fd)) != MAP_FAILED) {
		if (lock_fd >= 0)
			close(lock_fd);
		lock_fd = fd;
	}
	if (p == MAP_FAILED) {
		if (*path)
			log_line(LOG_WARN, "shared-file %s: %s; this worker counts for itself", path, strerror(errno));
		p = map(-1);
		if (p == MAP_FAILED)
			return NULL;
	}
	atomic_store(&((struct shared *)p)->version, VERSION);
	return p;
}

static bool take_place(size_t place)
{
	struct flock lock;

	return lock_fd < 0 ? place == 0 : lock_place(F_OFD_SETLK, place, &lock);
}

struct metric_worker *shared_join(struct shared *s)
{
	struct metric_worker *self = NULL;
	int64_t running = 0;

	for (size_t i = 0; i < METRIC_WORKERS && !self; i++)
		if (take_place(i)) {
			self = &s->metrics.workers[i];
			own_place = i;
		}
	if (self && atomic_load(&self->pid))
		metric_add(&s->metrics.crashes, 1);
	if (self) {
		atomic_store(&self->busy, 0);
		atomic_store(&self->connections, 0);
		atomic_store(&self->pid, (int64_t)getpid());
	}
	metric_add(&s->metrics.starts, 1);
	for (size_t i = 0; i < METRIC_WORKERS; i++)
		running += atomic_load(&s->metrics.workers[i].pid) && metrics_alive(i);
	atomic_store(&s->workers, running);
	return self;
}

void shared_leave(struct metric_worker *self)
{
	if (!self)
		return;
	atomic_store(&self->pid, 0);
	own_place = METRIC_WORKERS;
	if (lock_fd >= 0)
		close(lock_fd);
	lock_fd = -1;
}

void shared_metrics(const struct shared *s, struct strbuf *out)
{
	strbuf_lit(out, "# HELP rowgate_build_info The version that answers.\n# TYPE rowgate_build_info gauge\n"
			"rowgate_build_info{version=\"" ROWGATE_VERSION "\"} 1\n");
	metrics_write(&s->metrics, now_ms(), out);
	metric_line(out, "rowgate_schema_changes_total", "counter", "Changes of the definitions seen.",
		    (double)atomic_load(&s->generation));
	metric_line(out, "rowgate_schema_loaded_timestamp_seconds", "gauge", "When the definitions were last loaded.",
		    (double)atomic_load(&s->loaded));
	metric_line(out, "rowgate_schema_checked_timestamp_seconds", "gauge",
		    "When the definitions were last known to be those of the database.",
		    (double)atomic_load(&s->checked));
	metric_line(out, "rowgate_database_demotions_total", "counter",
		    "How often a server was found to be read-only and left.", (double)atomic_load(&s->demotions));
	metric_line(out, "rowgate_logins_total", "counter", "Sign-ins with the right password.",
		    (double)atomic_load(&s->logins));
	metric_line(out, "rowgate_logins_refused_total", "counter", "Sign-ins with a wrong one, or for nobody.",
		    (double)atomic_load(&s->logins_refused));
	metric_line(out, "rowgate_logins_throttled_total", "counter", "Sign-ins answered 429.",
		    (double)atomic_load(&s->logins_throttled));
}
