/*
 * rancher.c: the arguments of components within k3s: what it gives them by itself (pkg/daemons/control/server.go, pkg/daemons/agent/agent_linux.go of
 * github.com/k3s-io/k3s), then what its own arguments and /etc/rancher/k3s/config.yaml add: "--kube-apiserver-arg=audit-log-maxage=30",
 * "kube-apiserver-arg: [audit-log-maxage=30]". The process shows no arguments, so the unit and the files are asked. RKE2 writes manifests for all but the
 * kubelet.
 */
#include "comply/rancher.h"

#include "base/cleanup.h"

#define PATH_BYTES_MAX 256u
#define FILES_PER_FOLDER_MAX 1000u

#define TLS "/var/lib/rancher/k3s/server/tls"
#define CRED "/var/lib/rancher/k3s/server/cred"

static const char *const apiserver[] = {
	"--authorization-mode=Node,RBAC",
	"--anonymous-auth=false",
	"--profiling=false",
	"--enable-admission-plugins=NodeRestriction",
	"--service-account-key-file=" TLS "/service.key",
	"--tls-cert-file=" TLS "/serving-kube-apiserver.crt",
	"--tls-private-key-file=" TLS "/serving-kube-apiserver.key",
	"--kubelet-certificate-authority=" TLS "/server-ca.crt",
	"--kubelet-client-certificate=" TLS "/client-kube-apiserver.crt",
	"--kubelet-client-key=" TLS "/client-kube-apiserver.key",
	"--client-ca-file=" TLS "/client-ca.crt",
	NULL,
};

static const char *const apiserver_etcd[] = {
	"--etcd-cafile=" TLS "/etcd/server-ca.crt",
	"--etcd-certfile=" TLS "/etcd/client.crt",
	"--etcd-keyfile=" TLS "/etcd/client.key",
	NULL,
};

static const char *const controller_manager[] = {
	"--profiling=false",
	"--bind-address=127.0.0.1",
	"--use-service-account-credentials=true",
	"--service-account-private-key-file=" TLS "/service.key",
	"--root-ca-file=" TLS "/server-ca.crt",
	"--kubeconfig=" CRED "/controller.kubeconfig",
	NULL,
};

static const char *const scheduler[] = { "--profiling=false", "--bind-address=127.0.0.1", "--kubeconfig=" CRED "/scheduler.kubeconfig", NULL };

static const char *const etcd[] = { "--config-file=/var/lib/rancher/k3s/server/db/etcd/config", NULL };

/* All else the kubelet has from the files in --config-dir. */
static const char *const kubelet[] = { "--config-dir=/var/lib/rancher/@/agent/etc/kubelet.conf.d", "--kubeconfig=/var/lib/rancher/@/agent/kubelet.kubeconfig",
				       "--read-only-port=0", "--hostname-override=the name of the node", NULL };

/* Before it had that folder. */
static const char *const old_kubelet[] = { "--anonymous-auth=false", "--authorization-mode=Webhook", "--client-ca-file=/var/lib/rancher/@/agent/client-ca.crt",
					   "--tls-cert-file=/var/lib/rancher/@/agent/serving-kubelet.crt",
					   "--tls-private-key-file=/var/lib/rancher/@/agent/serving-kubelet.key", NULL };

static const char *const proxy[] = { "--kubeconfig=/var/lib/rancher/@/agent/kubeproxy.kubeconfig", NULL };

struct distribution {
	struct node *n;
	const char *name;          /* "k3s", "rke2" */
	struct comply_unit unit;
	struct comply_word_vec words; /* of its own command line */
	struct component_config_vec configs; /* config.yaml, then config.yaml.d/ */
	struct bh_slice origin;
	bool has_unit, is_server;
	struct bh_err *err;
};

static int path_of(struct distribution *d, const char *before, const char *behind, struct bh_slice *ret)
{
	const char *path = bh_arena_printf(&d->n->arena, "%s%s%s", before, d->name, behind);
	*ret = bh_slice_str(path);
	return path ? 0 : node_no_memory(d->err);
}

static bool is_there(struct distribution *d, struct bh_slice path, int *rc)
{
	struct host_stat st = { 0 };
	if (*rc == 0)
		*rc = d->n->host->stat(d->n->host->ctx, path, &st, d->err);
	return *rc == 0 && (st.kind == HOST_FILE || st.kind == HOST_FOLDER);
}

/* "@" stands for the distribution. */
static int add_word(struct distribution *d, const char *text, struct comply_word_vec *out)
{
	char path[PATH_BYTES_MAX];
	struct comply_word w = { .file = d->origin };
	size_t n = 0;
	for (; *text && n + 8 < sizeof(path); text++) {
		if (*text != '@') {
			path[n++] = *text;
			continue;
		}
		for (const char *c = d->name; *c; c++)
			path[n++] = *c;
	}
	if (!bh_arena_copy(&d->n->arena, (struct bh_slice){ (const uint8_t *)path, n }, &w.text) || !comply_word_vec_push(out, w))
		return node_no_memory(d->err);
	return 0;
}

