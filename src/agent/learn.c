/* learn.c: see learn.h. */
#include "agent/learn.h"

#include "agent/calls.h"
#include "agent/process.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES_MAX 512u
#define PEERS_MAX 256u  /* of an image; more are no list */
#define PORTS_MAX GUARD_PORT_RULES_MAX
#define PATHS_MAX 2048u
#define SIBLINGS_MAX 8u /* files of a folder; more are the folder */

struct peer {
	uint8_t address[16];
	uint16_t port;
	uint8_t protocol;
};

struct port {
	uint16_t port;
	uint8_t protocol;
};

BH_VEC(peer_vec, struct peer)
BH_VEC(port_vec, struct port)
BH_VEC(path_vec, char *)

struct image {
	char *pattern;
	bool is_name; /* of the container, as nobody says what its image is */
	uint32_t deeds;
	uint64_t capabilities;
	struct peer_vec peers;
	struct port_vec ports;
	struct path_vec paths;
	bool peers_overflow, ports_overflow, paths_overflow;
};

BH_VEC(image_vec, struct image)

struct agent_learned {
	struct image_vec images;
	uint64_t n_strays, n_lost; /* deeds of nobody that is known; of images beyond the maximum */
};

int agent_learn_policy(struct agent_policies *p, struct bh_err *err)
{
	static const char text[] = "policies:\n- {name: learning, mode: monitor, drift: deny, deny: all, connect: {allow: [127.0.0.0/8, '::1']}, listen: {allow: []}, files: {read-only: [/], writable: [/proc, /dev, /sys]}}\n";
	int rc = agent_policies_init(p, err);
	rc = rc == 0 ? agent_policies_parse(p, "learn", bh_slice_str(text), err) : rc;
	if (rc == 0) {
		p->policies.ptr[0].rules.told |= GUARD_BIT(CAPABILITY);
		p->policies.ptr[0].rules.capabilities = UINT64_MAX;
	}
	return rc;
}

struct agent_learned *agent_learn_new(void)
{
	struct agent_learned *l = calloc(1, sizeof(*l));
	if (l)
		l->images.max = IMAGES_MAX;
	return l;
}

void agent_learn_free(struct agent_learned *l)
{
	for (size_t i = 0; l && i < l->images.len; i++) {
		struct image *m = &l->images.ptr[i];
		for (size_t k = 0; k < m->paths.len; k++)
			free(m->paths.ptr[k]);
		path_vec_done(&m->paths);
		peer_vec_done(&m->peers);
		port_vec_done(&m->ports);
		free(m->pattern);
	}
	if (l)
		image_vec_done(&l->images);
	free(l);
}

/* ---- what was done ---- */

/* "registry.example/shop:1.0@sha256:..." without tag and digest: the next version is to do the same. */
static struct bh_slice repository(struct bh_slice image)
{
	struct bh_slice name = bh_slice_sub(image, 0, bh_slice_find(image, '@')), base = bh_slice_base(name);
	return bh_slice_sub(name, 0, name.len - (base.len - bh_slice_find(base, ':')));
}

static struct image *image_of(struct agent_learned *l, const struct agent_container *c)
{
	struct bh_slice pattern = c ? repository(c->image) : (struct bh_slice){ 0 };
	bool is_name = pattern.len == 0;
	if (is_name && c)
		pattern = c->name;
	if (pattern.len == 0 || pattern.len >= AGENT_PATTERN_BYTES) {
		l->n_strays++;
		return NULL;
	}
	for (size_t i = 0; i < l->images.len; i++)
		if (l->images.ptr[i].is_name == is_name && bh_slice_eq_str(pattern, l->images.ptr[i].pattern))
			return &l->images.ptr[i];
	struct image n = { .pattern = strndup((const char *)pattern.ptr, pattern.len), .is_name = is_name, .peers.max = PEERS_MAX, .ports.max = PORTS_MAX, .paths.max = PATHS_MAX };
	if (!n.pattern || !image_vec_push(&l->images, n)) {
		free(n.pattern);
		l->n_lost++;
		return NULL;
	}
	return &l->images.ptr[l->images.len - 1];
}

void agent_learn_container(struct agent_learned *l, const struct agent_container *c)
{
	(void)image_of(l, c);
}

