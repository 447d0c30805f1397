/* sender.c: see sender.h. */
#include "net/sender.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SECONDS 5
#define HOST_BYTES 256u

struct net_sender {
	int fd;
	bool is_stream;
};

static int with_timeouts(int fd)
{
	const struct timeval limit = { .tv_sec = SECONDS };
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)); /* of connecting, too */
	return fd;
}

/* Datagrams, as those who log expect them; some have a stream. */
static int connect_here(const char *path, bool *is_stream, struct bh_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= (int)sizeof(address.sun_path))
		return bh_fail(err, BH_EUSAGE, 0, "the path of a socket has at most %zu bytes: %s", sizeof(address.sun_path) - 1, path);
	for (int stream = 0; stream < 2; stream++) {
		int fd = socket(AF_UNIX, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(with_timeouts(fd), (const struct sockaddr *)&address, sizeof(address)) == 0) {
			*is_stream = stream;
			return fd;
		}
		int why = errno;
		if (fd >= 0)
			(void)close(fd);
		if (why != EPROTOTYPE)
			return bh_fail_errno(err, why, "%s", path);
	}
	return bh_fail(err, BH_EIO, 0, "%s: a socket of another kind", path);
}

/* "host", "host:1", "[::1]:1" */
static bool split(const char *text, char host[HOST_BYTES], const char **port)
{
	const char *from = text, *end = text[0] == '[' ? strchr(text, ']') : strchr(text, ':');
	if (text[0] == '[' && !end)
		return false;
	from += text[0] == '[';
	size_t n = end ? (size_t)(end - from) : strlen(from);
	if (n == 0 || n >= HOST_BYTES)
		return false;
	memcpy(host, from, n);
	host[n] = '\0';
	end = end && text[0] == '[' ? end + 1 : end;
	if (end && *end == ':')
		*port = end + 1;
	return !end || *end == ':' || *end == '\0';
}

static int connect_there(const char *text, bool is_stream, const char *port, struct bh_err *err)
{
	const struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = is_stream ? SOCK_STREAM : SOCK_DGRAM };
	struct addrinfo *list = NULL;
	char host[HOST_BYTES];
	int fd = -1, why = 0;
	if (!split(text, host, &port))
		return bh_fail(err, BH_EUSAGE, 0, "'%s' is no host and port", text);
	int rc = getaddrinfo(host, port, &wanted, &list);
	if (rc != 0)
		return bh_fail(err, rc == EAI_SERVICE ? BH_EUSAGE : BH_EIO, 0, "%s: %s", text, gai_strerror(rc));
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect(with_timeouts(fd), a->ai_addr, a->ai_addrlen) < 0) {
			why = errno;
			(void)close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd >= 0 ? fd : bh_fail_errno(err, why == EINPROGRESS ? ETIMEDOUT : why, "%s", text);
}

int net_sender_open(const char *target, const char *default_port, struct net_sender **ret, struct bh_err *err)
{
	bool is_stream = strncmp(target, "tcp://", 6) == 0, is_far = is_stream || strncmp(target, "udp://", 6) == 0;
	if (!is_far && target[0] != '/')
		return bh_fail(err, BH_EUSAGE, 0, "'%s' is neither the path of a socket nor udp://HOST:PORT or tcp://HOST:PORT", target);
	struct net_sender *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	s->is_stream = is_stream;
	s->fd = is_far ? connect_there(target + 6, is_stream, default_port, err) : connect_here(target, &s->is_stream, err);
	if (s->fd < 0) {
		int rc = s->fd;
		free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void net_sender_free(struct net_sender *s)
{
	if (!s)
		return;
	(void)close(s->fd);
	free(s);
}

bool net_sender_is_stream(const struct net_sender *s)
{
	return s->is_stream;
}

/* Of a stream the other end may have closed what looks open until it is written to. */
static bool is_closed(const struct net_sender *s)
{
	char c;
	return s->is_stream && recv(s->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

int net_sender_send(struct net_sender *s, struct bh_slice text, struct bh_err *err)
{
	if (is_closed(s))
		return bh_fail(err, BH_EIO, 0, "the other end has closed the connection");
	while (text.len) {
		ssize_t n = send(s->fd, text.ptr, text.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bh_fail_errno(err, errno == EAGAIN ? ETIMEDOUT : errno, "sending");
		text = bh_slice_sub(text, (size_t)n, text.len);
	}
	return 0;
}
