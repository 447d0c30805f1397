/* describe.h: what a container's manager and its own files say of it, read with the parent's rights; nothing is parsed here. */
#ifndef BH_AGENT_DESCRIBE_H
#define BH_AGENT_DESCRIBE_H

#include "agent/container.h"
#include "base/buf.h"

#define AGENT_DESCRIPTION_BYTES_MAX (900u << 10) /* fits into one message */

/*
 * offset size
 *      0    4  enum agent_manager
 *      4    4  bytes of /etc/passwd
 *      8    4  bytes of /etc/group
 *     12    -  both, and the manager's JSON
 */
struct agent_description {
	uint32_t manager, passwd_bytes, group_bytes;
};

/* pid: a process of the container, whose root is the container's; it may be gone. docker_socket: NULL: don't ask. */
void agent_describe(const char *id, uint32_t pid, const char *docker_socket, struct bh_buf *out);

/* The same bytes into a container. False: nobody knows it. */
bool agent_description_take(struct agent_container *c, struct bh_slice bytes);

#endif
