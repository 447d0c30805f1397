/* endpoints.c: see endpoints.h. Where several entries of the configuration fit, the longest prefix counts. */
#include "registry/endpoints.h"

#include "base/cleanup.h"
#include "format/toml.h"
#include "sys/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_BYTES_MAX (1u << 20)
#define DOCKER_HUB "registry-1.docker.io" /* "docker.io" itself is a web site */

static void toml_cleanup(struct bh_toml **doc)
{
	bh_toml_free(*doc);
}

/* "mirror.example:5000/proxy" and what the reference has behind the prefix. */
static int add(struct registry_endpoints *e, struct bh_slice location, struct bh_slice rest, bool insecure, struct bh_err *err)
{
	struct bh_slice host, path;
	if (e->n == REGISTRY_ENDPOINTS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u mirrors of a registry", REGISTRY_ENDPOINTS_MAX);
	struct registry_endpoint *p = &e->list[e->n];
	(void)bh_slice_cut(location, '/', &host, &path);
	if (bh_slice_eq_str(host, "docker.io"))
		host = BH_SLICE_LIT(DOCKER_HUB);
	while (rest.len && rest.ptr[0] == '/')
		rest = bh_slice_sub(rest, 1, rest.len);
	int n = snprintf(p->path, sizeof(p->path), "%.*s%s%.*s", BH_SLICE_FMT(path), path.len && rest.len ? "/" : "", BH_SLICE_FMT(rest));
	if (host.len == 0 || host.len >= sizeof(p->host) || n >= (int)sizeof(p->path))
		return bh_fail(err, BH_EUSAGE, 0, "\"%.*s\" is no place of a registry: HOST[:PORT][/PATH] is", BH_SLICE_FMT(bh_slice_sub(location, 0, 200)));
	snprintf(p->host, sizeof(p->host), "%.*s", BH_SLICE_FMT(host));
	p->insecure = insecure;
	e->n++;
	return 0;
}

/* ---- registries.conf ---- */

/* Length of the fit, 0 = none: a prefix ends where a part of the name ends; "*.example.com" fits hosts below. */
static size_t fits(struct bh_slice prefix, struct bh_slice name)
{
	struct bh_slice star = BH_SLICE_LIT("*.");
	if (bh_slice_starts(prefix, star)) {
		size_t end = bh_slice_find(name, '/');
		struct bh_slice host = bh_slice_sub(name, 0, end), tail = bh_slice_sub(prefix, 1, prefix.len);
		return host.len > tail.len && bh_slice_ends(host, tail) ? end : 0;
	}
	if (!prefix.len || !bh_slice_starts(name, prefix))
		return 0;
	bool whole = name.len == prefix.len || name.ptr[prefix.len] == '/';
	return whole ? prefix.len : 0;
}

static struct bh_slice prefix_of(const struct bh_toml_node *entry)
{
	struct bh_slice prefix = bh_toml_str(bh_toml_get(entry, "prefix"));
	return prefix.len ? prefix : bh_toml_str(bh_toml_get(entry, "location"));
}

static int use_entry(const struct bh_toml_node *entry, struct bh_slice name, size_t fit, struct registry_endpoints *e, struct bh_err *err)
{
	struct bh_slice location = bh_toml_str(bh_toml_get(entry, "location")), rest = bh_slice_sub(name, fit, name.len);
	if (bh_toml_bool(bh_toml_get(entry, "blocked")))
		return bh_fail(err, BH_EUSAGE, 0, "the registry is blocked by registries.conf (line %u)", bh_toml_line(entry));
	const struct bh_toml_node *mirrors = bh_toml_get(entry, "mirror");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_toml_len(mirrors); i++) {
		const struct bh_toml_node *m = bh_toml_at(mirrors, i);
		rc = add(e, bh_toml_str(bh_toml_get(m, "location")), rest, bh_toml_bool(bh_toml_get(m, "insecure")), err);
	}
	bool insecure = bh_toml_bool(bh_toml_get(entry, "insecure"));
	return rc < 0 ? rc : add(e, location.len ? location : bh_slice_sub(name, 0, fit), rest, insecure, err);
}

