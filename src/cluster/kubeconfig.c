#include "cluster/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "cluster/plugin.h"
#include "sys/files.h"

#define NAMES_BYTES_MAX (4u << 20)
#define FILE_BYTES_MAX (16u << 20)
#define FILES_MAX 32u
#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

void cluster_access_init(struct cluster_access *a)
{
	*a = (struct cluster_access){ 0 };
	bh_arena_init(&a->arena, NAMES_BYTES_MAX);
	bh_buf_init(&a->ca, CLUSTER_PEM_BYTES);
	bh_buf_init(&a->certificate, CLUSTER_PEM_BYTES);
	bh_buf_init(&a->key, CLUSTER_PEM_BYTES);
	bh_buf_init(&a->token, CLUSTER_SECRET_BYTES);
	bh_buf_init(&a->basic, CLUSTER_SECRET_BYTES);
}

void cluster_access_done(struct cluster_access *a)
{
	bh_buf_wipe(&a->key);
	bh_buf_wipe(&a->token);
	bh_buf_wipe(&a->basic);
	bh_buf_done(&a->ca);
	bh_buf_done(&a->certificate);
	bh_arena_done(&a->arena);
}

/* ---- files ---- */

struct config {
	const char *path, *folder;
	struct bh_buf text;
	struct bh_yaml *yaml;
};

struct configs {
	struct config files[FILES_MAX];
	size_t n;
};

static void configs_done(struct configs *c)
{
	for (size_t i = 0; i < c->n; i++) {
		bh_yaml_free(c->files[i].yaml);
		bh_buf_wipe(&c->files[i].text);
	}
}

static const char *folder_of(struct bh_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? bh_arena_strdup(arena, (struct bh_slice){ (const uint8_t *)path, (size_t)(slash - path) + (slash == path) }) : ".";
}

/* A file of $KUBECONFIG that isn't there is no error, as long as another is. */
static int read_config(struct configs *all, const char *path, struct bh_arena *arena, struct bh_err *err)
{
	if (access(path, F_OK) != 0)
		return 0;
	if (all->n == FILES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "KUBECONFIG names more than %u files", FILES_MAX);
	struct config *c = &all->files[all->n++];
	*c = (struct config){ .path = path, .folder = folder_of(arena, path) };
	bh_buf_init(&c->text, FILE_BYTES_MAX);
	int rc = bh_read_file(path, FILE_BYTES_MAX, &c->text, err);
	if (rc < 0)
		return rc;
	rc = bh_yaml_parse(bh_buf_slice(&c->text), FILE_BYTES_MAX, &c->yaml, err);
	return rc < 0 ? bh_wrap(err, "%s", path) : 0;
}

static int read_configs(struct configs *all, struct bh_arena *arena, struct bh_err *err)
{
	const char *named = getenv("KUBECONFIG"), *home = getenv("HOME");
	if (!(named && named[0])) {
		const char *path = home ? bh_arena_printf(arena, "%s/.kube/config", home) : NULL;
		return path ? read_config(all, path, arena, err) : 0;
	}
	struct bh_slice rest = bh_slice_str(named), path;
	int rc = 0;
	while (rc == 0 && rest.len) {
		(void)bh_slice_cut(rest, ':', &path, &rest);
		const char *copy = path.len ? bh_arena_strdup(arena, path) : NULL;
		rc = copy ? read_config(all, copy, arena, err) : 0;
	}
	if (rc == 0 && all->n == 0)
		return bh_fail(err, BH_ENOTFOUND, 0, "no file of KUBECONFIG=%s is there", named);
	return rc;
}

/* The entry of a list ("clusters", "users", "contexts") that has this name, in the first file that has one. */
static const struct bh_yaml_node *find_entry(const struct configs *all, const char *list, const char *field, struct bh_slice name, const struct config **ret)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct bh_yaml_node *entries = bh_yaml_get(bh_yaml_root(all->files[i].yaml, 0), list);
		for (size_t k = 0; k < bh_yaml_len(entries); k++) {
			const struct bh_yaml_node *e = bh_yaml_at(entries, k);
			if (!bh_slice_eq(bh_yaml_str(bh_yaml_get(e, "name")), name))
				continue;
			*ret = &all->files[i];
			return bh_yaml_get(e, field);
		}
	}
	return NULL;
}