static void learn_peer(struct image *m, const struct guard_socket *s)
{
	struct peer n = { .port = s->remote_port, .protocol = (uint8_t)s->protocol };
	memcpy(n.address, s->remote, sizeof(n.address));
	for (size_t i = 0; i < m->peers.len; i++)
		if (memcmp(m->peers.ptr[i].address, n.address, sizeof(n.address)) == 0 && m->peers.ptr[i].port == n.port && m->peers.ptr[i].protocol == n.protocol)
			return;
	m->peers_overflow |= !peer_vec_push(&m->peers, n);
}

static void learn_port(struct image *m, const struct guard_socket *s)
{
	for (size_t i = 0; i < m->ports.len; i++)
		if (m->ports.ptr[i].port == s->local_port && m->ports.ptr[i].protocol == s->protocol)
			return;
	m->ports_overflow |= !port_vec_push(&m->ports, (struct port){ s->local_port, (uint8_t)s->protocol });
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static void drop_path(struct image *m, size_t at)
{
	free(m->paths.ptr[at]);
	m->paths.ptr[at] = m->paths.ptr[--m->paths.len];
}

static bool is_child(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

/* Many files of a folder, as those with names by chance are, become the folder; what is below it already goes. */
static void fold(struct image *m, const char *path)
{
	char folder[GUARD_POLICY_PATH_BYTES];
	size_t n = 0;
	(void)snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return;
	*slash = '\0';
	for (size_t i = 0; i < m->paths.len; i++)
		n += is_child(m->paths.ptr[i], folder);
	char *own = n > SIBLINGS_MAX ? strdup(folder) : NULL;
	if (!own)
		return;
	for (size_t i = m->paths.len; i-- > 0;)
		if (is_below(m->paths.ptr[i], own))
			drop_path(m, i);
	if (!path_vec_push(&m->paths, own))
		free(own);
}

static void learn_path(struct image *m, struct bh_slice path)
{
	char own[GUARD_POLICY_PATH_BYTES - 2];
	if (path.len == 0 || path.len >= sizeof(own) || path.ptr[0] != '/' || memchr(path.ptr, '\0', path.len) || memchr(path.ptr, '*', path.len)) {
		m->paths_overflow = true;
		return;
	}
	memcpy(own, path.ptr, path.len);
	own[path.len] = '\0';
	for (size_t i = 0; i < m->paths.len; i++)
		if (is_below(own, m->paths.ptr[i]))
			return;
	char *copy = strdup(own);
	if (!copy || !path_vec_push(&m->paths, copy)) {
		free(copy);
		m->paths_overflow = true;
		return;
	}
	fold(m, own);
}

void agent_learn_deed(struct agent_learned *l, const struct agent_container *c, const struct guard_record *r)
{
	struct image *m = image_of(l, c);
	if (!m || r->call >= GUARD_DEEDS)
		return;
	m->deeds |= 1u << r->call;
	if (r->call == GUARD_DEED_CONNECT)
		learn_peer(m, &r->socket);
	else if (r->call == GUARD_DEED_LISTEN)
		learn_port(m, &r->socket);
	else if (r->call == GUARD_DEED_READ_ONLY)
		learn_path(m, agent_string(r, GUARD_STRING_PATH));
	else if (r->call == GUARD_DEED_CAPABILITY)
		m->capabilities |= 1ull << (r->arguments[1] & 63);
}

/* ---- the policies ---- */

static void write_name(const struct image *m, size_t number, struct bh_buf *out)
{
	char name[AGENT_POLICY_NAME_BYTES - 8];
	const char *slash = strrchr(m->pattern, '/');
	(void)snprintf(name, sizeof(name), "%s", slash ? slash + 1 : m->pattern);
	for (char *p = name; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *p))
			*p = '-';
	bh_buf_printf(out, "- name: %s-%zu\n  %s: [", name, number, m->is_name ? "containers" : "images");
	bh_buf_add_json(out, bh_slice_str(m->pattern));
	bh_buf_add_str(out, "]\n  mode: monitor # what would be refused is told; without this line it is refused\n");
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "tcp/" : protocol == IPPROTO_UDP ? "udp/" : "";
}

static void write_peer(const struct peer *p, struct bh_buf *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	bool is_v4 = memcmp(p->address, mapped, sizeof(mapped)) == 0;
	bh_buf_printf(out, "    - \"%s %s%u\"\n", inet_ntop(is_v4 ? AF_INET : AF_INET6, p->address + (is_v4 ? sizeof(mapped) : 0), text, sizeof(text)) ? text : "::", protocol_name(p->protocol), p->port);
}

static void write_network(const struct image *m, struct bh_buf *out)
{
	if (m->peers_overflow) {
		bh_buf_printf(out, "  # connect: it had more than %u peers\n", PEERS_MAX);
	} else {
		bh_buf_printf(out, "  connect:\n    allow:%s\n", m->peers.len ? "" : " [] # it connected to nobody but itself");
		for (size_t i = 0; i < m->peers.len; i++)
			write_peer(&m->peers.ptr[i], out);
	}
	if (m->ports_overflow) {
		bh_buf_printf(out, "  # listen: it had more than %u ports\n", PORTS_MAX);
		return;
	}
	bh_buf_add_str(out, "  listen: {allow: [");
	for (size_t i = 0; i < m->ports.len; i++)
		bh_buf_printf(out, "%s%s%u", i ? ", " : "", protocol_name(m->ports.ptr[i].protocol), m->ports.ptr[i].port);
	bh_buf_add_str(out, "]}\n");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_files(const struct image *m, struct bh_buf *out)
{
	if (m->paths_overflow) {
		bh_buf_printf(out, "  # files: it wrote more than %u files, or one whose name is too long or has a '*'\n", PATHS_MAX);
		return;
	}
	if (m->paths.len)
		qsort(m->paths.ptr, m->paths.len, sizeof(*m->paths.ptr), by_text);
	bh_buf_add_str(out, "  files:\n    read-only: [/]\n    writable:\n    - /proc # what of these belongs to the host, host-settings is about\n    - /dev\n    - /sys\n");
	for (size_t i = 0; i < m->paths.len; i++) {
		bh_buf_add_str(out, "    - ");
		bh_buf_add_json(out, bh_slice_str(m->paths.ptr[i]));
		bh_buf_add_byte(out, '\n');
	}
}

static void write_deeds(const struct image *m, uint32_t refuses, struct bh_buf *out)
{
	bool any = false;
	bh_buf_printf(out, "  drift: %s\n  deny: [", m->deeds & GUARD_BIT(DRIFT) ? "allow # it ran what its image did not bring" : "deny");
	for (size_t i = 0; i < GUARD_DEEDS; i++)
		if (agent_deed_at(i)->is_privilege && !(m->deeds >> i & 1)) {
			bh_buf_printf(out, "%s%s", any ? ", " : "", agent_deed_at(i)->name);
			any = true;
		}
	bh_buf_add_str(out, "]\n");
	for (size_t i = 0; i < GUARD_DEEDS; i++)
		if (agent_deed_at(i)->is_privilege && m->deeds >> i & 1)
			bh_buf_printf(out, "  # %s: it had %s\n", agent_deed_at(i)->name, agent_deed_at(i)->what);
	if (!(refuses & GUARD_BIT(CAPABILITY))) {
		bh_buf_add_str(out, "  # capabilities: which it used could not be seen here: would need LSM\n");
		return;
	}
	bh_buf_add_str(out, "  capabilities: [");
	any = false;
	for (unsigned i = 0; agent_capability_name(i); i++)
		if (!(m->capabilities >> i & 1)) {
			bh_buf_printf(out, "%s%s", any ? ", " : "", agent_capability_name(i));
			any = true;
		}
	bh_buf_add_str(out, "] # all that it did not use\n");
}

void agent_learn_write(const struct agent_learned *l, uint32_t refuses, uint64_t seconds, struct bh_buf *out)
{
	bh_buf_printf(out, "# What %zu images did in %" PRIu64 " s, as policies that allow it and nothing else.\n", l->images.len, seconds);
	if (l->n_strays)
		bh_buf_printf(out, "# %" PRIu64 " deeds were those of containers that nobody knows: they are not in here.\n", l->n_strays);
	if (l->n_lost)
		bh_buf_printf(out, "# %" PRIu64 " deeds were those of more than %u images: they are not in here.\n", l->n_lost, IMAGES_MAX);
	bh_buf_printf(out, "policies:%s\n", l->images.len ? "" : " []");
	for (size_t i = 0; i < l->images.len; i++) {
		const struct image *m = &l->images.ptr[i];
		write_name(m, i + 1, out);
		write_deeds(m, refuses, out);
		write_network(m, out);
		write_files(m, out);
	}
}
