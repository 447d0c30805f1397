#include "comply/engines.h"
#include "comply/special.h"

#include <stdlib.h>

#define RANGES_MAX 100000u
#define PLACE_BYTES_MAX 4096u

/* ---- containerd ---- */

static int find(struct node *n, const struct component_instance *in, const char *path, struct setting_value *ret, struct bh_err *err)
{
	return setting_find(n, in, (struct bh_slice){ 0 }, bh_slice_str(path), ret, err);
}

/* Whoever reaches the API is root on the node: over the network only with certificates of clients. */
int special_containerd_api(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	struct setting_value address, authority;
	int rc = find(n, in, "grpc.tcp_address", &address, err);
	rc = rc < 0 ? rc : find(n, in, "grpc.tcp_tls_ca", &authority, err);
	if (rc < 0)
		return rc;
	if (address.state == SETTING_UNKNOWN)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(address.text));
	if (!setting_is_given(&address))
		return node_say(n, row, COMPLY_PASS, err, "grpc.tcp_address is not set: the API has a socket only");
	setting_point_at(row, &address);
	if (setting_is_given(&authority))
		return node_say(n, row, COMPLY_PASS, err, "grpc.tcp_address is %.*s, for clients with a certificate of %.*s", BH_SLICE_FMT(address.text), BH_SLICE_FMT(authority.text));
	return node_say(n, row, COMPLY_FAIL, err, "grpc.tcp_address is %.*s, and grpc.tcp_tls_ca is not set: whoever reaches it is root", BH_SLICE_FMT(address.text));
}

static int has_selinux(struct node *n, bool *ret, struct bh_err *err)
{
	struct bh_slice text, problem, line;
	int rc = node_read(n, BH_SLICE_LIT("/etc/selinux/config"), &text, &problem, err);
	*ret = false;
	while (rc == 0 && text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		line = bh_slice_trim(line);
		*ret |= bh_slice_eq_str(line, "SELINUX=enforcing") || bh_slice_eq_str(line, "SELINUX=permissive");
	}
	return rc;
}

int special_containerd_selinux(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	struct setting_value v;
	bool selinux;
	int rc = has_selinux(n, &selinux, err);
	rc = rc < 0 ? rc : find(n, in, "plugins.'io.containerd.cri.v1.runtime'.enable_selinux|plugins.'io.containerd.grpc.v1.cri'.enable_selinux", &v, err);
	if (rc < 0)
		return rc;
	if (!selinux)
		return node_say(n, row, COMPLY_NOT_APPLICABLE, err, "/etc/selinux/config does not switch SELinux on");
	if (v.state == SETTING_UNKNOWN)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(v.text));
	setting_point_at(row, &v);
	if (v.state == SETTING_SET && bh_slice_eq_str(v.text, "true"))
		return node_say(n, row, COMPLY_PASS, err, "%.*s is true", BH_SLICE_FMT(v.name));
	return node_say(n, row, COMPLY_FAIL, err, "enable_selinux is not true, on a host with SELinux: containers have no labels of their own");
}

static bool is_true(struct cel_value map, const char *name)
{
	return cel_is_true(kube_get(map, name));
}

static int say_host(struct node *n, const struct component_config *config, struct comply_row *row, struct cel_value map, const char *field, const char *what, struct bh_slice name,
		    struct bh_err *err)
{
	struct bh_buf place;
	bh_buf_init(&place, PLACE_BYTES_MAX);
	row->line = map.kind == CEL_MAP ? kube_tree_find(config->tree, map.map, bh_slice_str(field), &place) : 0;
	bh_buf_done(&place);
	return node_say(n, row, COMPLY_FAIL, err, "%s%s%.*s", what, name.len ? ": " : "", BH_SLICE_FMT(name));
}

/* hosts.toml: "server" and the keys of "host" are URLs, each with skip_verify (https://github.com/containerd/containerd/blob/main/docs/hosts.md). */
int special_containerd_hosts(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	if (in->configs.len == 0)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(in->config_problem));
	const struct component_config *config = &in->configs.ptr[0];
	struct cel_value hosts = kube_get(config->root, "host");
	row->file = config->file;
	if (setting_is_plain_http(kube_text(config->root, "server")))
		return say_host(n, config, row, config->root, "server", "images come over plain HTTP", kube_text(config->root, "server"), err);
	if (is_true(config->root, "skip_verify"))
		return say_host(n, config, row, config->root, "skip_verify", "the certificate of the registry is not verified", (struct bh_slice){ 0 }, err);
	for (size_t i = 0; hosts.kind == CEL_MAP && i < hosts.map->len; i++) {
		const struct cel_entry *e = &hosts.map->entries[i];
		if (setting_is_plain_http(e->key.text))
			return say_host(n, config, row, e->value, "", "images come over plain HTTP", e->key.text, err);
		if (is_true(e->value, "skip_verify"))
			return say_host(n, config, row, e->value, "skip_verify", "the certificate is not verified", e->key.text, err);
	}
	return node_say(n, row, COMPLY_PASS, err, "all hosts are asked over verified TLS");
}

