/*
 * rowgate-jwks: fetches the key sets of identity providers into jwt-jwks-folder, from where workers read them by
 * themselves. A program of its own, run by a timer, so that no worker ever opens a connection but to the database. Only
 * the configured URLs, only https with a verified certificate, no redirects, no link-local address (where clouds keep
 * their machines' credentials), little and soon. What does not hold a usable key changes nothing: the last good copy
 * stays, and the exit status says so.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth.h"

#define ANSWER_MAX ((size_t)262144)
#define CONNECT_S 5L
#define WHOLE_S 15L

static size_t take(char *bytes, size_t size, size_t n, void *context)
{
	struct strbuf *b = context;

	if (b->len + size * n > ANSWER_MAX)
		return 0;
	strbuf_add(b, bytes, size * n);
	return size * n;
}

static bool link_local(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	uint32_t last;

	if (address->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 16 == 0xa9fe;
	if (address->sa_family != AF_INET6)
		return true;
	memcpy(&last, v6->sin6_addr.s6_addr + 12, sizeof(last));
	return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && ntohl(last) >> 16 == 0xa9fe);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)context, (void)purpose;
	if (link_local(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_options(CURL *curl, const struct config *config, const char *url, struct strbuf *answer)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, WHOLE_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)ANSWER_MAX);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "rowgate-jwks/" ROWGATE_VERSION);
	if (*config->jwt_jwks_ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, config->jwt_jwks_ca);
}

static bool fetch(const struct config *config, const char *url, struct strbuf *answer, struct error *err)
{
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode code;

	if (!curl)
		return error_set(err, ERR_INTERNAL, "libcurl does not start");
	set_options(curl, config, url, answer);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (code != CURLE_OK)
		return error_set(err, ERR_INTERNAL, "%s", curl_easy_strerror(code));
	return status == 200 || error_set(err, ERR_INTERNAL, "the answer is %ld, not 200", status);
}

static bool write_whole(const char *path, struct slice text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool ok = fd >= 0 && fchmod(fd, 0644) == 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len &&
		  fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Only what is new: a change of the folder sends every worker to read it. */
static bool keep(struct arena *a, const char *path, struct slice text, struct error *err)
{
	char *temporary = arena_printf(a, "%s.new", path);
	struct slice old;
	struct stat st;

	if (stat(path, &st) == 0 && config_read_file(a, path, &old, err) && slice_eq(old, text))
		return true;
	if (write_whole(temporary, text) && rename(temporary, path) == 0)
		return true;
	error_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	unlink(temporary);
	return false;
}

static bool renew(const struct config *config, size_t i)
{
	struct arena *a = arena_open();
	struct auth_provider p;
	struct strbuf answer;
	struct slice text;
	struct error err;
	bool ok;

	auth_provider(a, config, i, &p);
	error_init(&err, a);
	strbuf_init(&answer, a, 8192);
	ok = fetch(config, p.url, &answer, &err);
	text = strbuf_slice(&answer);
	while (text.len && strchr(" \r\n\t", text.ptr[text.len - 1]))
		text.len--;
	ok = ok && auth_jwks_usable(a, text, &err) && keep(a, p.file, text, &err);
	if (!ok)
		fprintf(stderr, "rowgate-jwks: %s: %s; the last good copy stays\n", p.url, err.message);
	arena_close(a);
	return ok;
}

int main(int argc, char **argv)
{
	const char *path = getenv("ROWGATE_CONFIG");
	struct arena *a = arena_open();
	struct config config;
	struct error err;
	int status = 0;

	if (argc == 3 && strcmp(argv[1], "-c") == 0) {
		path = argv[2];
	} else if (argc != 1) {
		fputs("usage: rowgate-jwks [-c FILE]\n", stderr);
		return 2;
	}
	error_init(&err, a);
	if (!config_load(a, path && *path ? path : "rowgate.conf", &config, &err)) {
		fprintf(stderr, "rowgate-jwks: %s\n", err.message);
		return 1;
	}
	if (!*config.jwt_jwks_folder || !config.jwt_jwks_urls.n) {
		fputs("rowgate-jwks: jwt-jwks-folder and jwt-jwks-urls are not set\n", stderr);
		return 1;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	for (size_t i = 0; i < config.jwt_jwks_urls.n; i++)
		if (!renew(&config, i))
			status = 1;
	curl_global_cleanup();
	arena_close(a);
	return status;
}
