/* describe.c: see describe.h. */
#include "agent/describe.h"

#include "base/cleanup.h"
#include "net/http.h"
#include "sys/files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX (128u << 10)
#define ASK_SECONDS 2u

/* Once, and not for long: records wait meanwhile. */
static bool from_docker(const char *id, const char *socket_path, struct bh_buf *json)
{
	const struct net_options options = { .unix_socket = socket_path, .connect_seconds = ASK_SECONDS, .total_seconds = ASK_SECONDS, .tries = 1 };
	struct net_session *session = NULL;
	struct bh_err err = { 0 };
	char url[160];
	if (!socket_path || access(socket_path, F_OK) < 0 || net_session_new(&options, &session, &err) < 0)
		return false;
	(void)snprintf(url, sizeof(url), "http://localhost/containers/%s/json", id);
	bool known = net_fetch_small(session, url, NULL, json, &err) == 0;
	net_session_free(session);
	return known;
}

static bool from_file(const char *path, struct bh_buf *json)
{
	struct bh_err err = { 0 };
	return access(path, R_OK) == 0 && bh_read_file(path, AGENT_DESCRIPTION_BYTES_MAX, json, &err) == 0;
}

/* Containers of containerd's users: moby is Docker's, and asked for there. */
static bool from_containerd(const char *id, struct bh_buf *json)
{
	static const char *const namespaces[] = { "k8s.io", "default", "moby" };
	char path[256];
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		(void)snprintf(path, sizeof(path), "/run/containerd/io.containerd.runtime.v2.task/%s/%s/config.json", namespaces[i], id);
		if (from_file(path, json))
			return true;
	}
	(void)snprintf(path, sizeof(path), "/run/containers/storage/overlay-containers/%s/userdata/config.json", id); /* of CRI-O */
	return from_file(path, json);
}

static bool names(const struct bh_buf *json, const char *id)
{
	return bh_slice_search(bh_buf_slice(json), id) != NULL;
}

static enum agent_manager ask(const char *id, const char *docker_socket, struct bh_buf *json)
{
	if (from_docker(id, docker_socket, json))
		return AGENT_DOCKER;
	bh_buf_clear(json);
	if (from_file("/var/lib/containers/storage/overlay-containers/containers.json", json) && names(json, id))
		return AGENT_PODMAN;
	bh_buf_clear(json);
	if (from_containerd(id, json))
		return AGENT_OCI;
	bh_buf_clear(json);
	return AGENT_NOBODY;
}

static uint32_t add_file(int root, const char *path, struct bh_buf *out)
{
	BH_CLOSE int fd = -1;
	struct bh_err err = { 0 };
	size_t before = out->len;
	if (root < 0 || bh_open_in_root(root, path, &fd, &err) < 0 || bh_read_all(fd, FILE_BYTES_MAX, out, &err) < 0)
		out->len = before;
	return (uint32_t)(out->len - before);
}

void agent_describe(const char *id, uint32_t pid, const char *docker_socket, struct bh_buf *out)
{
	BH_WITH(bh_buf_done) struct bh_buf files = { 0 }, json = { 0 };
	struct agent_description head = { 0 };
	char root[32];
	bh_buf_init(&files, 2 * FILE_BYTES_MAX);
	bh_buf_init(&json, AGENT_DESCRIPTION_BYTES_MAX - 2 * FILE_BYTES_MAX);
	(void)snprintf(root, sizeof(root), "/proc/%" PRIu32 "/root", pid);
	BH_CLOSE int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	head.passwd_bytes = add_file(fd, "etc/passwd", &files);
	head.group_bytes = add_file(fd, "etc/group", &files);
	head.manager = ask(id, docker_socket, &json);
	bh_buf_add(out, (struct bh_slice){ (const uint8_t *)&head, sizeof(head) });
	bh_buf_add(out, bh_buf_slice(&files));
	bh_buf_add(out, bh_buf_slice(&json));
}

bool agent_description_take(struct agent_container *c, struct bh_slice bytes)
{
	struct agent_description head;
	if (bytes.len < sizeof(head))
		return false;
	memcpy(&head, bytes.ptr, sizeof(head));
	bytes = bh_slice_sub(bytes, sizeof(head), bytes.len);
	if (head.manager > AGENT_OCI || (uint64_t)head.passwd_bytes + head.group_bytes > bytes.len)
		return false;
	c->passwd = agent_container_keep(c, bh_slice_sub(bytes, 0, head.passwd_bytes));
	c->group = agent_container_keep(c, bh_slice_sub(bytes, head.passwd_bytes, head.group_bytes));
	return agent_container_describe(c, (enum agent_manager)head.manager, bh_slice_sub(bytes, (size_t)head.passwd_bytes + head.group_bytes, bytes.len));
}