/* ---- Podman ---- */

/* An address of the API that is none of a socket in the file system: "tcp:0.0.0.0:8080" of the program, "ListenStream=8080" of the unit of its socket. */
static bool is_network(struct bh_slice address)
{
	return address.len && address.ptr[0] != '/' && address.ptr[0] != '%' && address.ptr[0] != '@' && !bh_slice_starts(address, BH_SLICE_LIT("unix:"))
	       && !bh_slice_starts(address, BH_SLICE_LIT("vsock:"));
}

static int find_listener(struct node *n, struct bh_slice path, struct comply_row *row, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice text, problem, line;
	uint32_t number = 0;
	int rc = node_read(n, path, &text, &problem, err);
	while (rc == 0 && text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		line = bh_slice_trim(line);
		number++;
		if (!bh_slice_starts(line, BH_SLICE_LIT("ListenStream=")))
			continue;
		line = bh_slice_trim(bh_slice_sub(line, 13, line.len));
		if (!is_network(line))
			continue;
		*ret = line;
		row->file = path;
		row->line = number;
	}
	return rc;
}

static int find_socket(struct node *n, struct comply_row *row, struct bh_slice *ret, struct bh_err *err)
{
	static const char *const places[] = { "/usr/lib/systemd/system/podman.socket", "/lib/systemd/system/podman.socket", "/etc/systemd/system/podman.socket",
					      "/etc/systemd/system/podman.socket.d/*.conf", NULL };
	struct engine_path_vec paths = { .max = ENGINE_PATHS_MAX };
	int rc = 0;
	for (size_t i = 0; rc == 0 && places[i]; i++)
		rc = engines_expand(n, bh_slice_str(places[i]), &paths, err);
	for (size_t i = 0; rc == 0 && i < paths.len; i++)
		rc = find_listener(n, paths.ptr[i], row, ret, err);
	engine_path_vec_done(&paths);
	return rc;
}

static int find_service(struct node *n, struct comply_row *row, struct bh_slice *ret, struct bh_err *err)
{
	struct comply_unit unit;
	struct comply_word_vec words = { .max = WORDS_MAX };
	bool found = false;
	comply_unit_init(&unit);
	int rc = node_read_unit(n, "podman.service", &unit, &found, err);
	if (rc == 0 && found)
		rc = comply_unit_words(&unit, &n->arena, &words, err);
	for (size_t i = 0; rc == 0 && i < words.len; i++)
		if (bh_slice_starts(words.ptr[i].text, BH_SLICE_LIT("tcp:"))) {
			*ret = words.ptr[i].text;
			row->file = words.ptr[i].file;
			row->line = words.ptr[i].line;
		}
	comply_word_vec_done(&words);
	comply_unit_done(&unit);
	return rc;
}

int special_podman_api(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	struct bh_slice address = { 0 };
	(void)in;
	int rc = find_service(n, row, &address, err);
	rc = rc < 0 || address.len ? rc : find_socket(n, row, &address, err);
	if (rc < 0)
		return rc;
	if (address.len)
		return node_say(n, row, COMPLY_FAIL, err, "the API listens on %.*s, where it asks nobody who they are: whoever reaches it is root", BH_SLICE_FMT(address));
	return node_say(n, row, COMPLY_PASS, err, "neither podman.service nor podman.socket listens on the network");
}

struct range {
	uint64_t first, last;
	struct bh_slice user;
	uint32_t line;
};
BH_VEC(range_vec, struct range)

/* "user:100000:65536"; lines that are none are passed over, as newuidmap(1) does. */
static bool take_range(struct bh_slice line, struct range *ret)
{
	struct bh_slice first, count;
	uint64_t n;
	if (!bh_slice_cut(bh_slice_trim(line), ':', &ret->user, &line) || !bh_slice_cut(line, ':', &first, &count) || !bh_slice_u64(first, UINT32_MAX, &ret->first)
	    || !bh_slice_u64(bh_slice_trim(count), UINT32_MAX, &n) || n == 0)
		return false;
	ret->last = ret->first + n - 1;
	return true;
}

static int by_first(const void *a, const void *b)
{
	uint64_t one = ((const struct range *)a)->first, two = ((const struct range *)b)->first;
	return (one > two) - (one < two);
}

static int read_ranges(struct bh_slice text, struct range_vec *out, struct bh_err *err)
{
	struct bh_slice line;
	for (uint32_t number = 1; text.len; number++) {
		struct range r = { .line = number };
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (take_range(line, &r) && !range_vec_push(out, r))
			return node_no_memory(err);
	}
	if (out->len)
		qsort(out->ptr, out->len, sizeof(*out->ptr), by_first);
	return 0;
}

