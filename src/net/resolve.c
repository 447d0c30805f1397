/* resolve.c: see resolve.h. */
#include "net/resolve.h"

#include <netdb.h>
#include <sys/socket.h>

bool net_resolve(const char *name, struct bh_buf *out)
{
	const struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char text[NI_MAXHOST];
	if (getaddrinfo(name, NULL, &wanted, &list) != 0)
		return false;
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
			bh_buf_printf(out, "%s\n", text);
	freeaddrinfo(list);
	return true;
}
