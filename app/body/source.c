/*
 * The body's bytes: as sent, or unpacked (gzip, RFC 1952). Unpacking is bounded by what the body may be, for a packed
 * byte can stand for a thousand.
 */
#include <stdlib.h>
#include <zlib.h>

#include "internal.h"

#define PACKED_BUFFER 65536
#define GZIP_ONLY (15 + 16) /* zlib's windowBits for gzip */

struct source {
	body_read_fn *read;
	void *context;
	bool gzip;
	bool member; /* within a gzip member: an end here is a cut */
	uint64_t left;
	z_stream z;
	unsigned char packed[PACKED_BUFFER];
};

struct source *source_open(body_read_fn *read, void *context, bool gzip, uint64_t whole)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s || (gzip && inflateInit2(&s->z, GZIP_ONLY) != Z_OK))
		abort();
	s->read = read;
	s->context = context;
	s->gzip = gzip;
	s->left = whole ? whole : UINT64_MAX;
	return s;
}

void source_close(struct source *s)
{
	if (s && s->gzip)
		inflateEnd(&s->z);
	free(s);
}

static int64_t cut(struct error *err)
{
	error_set(err, ERR_BODY, "The request body ends before its end");
	return -1;
}

static int64_t damaged(struct error *err)
{
	error_set(err, ERR_BODY, "The request body is not valid gzip");
	return -1;
}

/* More packed bytes. 1: there are; 0: no more will come; -1: the connection broke. */
static int refill(struct source *s)
{
	int64_t n = s->read(s->context, (char *)s->packed, sizeof(s->packed));

	if (n <= 0)
		return (int)n;
	s->z.next_in = s->packed;
	s->z.avail_in = (uInt)n;
	return 1;
}

/* Members may follow each other (RFC 1952, section 2.2). */
static int64_t unpack(struct source *s, char *to, size_t size, struct error *err)
{
	s->z.next_out = (unsigned char *)to;
	s->z.avail_out = (uInt)(size > 1 << 30 ? 1 << 30 : size);
	while ((char *)s->z.next_out == to) {
		int rc;

		if (!s->z.avail_in) {
			int more = refill(s);

			if (more < 0 || (more == 0 && s->member))
				return cut(err);
			if (more == 0)
				return 0;
		}
		if (!s->member && inflateReset(&s->z) != Z_OK)
			return damaged(err);
		s->member = true;
		rc = inflate(&s->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			s->member = false;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return damaged(err);
	}
	return (char *)s->z.next_out - to;
}

int64_t source_read(struct source *s, char *to, size_t size, struct error *err)
{
	int64_t n = s->gzip ? unpack(s, to, size, err) : s->read(s->context, to, size);

	if (n < 0)
		return s->gzip ? n : cut(err);
	if ((uint64_t)n > s->left) {
		error_set(err, ERR_PACKET, "the request body is larger than allowed");
		return -1;
	}
	s->left -= (uint64_t)n;
	return n;
}
