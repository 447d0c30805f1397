/* container.c: see container.h. */
#include "agent/container.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "format/json.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 4096u
#define DESCRIPTION_BYTES_MAX (4u << 20)
#define GROUP_DEPTH_MAX 32u
#define LIST_MAX 4096u

/* ---- ids ---- */

static bool is_id(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (bh_hex_digit(s.ptr[i]) < 0)
			return false;
	return s.len == AGENT_ID_BYTES;
}

/* "docker-ID.scope" */
static struct bh_slice id_of_scope(struct bh_slice name, const char **ret_type)
{
	static const struct {
		const char *prefix, *type;
	} scopes[] = {
		{ "docker-", "docker" }, { "cri-containerd-", "containerd" }, { "crio-", "cri-o" }, { "libpod-payload-", "podman" }, { "libpod-", "podman" }, { "nerdctl-", "containerd" },
	};
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		struct bh_slice prefix = bh_slice_str(scopes[i].prefix), rest = bh_slice_sub(name, prefix.len, name.len);
		if (!bh_slice_starts(name, prefix))
			continue;
		rest = bh_slice_sub(rest, 0, bh_slice_find(rest, '.'));
		*ret_type = scopes[i].type;
		if (is_id(rest))
			return rest;
	}
	return (struct bh_slice){ 0 };
}

struct bh_slice agent_container_id(struct bh_slice path, const char **ret_type)
{
	struct bh_slice whole = path, part, id = { 0 };
	const char *type = "containerd"; /* its groups are called /NAMESPACE/ID */
	if (bh_slice_search(whole, "/docker/"))
		type = "docker";
	else if (bh_slice_search(whole, "libpod"))
		type = "podman";
	while (path.len) {
		(void)bh_slice_cut(path, '/', &part, &path);
		const char *scope = NULL;
		struct bh_slice found = is_id(part) ? part : id_of_scope(part, &scope);
		/* The innermost: containers may run containers. */
		if (found.len) {
			id = found;
			*ret_type = scope ? scope : type;
		}
	}
	return id;
}

/* ---- groups ---- */

int agent_containers_init(struct agent_containers *c, struct bh_err *err)
{
	*c = (struct agent_containers){ .table = calloc(BUCKETS, sizeof(struct agent_group *)) };
	return c->table ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static void unref(struct agent_container *c)
{
	if (c && --c->refs == 0) {
		bh_arena_done(&c->arena);
		free(c);
	}
}

void agent_containers_done(struct agent_containers *c)
{
	for (size_t i = 0; c->table && i < BUCKETS; i++)
		for (struct agent_group *next, *g = c->table[i]; g; g = next) {
			next = g->next;
			unref(g->container);
			free(g);
		}
	free(c->table);
	c->table = NULL;
}

static struct agent_group **place_of(const struct agent_containers *c, uint64_t number)
{
	struct agent_group **at = &c->table[number % BUCKETS];
	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

const struct agent_group *agent_group_find(const struct agent_containers *c, uint64_t number)
{
	return *place_of(c, number);
}

/* Groups of one container are few; containers are sought when a group comes only. */
static struct agent_container *container_of_id(const struct agent_containers *c, struct bh_slice id)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct agent_group *g = c->table[i]; g; g = g->next)
			if (g->container && memcmp(g->container->id, id.ptr, id.len) == 0)
				return g->container;
	return NULL;
}

static struct agent_container *new_container(struct bh_slice id, const char *type)
{
	struct agent_container *n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	bh_arena_init(&n->arena, DESCRIPTION_BYTES_MAX);
	memcpy(n->id, id.ptr, id.len);
	n->type = type;
	return n;
}

void agent_group_add(struct agent_containers *c, uint64_t number, struct bh_slice path)
{
	struct agent_group **at = place_of(c, number);
	const char *type = NULL;
	struct bh_slice id = agent_container_id(path, &type);
	if (*at)
		return;
	struct agent_group *g = c->n_groups < AGENT_GROUPS_MAX ? calloc(1, sizeof(*g)) : NULL;
	struct agent_container *own = g && id.len ? container_of_id(c, id) : NULL;
	if (g && id.len && !own)
		own = new_container(id, type);
	if (!g || (id.len && !own)) {
		c->n_forgotten++;
		free(g);
		return;
	}
	g->number = number;
	g->container = own;
	if (own && own->refs++ == 0)
		own->top = number;
	*at = g;
	c->n_groups++;
}