static int add_list(struct distribution *d, const char *const *list, struct comply_word_vec *out)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && list[i]; i++)
		rc = add_word(d, list[i], out);
	return rc;
}

/* "audit-log-maxage=30" as an argument of the component. */
static int add_extra(struct distribution *d, struct bh_slice value, struct bh_slice file, uint32_t line, struct comply_word_vec *out)
{
	const char *text = bh_arena_printf(&d->n->arena, "--%.*s", BH_SLICE_FMT(value));
	const struct comply_word w = { bh_slice_str(text), file, line };
	return text && comply_word_vec_push(out, w) ? 0 : node_no_memory(d->err);
}

/* Of its own arguments: "--kube-apiserver-arg=X", or the value as the next word. */
static int add_own_arguments(struct distribution *d, const char *option, struct comply_word_vec *out)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < d->words.len; i++) {
		struct bh_slice word = d->words.ptr[i].text, name, value;
		bool joined = bh_slice_cut(word, '=', &name, &value);
		if (name.len < 3 || !bh_slice_eq_str(bh_slice_sub(name, 2, name.len), option))
			continue;
		if (!joined && i + 1 < d->words.len)
			value = d->words.ptr[i + 1].text;
		rc = add_extra(d, value, d->words.ptr[i].file, d->words.ptr[i].line, out);
	}
	return rc;
}

static int add_from_config(struct distribution *d, const struct component_config *config, const char *key, struct comply_word_vec *out)
{
	struct cel_value v = kube_get(config->root, key);
	int rc = 0;
	if (v.kind == CEL_STRING)
		rc = add_extra(d, v.text, config->file, 0, out);
	for (size_t i = 0; rc == 0 && v.kind == CEL_LIST && i < v.list->len; i++)
		if (v.list->items[i].kind == CEL_STRING)
			rc = add_extra(d, v.list->items[i].text, config->file, 0, out);
	return rc;
}

/* A later file takes the place of an earlier one's list, unless its key ends in "+". */
static int add_extras(struct distribution *d, const char *option, struct comply_word_vec *out)
{
	const char *more = bh_arena_printf(&d->n->arena, "%s+", option);
	size_t first = 0;
	int rc = more ? 0 : node_no_memory(d->err);
	for (size_t i = 0; i < d->configs.len; i++)
		if (kube_get(d->configs.ptr[i].root, option).kind != CEL_NULL)
			first = i;
	for (size_t i = first; rc == 0 && i < d->configs.len; i++) {
		rc = i == first ? add_from_config(d, &d->configs.ptr[i], option, out) : 0;
		rc = rc < 0 ? rc : add_from_config(d, &d->configs.ptr[i], more, out);
	}
	return rc < 0 ? rc : add_own_arguments(d, option, out);
}

static bool is_on(const struct distribution *d, const char *option)
{
	bool on = false;
	for (size_t i = 0; i < d->configs.len; i++) {
		struct cel_value v = kube_get(d->configs.ptr[i].root, option);
		if (v.kind == CEL_BOOL)
			on = v.boolean;
	}
	for (size_t i = 0; i < d->words.len; i++) {
		struct bh_slice w = d->words.ptr[i].text;
		if (bh_slice_starts(w, BH_SLICE_LIT("--")) && bh_slice_starts(bh_slice_sub(w, 2, w.len), bh_slice_str(option)))
			on = !bh_slice_ends(w, BH_SLICE_LIT("=false"));
	}
	return on;
}

static int add_component(struct distribution *d, enum component c, const char *const *given, const char *const *more, const char *option)
{
	struct comply_word_vec words = { .max = WORDS_MAX };
	struct component_instance *in;
	if (node_has_component(d->n, c))
		return 0;
	int rc = add_list(d, given, &words);
	if (rc == 0 && more)
		rc = add_list(d, more, &words);
	if (rc == 0 && c == APISERVER && is_on(d, "secrets-encryption"))
		rc = add_word(d, "--encryption-provider-config=" CRED "/encryption-config.json", &words);
	rc = rc < 0 ? rc : add_extras(d, option, &words);
	rc = rc < 0 ? rc : component_add(d->n, c, d->origin, true, &in, d->err);
	rc = rc < 0 ? rc : component_add_words(d->n, in, words.ptr, words.len, d->err);
	if (rc == 0 && !d->has_unit)
		in->arguments_problem = BH_SLICE_LIT("what it was started with is not known: it has no unit of systemd here");
	comply_word_vec_done(&words);
	return rc;
}