static struct bh_slice current_context(const struct configs *all)
{
	struct bh_slice name = { 0 };
	for (size_t i = 0; name.len == 0 && i < all->n; i++)
		name = bh_yaml_str(bh_yaml_get(bh_yaml_root(all->files[i].yaml, 0), "current-context"));
	return name;
}

/* ---- fields ---- */

static const char *beside(struct cluster_access *a, const struct config *c, const struct bh_yaml_node *node)
{
	struct bh_slice s = bh_yaml_str(node);
	if (s.len == 0)
		return NULL;
	return s.ptr[0] == '/' ? bh_arena_strdup(&a->arena, s) : bh_arena_printf(&a->arena, "%s/%.*s", c->folder, BH_SLICE_FMT(s));
}

/* PEM from FIELD-data (base64, which wins) or the file that FIELD names. */
static int read_pem(struct cluster_access *a, const struct config *c, const struct bh_yaml_node *map, const char *field, struct bh_buf *out, struct bh_err *err)
{
	char data[64];
	snprintf(data, sizeof(data), "%s-data", field);
	const struct bh_yaml_node *inside = bh_yaml_get(map, data);
	const char *path = beside(a, c, bh_yaml_get(map, field));
	if (bh_yaml_str(inside).len)
		return bh_unbase64(out, bh_slice_trim(bh_yaml_str(inside))) ? 0 : bh_fail(err, BH_EMALFORMED, 0, "%s:%u: %s is not base64", c->path,
											    bh_yaml_line(inside), data);
	int rc = path ? bh_read_file(path, CLUSTER_PEM_BYTES, out, err) : 0;
	return rc < 0 ? bh_wrap(err, "%s:%u: %s", c->path, bh_yaml_line(bh_yaml_get(map, field)), field) : 0;
}

static const char *text(struct cluster_access *a, const struct bh_yaml_node *node)
{
	struct bh_slice s = bh_yaml_str(node);
	return s.len ? bh_arena_strdup(&a->arena, s) : NULL;
}

static int read_cluster(struct cluster_access *a, const struct config *c, const struct bh_yaml_node *cluster, struct bh_err *err)
{
	struct bh_slice server = bh_yaml_str(bh_yaml_get(cluster, "server"));
	while (bh_slice_ends(server, BH_SLICE_LIT("/")))
		server.len--;
	if (!bh_slice_starts(server, BH_SLICE_LIT("https://")) && !bh_slice_starts(server, BH_SLICE_LIT("http://")))
		return bh_fail(err, BH_EMALFORMED, 0, "%s:%u: the cluster's server is no URL", c->path, bh_yaml_line(cluster));
	a->server = bh_arena_strdup(&a->arena, server);
	a->tls_name = text(a, bh_yaml_get(cluster, "tls-server-name"));
	a->proxy = text(a, bh_yaml_get(cluster, "proxy-url"));
	(void)bh_yaml_bool(bh_yaml_get(cluster, "insecure-skip-tls-verify"), &a->insecure);
	return a->server ? read_pem(a, c, cluster, "certificate-authority", &a->ca, err) : bh_fail(err, BH_ELIMIT, 0, "%s is too large", c->path);
}

static int read_user(struct cluster_access *a, const struct config *c, const struct bh_yaml_node *user, struct bh_err *err)
{
	struct bh_slice name = bh_yaml_str(bh_yaml_get(user, "username")), password = bh_yaml_str(bh_yaml_get(user, "password"));
	const struct bh_yaml_node *provider = bh_yaml_get(user, "auth-provider"), *exec = bh_yaml_get(user, "exec");
	if (provider)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%s:%u: auth-provider was removed from Kubernetes in 1.26; use an exec plug-in", c->path, bh_yaml_line(provider));
	int rc = read_pem(a, c, user, "client-certificate", &a->certificate, err);
	rc = rc < 0 ? rc : read_pem(a, c, user, "client-key", &a->key, err);
	if (rc < 0)
		return rc;
	a->token_file = beside(a, c, bh_yaml_get(user, "tokenFile"));
	bool ok = bh_buf_add(&a->token, bh_yaml_str(bh_yaml_get(user, "token")));
	if (name.len)
		ok = ok && bh_buf_add(&a->basic, name) && bh_buf_add_byte(&a->basic, ':') && bh_buf_add(&a->basic, password);
	if (!ok)
		return bh_fail(err, BH_ELIMIT, 0, "%s:%u: credentials of more than %u bytes", c->path, bh_yaml_line(user), CLUSTER_SECRET_BYTES);
	rc = exec ? cluster_plugin_read(exec, c->folder, a, err) : 0;
	return rc < 0 ? bh_wrap(err, "%s", c->path) : 0;
}