int registry_endpoints_read(struct bh_slice toml, const struct registry_ref *ref, struct registry_endpoints *ret, struct bh_err *err)
{
	BH_WITH(toml_cleanup) struct bh_toml *doc = NULL;
	int rc = bh_toml_parse(toml, CONFIG_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	char text[REGISTRY_HOST_BYTES + REGISTRY_PATH_BYTES];
	snprintf(text, sizeof(text), "%s/%s", ref->host, ref->path);
	struct bh_slice name = bh_slice_str(text);
	const struct bh_toml_node *list = bh_toml_get(bh_toml_root(doc), "registry"), *best = NULL;
	size_t longest = 0, fit = 0;
	for (size_t i = 0; i < bh_toml_len(list); i++) {
		const struct bh_toml_node *entry = bh_toml_at(list, i);
		size_t n = fits(prefix_of(entry), name);
		if (n && prefix_of(entry).len > longest) {
			longest = prefix_of(entry).len;
			fit = n;
			best = entry;
		}
	}
	return best ? use_entry(best, name, fit, ret, err) : 0;
}

/* The first that is there: $CONTAINERS_REGISTRIES_CONF, the user's, the system's. */
static int read_config(struct bh_buf *out, const char **ret_path, char own[static 4096], struct bh_err *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	snprintf(own, 4096, "%s%s/containers/registries.conf", config && config[0] ? config : home ? home : "/", config && config[0] ? "" : "/.config");
	const char *places[] = { own, "/etc/containers/registries.conf" };
	if (named && named[0]) {
		*ret_path = named;
		return bh_read_file(named, CONFIG_BYTES_MAX, out, err);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], F_OK) == 0) {
			*ret_path = places[i];
			return bh_read_file(places[i], CONFIG_BYTES_MAX, out, err);
		}
	}
	return 0;
}

static int from_config(const struct registry_ref *ref, struct registry_endpoints *e, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	char own[4096];
	const char *path = NULL;
	bh_buf_init(&text, CONFIG_BYTES_MAX);
	int rc = read_config(&text, &path, own, err);
	rc = rc < 0 || !path ? rc : registry_endpoints_read(bh_buf_slice(&text), ref, e, err);
	return rc < 0 && path ? bh_wrap(err, "%.200s", path) : rc;
}

/* ---- --registry-mirror ---- */

static struct bh_slice without_scheme(struct bh_slice s, bool *plain)
{
	struct bh_slice http = BH_SLICE_LIT("http://"), https = BH_SLICE_LIT("https://");
	*plain = bh_slice_starts(s, http);
	if (*plain || bh_slice_starts(s, https))
		s = bh_slice_sub(s, *plain ? http.len : https.len, s.len);
	while (s.len && s.ptr[s.len - 1] == '/')
		s.len--;
	return s;
}

static int from_options(const struct registry_ref *ref, const struct registry_options *o, struct registry_endpoints *e, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < o->n_mirrors; i++) {
		struct bh_slice of, mirror;
		bool plain;
		if (!bh_slice_cut(bh_slice_str(o->mirrors[i]), '=', &of, &mirror)) {
			mirror = of;
			of = BH_SLICE_LIT("docker.io");
		}
		mirror = without_scheme(mirror, &plain);
		if (bh_slice_eq_str(of, ref->host))
			rc = add(e, mirror, bh_slice_str(ref->path), plain || o->insecure, err);
	}
	return rc;
}

int registry_endpoints_find(const struct registry_ref *ref, const struct registry_options *options, struct registry_endpoints *ret,
			    struct bh_err *err)
{
	ret->n = 0;
	int rc = from_options(ref, options, ret, err);
	size_t mine = ret->n;
	rc = rc < 0 ? rc : from_config(ref, ret, err);
	if (rc == 0 && ret->n == mine)
		rc = add(ret, bh_slice_str(ref->host), bh_slice_str(ref->path), false, err);
	for (size_t i = 0; rc == 0 && i < ret->n; i++)
		ret->list[i].insecure |= options->insecure || registry_is_local(ret->list[i].host);
	return rc;
}