/* Of ranges in the order of their starts, one that begins before the farthest end of another user's. */
static int say_overlap(struct node *n, const struct range_vec *ranges, struct comply_row *row, struct bh_err *err)
{
	const struct range *widest = ranges->len ? &ranges->ptr[0] : NULL;
	for (size_t i = 1; i < ranges->len; i++) {
		const struct range *r = &ranges->ptr[i];
		row->line = r->line;
		if (r->first <= widest->last && !bh_slice_eq(r->user, widest->user))
			return node_say(n, row, COMPLY_FAIL, err, "ids from %llu on are both %.*s's and %.*s's: each is root in the other's containers", (unsigned long long)r->first,
					BH_SLICE_FMT(widest->user), BH_SLICE_FMT(r->user));
		if (r->last > widest->last)
			widest = r;
	}
	row->line = 0;
	return node_say(n, row, COMPLY_PASS, err, "the ranges of %zu entries don't overlap between users", ranges->len);
}

static int check_subordinate_ids(struct node *n, const char *path, struct comply_row *row, struct bh_err *err)
{
	struct range_vec ranges = { .max = RANGES_MAX };
	struct bh_slice text, problem;
	row->file = bh_slice_str(path);
	row->line = 0;
	int rc = node_read(n, row->file, &text, &problem, err);
	if (rc == 0 && problem.len)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(problem));
	if (rc == 0 && text.len == 0)
		return node_say(n, row, COMPLY_PASS, err, "it is absent or empty: nobody has ids beside their own");
	rc = rc < 0 ? rc : read_ranges(text, &ranges, err);
	rc = rc < 0 ? rc : say_overlap(n, &ranges, row, err);
	range_vec_done(&ranges);
	return rc;
}

int special_podman_subordinate_ids(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	(void)in;
	int rc = check_subordinate_ids(n, "/etc/subuid", row, err);
	return rc < 0 ? rc : check_subordinate_ids(n, "/etc/subgid", row, err);
}

/* A name without a registry, tried at several, is whose registry has it. The mode of shortnames is permissive unless it is said. */
int special_podman_short_names(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	struct setting_value searched, mode;
	int rc = find(n, in, "unqualified-search-registries", &searched, err);
	rc = rc < 0 ? rc : find(n, in, "short-name-mode", &mode, err);
	if (rc < 0)
		return rc;
	if (searched.state == SETTING_UNKNOWN)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(searched.text));
	setting_point_at(row, &searched);
	if (searched.state == SETTING_UNSET || bh_slice_find(searched.text, ',') == searched.text.len)
		return node_say(n, row, COMPLY_PASS, err, "unqualified-search-registries has at most one registry");
	setting_point_at(row, &mode);
	if (mode.state == SETTING_SET && bh_slice_eq_str(mode.text, "enforcing"))
		return node_say(n, row, COMPLY_PASS, err, "short-name-mode is enforcing");
	return node_say(n, row, COMPLY_FAIL, err, "short-name-mode is %.*s, and names without a registry are tried at %.*s",
			BH_SLICE_FMT(setting_is_given(&mode) ? mode.text : BH_SLICE_LIT("not set")), BH_SLICE_FMT(searched.text));
}

static bool accepts_anything(struct cel_value requirements)
{
	return requirements.kind == CEL_LIST && requirements.list->len && bh_slice_eq_str(kube_text(requirements.list->items[0], "type"), "insecureAcceptAnything");
}

/* Images of registries; what is local already (docker-daemon, containers-storage, folders) may be taken as it is. containers-policy.json(5). */
int special_podman_policy(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	if (in->config_problem.len)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(in->config_problem));
	if (in->configs.len == 0)
		return node_say(n, row, COMPLY_PASS, err, "it is absent, and without it no image is accepted");
	const struct component_config *config = &in->configs.ptr[0];
	struct cel_value scopes = kube_path(config->root, "transports.docker");
	struct bh_buf place;
	bool is_default = accepts_anything(kube_get(config->root, "default"));
	row->file = config->file;
	bh_buf_init(&place, PLACE_BYTES_MAX);
	row->line = is_default ? kube_tree_find(config->tree, config->root.map, BH_SLICE_LIT("default"), &place) : 0;
	bh_buf_done(&place);
	if (is_default)
		return node_say(n, row, COMPLY_FAIL, err, "the default is insecureAcceptAnything: images of all registries are run without a signature");
	for (size_t i = 0; scopes.kind == CEL_MAP && i < scopes.map->len; i++)
		if (accepts_anything(scopes.map->entries[i].value))
			return node_say(n, row, COMPLY_FAIL, err, "images of %.*s are run without a signature",
					BH_SLICE_FMT(scopes.map->entries[i].key.text.len ? scopes.map->entries[i].key.text : BH_SLICE_LIT("all registries")));
	return node_say(n, row, COMPLY_PASS, err, "images of registries need a signature, or are rejected");
}