/* ---- the pod that we are ---- */

static int use_pod(struct cluster_access *a, struct bh_err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	if (!host || !port || access(POD_FOLDER "/token", R_OK) != 0)
		return bh_fail(err, BH_ENOTFOUND, 0, "no cluster is known: there is no ~/.kube/config, KUBECONFIG is not set, and this is no pod");
	a->context = "in-cluster";
	a->server = bh_arena_printf(&a->arena, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	a->token_file = POD_FOLDER "/token";
	return a->server ? bh_read_file(POD_FOLDER "/ca.crt", CLUSTER_PEM_BYTES, &a->ca, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* ---- all of it ---- */

static int use_context(struct cluster_access *a, const struct configs *all, struct bh_slice name, struct bh_err *err)
{
	const struct config *at = NULL;
	const struct bh_yaml_node *context = find_entry(all, "contexts", "context", name, &at);
	if (!context)
		return bh_fail(err, BH_ENOTFOUND, 0, "the kubeconfig has no context %.*s", BH_SLICE_FMT(name));
	struct bh_slice cluster_name = bh_yaml_str(bh_yaml_get(context, "cluster")), user_name = bh_yaml_str(bh_yaml_get(context, "user"));
	const struct config *cluster_at = NULL, *user_at = NULL;
	const struct bh_yaml_node *cluster = find_entry(all, "clusters", "cluster", cluster_name, &cluster_at);
	const struct bh_yaml_node *user = find_entry(all, "users", "user", user_name, &user_at);
	if (!cluster)
		return bh_fail(err, BH_EMALFORMED, 0, "%s:%u: the context %.*s names the cluster \"%.*s\", which is not there", at->path, bh_yaml_line(context),
			       BH_SLICE_FMT(name), BH_SLICE_FMT(cluster_name));
	if (user_name.len && !user_at)
		return bh_fail(err, BH_EMALFORMED, 0, "%s:%u: the context %.*s names the user \"%.*s\", who is not there", at->path, bh_yaml_line(context),
			       BH_SLICE_FMT(name), BH_SLICE_FMT(user_name));
	a->context = bh_arena_strdup(&a->arena, name);
	int rc = a->context ? read_cluster(a, cluster_at, cluster, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc < 0 || !user ? rc : read_user(a, user_at, user, err);
}

int cluster_access_find(const char *name, struct cluster_access *ret, struct bh_err *err)
{
	BH_WITH(configs_done) struct configs all = { 0 };
	int rc = read_configs(&all, &ret->arena, err);
	if (rc < 0)
		return rc;
	struct bh_slice wanted = name[0] ? bh_slice_str(name) : current_context(&all);
	if (all.n == 0 && name[0] == '\0')
		return use_pod(ret, err);
	if (wanted.len == 0)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s has no current-context: name one with cluster:CONTEXT", all.n ? all.files[0].path : "the kubeconfig");
	return use_context(ret, &all, wanted, err);
}

bool cluster_access_can_refresh(const struct cluster_access *a)
{
	return a->token_file || a->plugin;
}

int cluster_access_refresh(struct cluster_access *a, struct bh_err *err)
{
	if (a->plugin)
		return cluster_plugin_run(a, err);
	if (!a->token_file)
		return 0;
	BH_WITH(bh_buf_wipe) struct bh_buf text = { 0 };
	bh_buf_init(&text, CLUSTER_SECRET_BYTES);
	int rc = bh_read_file(a->token_file, CLUSTER_SECRET_BYTES, &text, err);
	if (rc == 0) {
		bh_buf_clear(&a->token);
		(void)bh_buf_add(&a->token, bh_slice_trim(bh_buf_slice(&text)));
	}
	return rc;
}