void agent_group_remove(struct agent_containers *c, uint64_t number)
{
	struct agent_group **at = place_of(c, number), *g = *at;
	if (!g)
		return;
	*at = g->next;
	c->n_groups--;
	unref(g->container);
	free(g);
}

/* ---- those that are there ---- */

static void scan_folder(struct agent_containers *c, int fd, char *path, size_t length, size_t max, unsigned depth)
{
	struct stat st;
	DIR *dir = fdopendir(fd);
	if (!dir || fstat(fd, &st) < 0 || depth > GROUP_DEPTH_MAX) {
		if (dir)
			(void)closedir(dir);
		else
			(void)close(fd);
		return;
	}
	agent_group_add(c, st.st_ino, (struct bh_slice){ (const uint8_t *)path, length });
	for (struct dirent *d; (d = readdir(dir));) {
		int more = d->d_type == DT_DIR && d->d_name[0] != '.' ? snprintf(path + length, max - length, "/%s", d->d_name) : 0;
		if (more <= 0 || length + (size_t)more >= max)
			continue;
		int below = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (below >= 0)
			scan_folder(c, below, path, length + (size_t)more, max, depth + 1);
	}
	(void)closedir(dir);
}

int agent_groups_open(void)
{
	static const char *const places[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char probe[64];
		(void)snprintf(probe, sizeof(probe), "%s/cgroup.procs", places[i]); /* version 2 has it in its root, and version 1's roots are one below */
		int fd = access(probe, F_OK) == 0 ? open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* The number is what handles of kernfs have (include/linux/exportfs.h: FILEID_KERNFS). */
int agent_group_open(int groups_fd, uint64_t number)
{
	union {
		struct file_handle handle;
		uint8_t room[sizeof(struct file_handle) + sizeof(number)];
	} h = { .handle = { .handle_bytes = sizeof(number), .handle_type = 0xfe } };
	memcpy(h.room + sizeof(h.handle), &number, sizeof(number));
	return open_by_handle_at(groups_fd, &h.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void agent_groups_scan(struct agent_containers *c, int groups_fd)
{
	char path[4096] = "";
	int fd = openat(groups_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		scan_folder(c, fd, path, 0, sizeof(path), 0);
}

int agent_groups_each(const struct agent_containers *c, const struct agent_container *of, int (*take)(void *ctx, const struct agent_group *group), void *ctx)
{
	int rc = 0;
	for (size_t i = 0; rc >= 0 && i < BUCKETS; i++)
		for (const struct agent_group *g = c->table[i]; rc >= 0 && g; g = g->next)
			rc = g->container && (!of || g->container == of) ? take(ctx, g) : rc;
	return rc;
}

/* ---- what managers say ---- */

struct bh_slice agent_container_keep(struct agent_container *c, struct bh_slice s)
{
	struct bh_slice own = { 0 };
	return bh_arena_copy(&c->arena, s, &own) ? own : (struct bh_slice){ 0 };
}

static struct bh_slice kept(struct agent_container *c, const struct bh_json_node *node)
{
	return agent_container_keep(c, bh_json_str(node));
}

static void take_labels(struct agent_container *c, const struct bh_json_node *labels)
{
	const struct bh_json_node *value;
	struct bh_slice key;
	void *iter = NULL;
	c->labels = bh_arena_array(&c->arena, LIST_MAX, sizeof(*c->labels));
	while (c->labels && c->n_labels < LIST_MAX && bh_json_next(labels, &iter, &key, &value)) {
		c->labels[c->n_labels++] = (struct agent_label){ agent_container_keep(c, key), kept(c, value) };
	}
}

/* "2026-11-28T10:33:43.123456789Z" as nanoseconds since 1970; 0: it is none. */
static uint64_t time_of(struct bh_slice text)
{
	struct tm tm = { 0 };
	char own[64];
	(void)snprintf(own, sizeof(own), "%.*s", BH_SLICE_FMT(text));
	const char *rest = strptime(own, "%Y-%m-%dT%H:%M:%S", &tm);
	uint64_t part = 0, scale = 100000000;
	for (rest = rest && *rest == '.' ? rest + 1 : ""; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
		part += (uint64_t)(*rest - '0') * scale;
	time_t seconds = timegm(&tm);
	return tm.tm_year > 70 && seconds > 0 ? (uint64_t)seconds * 1000000000u + part : 0;
}

static void docker_mounts(struct agent_container *c, const struct bh_json_node *mounts)
{
	c->mounts = bh_arena_array(&c->arena, bh_json_len(mounts) + 1, sizeof(*c->mounts));
	for (size_t i = 0; c->mounts && i < bh_json_len(mounts); i++) {
		const struct bh_json_node *m = bh_json_at(mounts, i);
		c->mounts[c->n_mounts++] = (struct agent_mount){ kept(c, bh_json_get(m, "Source")), kept(c, bh_json_get(m, "Destination")), kept(c, bh_json_get(m, "Mode")),
								 kept(c, bh_json_get(m, "Propagation")), bh_json_bool(bh_json_get(m, "RW")) };
	}
}

/* Kubernetes' names, which dockershim and the CRI put into labels and annotations. */
static void take_pod(struct agent_container *c, const struct bh_json_node *names)
{
	static const struct {
		const char *key;
		size_t at;
	} keys[] = {
		{ "io.kubernetes.pod.name", offsetof(struct agent_container, pod_name) },
		{ "io.kubernetes.pod.namespace", offsetof(struct agent_container, pod_namespace) },
		{ "io.kubernetes.pod.uid", offsetof(struct agent_container, pod_uid) },
		{ "io.kubernetes.sandbox.id", offsetof(struct agent_container, pod_sandbox) },
		{ "io.kubernetes.cri.sandbox-name", offsetof(struct agent_container, pod_name) },
		{ "io.kubernetes.cri.sandbox-namespace", offsetof(struct agent_container, pod_namespace) },
		{ "io.kubernetes.cri.sandbox-uid", offsetof(struct agent_container, pod_uid) },
		{ "io.kubernetes.cri.sandbox-id", offsetof(struct agent_container, pod_sandbox) },
		{ "io.kubernetes.cri.container-name", offsetof(struct agent_container, name) },
		{ "io.kubernetes.cri.image-name", offsetof(struct agent_container, image) },
		{ "io.kubernetes.cri-o.KubeName", offsetof(struct agent_container, pod_name) },
		{ "io.kubernetes.cri-o.Namespace", offsetof(struct agent_container, pod_namespace) },
		{ "io.kubernetes.cri-o.ContainerName", offsetof(struct agent_container, name) },
		{ "io.kubernetes.cri-o.ImageName", offsetof(struct agent_container, image) },
		{ "nerdctl/name", offsetof(struct agent_container, name) },
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct bh_slice s = kept(c, bh_json_get(names, keys[i].key));
		if (s.len)
			memcpy((uint8_t *)c + keys[i].at, &s, sizeof(s));
	}
}

/* GET /containers/ID/json (Docker Engine API, ContainerInspect). */
static bool from_docker(struct agent_container *c, const struct bh_json_node *root)
{
	const struct bh_json_node *config = bh_json_get(root, "Config"), *host = bh_json_get(root, "HostConfig");
	struct bh_slice name = kept(c, bh_json_get(root, "Name"));
	if (!bh_json_is_object(config))
		return false;
	c->name = bh_slice_sub(name, name.len && name.ptr[0] == '/', name.len);
	c->image = kept(c, bh_json_get(config, "Image"));
	c->image_id = kept(c, bh_json_get(root, "Image"));
	c->is_privileged = bh_json_bool(bh_json_get(host, "Privileged"));
	c->host_pid = bh_slice_eq_str(bh_json_str(bh_json_get(host, "PidMode")), "host");
	c->host_network = bh_slice_eq_str(bh_json_str(bh_json_get(host, "NetworkMode")), "host");
	c->host_ipc = bh_slice_eq_str(bh_json_str(bh_json_get(host, "IpcMode")), "host");
	c->started_ns = time_of(bh_json_str(bh_json_get(bh_json_get(root, "State"), "StartedAt")));
	docker_mounts(c, bh_json_get(root, "Mounts"));
	take_labels(c, bh_json_get(config, "Labels"));
	take_pod(c, bh_json_get(config, "Labels"));
	return true;
}

/* containers.json of containers/storage: a list, whose entries have a JSON text of Podman's under "metadata". */
static bool from_podman(struct agent_container *c, const struct bh_json_node *root)
{
	for (size_t i = 0; i < bh_json_len(root); i++) {
		const struct bh_json_node *entry = bh_json_at(root, i);
		BH_WITH(bh_json_cleanup) struct bh_json *metadata = NULL;
		struct bh_err err = { 0 };
		if (!bh_slice_eq_str(bh_json_str(bh_json_get(entry, "id")), c->id))
			continue;
		c->name = kept(c, bh_json_at(bh_json_get(entry, "names"), 0));
		c->image_id = kept(c, bh_json_get(entry, "image"));
		if (bh_json_parse(bh_json_str(bh_json_get(entry, "metadata")), DESCRIPTION_BYTES_MAX, &metadata, &err) == 0)
			c->image = kept(c, bh_json_get(bh_json_root(metadata), "image-name"));
		return true;
	}
	return false;
}

static void oci_mounts(struct agent_container *c, const struct bh_json_node *mounts)
{
	c->mounts = bh_arena_array(&c->arena, bh_json_len(mounts) + 1, sizeof(*c->mounts));
	for (size_t i = 0; c->mounts && i < bh_json_len(mounts); i++) {
		const struct bh_json_node *m = bh_json_at(mounts, i), *options = bh_json_get(m, "options");
		struct agent_mount *to = &c->mounts[c->n_mounts++];
		*to = (struct agent_mount){ .source = kept(c, bh_json_get(m, "source")), .destination = kept(c, bh_json_get(m, "destination")), .is_writable = true };
		for (size_t k = 0; k < bh_json_len(options); k++)
			to->is_writable &= !bh_slice_eq_str(bh_json_str(bh_json_at(options, k)), "ro");
	}
}

/* config.json of the OCI runtime specification. All capabilities and no masked paths are what "privileged" is made of there. */
static bool from_oci(struct agent_container *c, const struct bh_json_node *root)
{
	const struct bh_json_node *process = bh_json_get(root, "process"), *own = bh_json_get(root, "linux"), *annotations = bh_json_get(root, "annotations");
	if (!bh_json_is_object(process))
		return false;
	take_pod(c, annotations);
	take_labels(c, annotations);
	oci_mounts(c, bh_json_get(root, "mounts"));
	c->is_privileged = bh_json_len(bh_json_get(bh_json_get(process, "capabilities"), "bounding")) > 35 && bh_json_len(bh_json_get(own, "maskedPaths")) == 0;
	c->host_pid = c->host_network = c->host_ipc = true;
	for (size_t i = 0; i < bh_json_len(bh_json_get(own, "namespaces")); i++) {
		struct bh_slice type = bh_json_str(bh_json_get(bh_json_at(bh_json_get(own, "namespaces"), i), "type"));
		c->host_pid &= !bh_slice_eq_str(type, "pid");
		c->host_network &= !bh_slice_eq_str(type, "network");
		c->host_ipc &= !bh_slice_eq_str(type, "ipc");
	}
	return true;
}

bool agent_container_describe(struct agent_container *c, enum agent_manager manager, struct bh_slice json)
{
	static bool (*const readers[])(struct agent_container *c, const struct bh_json_node *root) = { NULL, from_docker, from_podman, from_oci }; /* index = enum agent_manager */
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	struct bh_err err = { 0 };
	if (manager == AGENT_NOBODY || bh_json_parse(json, DESCRIPTION_BYTES_MAX, &doc, &err) < 0)
		return false;
	c->n_mounts = c->n_labels = 0; /* of an answer before this one */
	c->is_described = readers[manager](c, bh_json_root(doc));
	/* "alpine@sha256:..." */
	size_t at = bh_slice_find(c->image, '@');
	if (at < c->image.len)
		c->image_digest = bh_slice_sub(c->image, at + 1, c->image.len);
	return c->is_described;
}