static int add_components(struct distribution *d)
{
	struct bh_slice folder;
	int rc = path_of(d, "/var/lib/rancher/", "/agent/etc/kubelet.conf.d", &folder);
	bool has_folder = is_there(d, folder, &rc);
	if (strcmp(d->name, "k3s") == 0 && d->is_server) {
		bool has_etcd = is_there(d, BH_SLICE_LIT("/var/lib/rancher/k3s/server/db/etcd"), &rc);
		rc = rc < 0 ? rc : add_component(d, APISERVER, apiserver, has_etcd ? apiserver_etcd : NULL, "kube-apiserver-arg");
		rc = rc < 0 ? rc : add_component(d, CONTROLLER_MANAGER, controller_manager, NULL, "kube-controller-manager-arg");
		rc = rc < 0 ? rc : add_component(d, SCHEDULER, scheduler, NULL, "kube-scheduler-arg");
		if (rc == 0 && has_etcd)
			rc = add_component(d, ETCD, etcd, NULL, "etcd-arg");
	}
	rc = rc < 0 ? rc : add_component(d, KUBELET, kubelet, has_folder ? NULL : old_kubelet, "kubelet-arg");
	return rc < 0 ? rc : add_component(d, PROXY, proxy, NULL, "kube-proxy-arg");
}

/* ---- is it here, and what is it told? ---- */

static int add_config(struct distribution *d, struct bh_slice path)
{
	const struct node_file *file;
	int rc = node_config(d->n, path, NODE_YAML, &file, d->err);
	if (rc == 0 && file->code == 0 && !component_config_vec_push(&d->configs, file->config))
		rc = node_no_memory(d->err);
	return rc;
}

static int read_configs(struct distribution *d)
{
	struct host_name_vec names = { .max = FILES_PER_FOLDER_MAX };
	struct bh_slice path, folder;
	int rc = path_of(d, "/etc/rancher/", "/config.yaml", &path);
	rc = rc < 0 ? rc : add_config(d, path);
	rc = rc < 0 ? rc : path_of(d, "/etc/rancher/", "/config.yaml.d", &folder);
	rc = rc < 0 ? rc : node_list(d->n, folder, &names, d->err);
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const char *at = bh_arena_printf(&d->n->arena, "%.*s/%.*s", BH_SLICE_FMT(folder), BH_SLICE_FMT(names.ptr[i]));
		rc = at ? add_config(d, bh_slice_str(at)) : node_no_memory(d->err);
	}
	host_name_vec_done(&names);
	return rc;
}

/* Units: k3s.service and k3s-agent.service; rke2-server.service and rke2-agent.service. */
static int read_units(struct distribution *d, bool *found)
{
	static const char *const servers[] = { "k3s.service", "rke2-server.service" };
	static const char *const agents[] = { "k3s-agent.service", "rke2-agent.service" };
	size_t which = strcmp(d->name, "rke2") == 0;
	int rc = node_read_unit(d->n, servers[which], &d->unit, found, d->err);
	d->is_server = *found;
	if (rc == 0 && !*found)
		rc = node_read_unit(d->n, agents[which], &d->unit, found, d->err);
	if (rc == 0 && *found)
		rc = comply_unit_words(&d->unit, &d->n->arena, &d->words, d->err);
	d->origin = d->unit.exec.file;
	return rc;
}

static int find_one(struct node *n, const char *name, struct bh_err *err)
{
	struct distribution d = { .n = n, .name = name, .words = { .max = WORDS_MAX }, .configs = { .max = FILES_PER_FOLDER_MAX }, .err = err };
	struct bh_slice server, agent;
	comply_unit_init(&d.unit);
	int rc = read_units(&d, &d.has_unit);
	rc = rc < 0 ? rc : read_configs(&d);
	rc = rc < 0 ? rc : path_of(&d, "/var/lib/rancher/", "/server/tls", &server);
	rc = rc < 0 ? rc : path_of(&d, "/var/lib/rancher/", "/agent", &agent);
	bool is_here = d.has_unit || d.configs.len || is_there(&d, agent, &rc);
	if (!d.has_unit) {
		d.is_server = is_there(&d, server, &rc);
		d.origin = d.configs.len ? d.configs.ptr[0].file : agent;
	}
	if (rc == 0 && is_here)
		rc = add_components(&d);
	comply_unit_done(&d.unit);
	comply_word_vec_done(&d.words);
	component_config_vec_done(&d.configs);
	return rc;
}

int rancher_find(struct node *n, struct bh_err *err)
{
	int rc = find_one(n, "k3s", err);
	return rc < 0 ? rc : find_one(n, "rke2", err);
}
