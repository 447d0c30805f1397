#include "comply/special.h"

#include <stdio.h>

#define PATTERN_BYTES_MAX 64u

/* ---- cipher suites ---- */

/* With forward secrecy and an AEAD: what the benchmark names, in both spellings of the ChaCha20 ones. */
static const char *const strong_suites[] = {
	"TLS_AES_128_GCM_SHA256",
	"TLS_AES_256_GCM_SHA384",
	"TLS_CHACHA20_POLY1305_SHA256",
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	NULL,
};

static int check_ciphers(struct node *n, const struct component_instance *in, struct comply_row *row, const char *suites_path, const char *version_path,
			 struct bh_err *err)
{
	struct setting_value suites, version;
	struct bh_slice rest, suite;
	bool more = true;
	int rc = setting_find(n, in, BH_SLICE_LIT("tls-cipher-suites"), bh_slice_str(suites_path), &suites, err);
	rc = rc < 0 ? rc : setting_find(n, in, BH_SLICE_LIT("tls-min-version"), bh_slice_str(version_path), &version, err);
	if (rc < 0)
		return rc;
	if (version.state == SETTING_SET && bh_slice_eq_str(version.text, "VersionTLS13")) {
		setting_point_at(row, &version);
		return node_say(n, row, COMPLY_PASS, err, "only TLS 1.3 is spoken, which has no weak suites");
	}
	if (suites.state == SETTING_UNKNOWN)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(suites.text));
	if (suites.state == SETTING_UNSET || suites.text.len == 0)
		return node_say(n, row, COMPLY_FAIL, err, "no cipher suites are named; those by default include CBC ones");
	setting_point_at(row, &suites);
	for (rest = suites.text; more;) {
		more = bh_slice_cut(rest, ',', &suite, &rest);
		if (!bh_slice_is_one_of(bh_slice_trim(suite), strong_suites))
			return node_say(n, row, COMPLY_FAIL, err, "%.*s is among the cipher suites", BH_SLICE_FMT(suite));
	}
	return node_say(n, row, COMPLY_PASS, err, "only strong cipher suites are named");
}

int special_apiserver_ciphers(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	return check_ciphers(n, in, row, "", "", err);
}

int special_kubelet_ciphers(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	return check_ciphers(n, in, row, "tlsCipherSuites", "tlsMinVersion", err);
}

/* ---- certificates ---- */

static bool is_true(const struct setting_value *v)
{
	return v->state == SETTING_SET && bh_slice_eq_str(v->text, "true");
}

int special_kubelet_tls(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	struct setting_value cert, key, bootstrap;
	int rc = setting_find(n, in, BH_SLICE_LIT("tls-cert-file"), BH_SLICE_LIT("tlsCertFile"), &cert, err);
	rc = rc < 0 ? rc : setting_find(n, in, BH_SLICE_LIT("tls-private-key-file"), BH_SLICE_LIT("tlsPrivateKeyFile"), &key, err);
	rc = rc < 0 ? rc : setting_find(n, in, BH_SLICE_LIT("rotate-server-certificates"), BH_SLICE_LIT("serverTLSBootstrap"), &bootstrap, err);
	if (rc < 0)
		return rc;
	if (is_true(&bootstrap)) {
		setting_point_at(row, &bootstrap);
		return node_say(n, row, COMPLY_PASS, err, "%.*s is true: the cluster signs the certificate", BH_SLICE_FMT(bootstrap.name));
	}
	if (setting_is_given(&cert) && setting_is_given(&key)) {
		setting_point_at(row, &cert);
		return node_say(n, row, COMPLY_PASS, err, "certificate and key are given");
	}
	if (cert.state == SETTING_UNKNOWN)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(cert.text));
	return node_say(n, row, COMPLY_FAIL, err, "neither certificate and key are given nor serverTLSBootstrap is true: the kubelet signs its certificate itself");
}

/* The authority of etcd must not be the one whose certificates the API server takes from users. */
int special_etcd_own_ca(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	struct setting_value own, clients;
	int rc = setting_find(n, in, BH_SLICE_LIT("trusted-ca-file"), BH_SLICE_LIT("config-file!client-transport-security.trusted-ca-file"), &own, err);
	if (rc < 0)
		return rc;
	if (own.state == SETTING_UNKNOWN)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(own.text));
	if (!setting_is_given(&own))
		return node_say(n, row, COMPLY_FAIL, err, "--trusted-ca-file is not set");
	setting_point_at(row, &own);
	for (size_t i = 0; i < n->instances.len; i++) {
		if (n->instances.ptr[i].component != APISERVER)
			continue;
		rc = setting_find(n, &n->instances.ptr[i], BH_SLICE_LIT("client-ca-file"), (struct bh_slice){ 0 }, &clients, err);
		if (rc < 0)
			return rc;
		if (setting_is_given(&clients) && bh_slice_eq(clients.text, own.text))
			return node_say(n, row, COMPLY_FAIL, err, "%.*s is also the authority of the API server's clients", BH_SLICE_FMT(own.text));
		return node_say(n, row, COMPLY_PASS, err, "%.*s is another file than the authority of the API server's clients", BH_SLICE_FMT(own.text));
	}
	return node_say(n, row, COMPLY_LOOK, err, "compare %.*s with the --client-ca-file of the API servers: none of them was given", BH_SLICE_FMT(own.text));
}

/* ---- encryption at rest ---- */

/* The first provider of the first entry that covers secrets: the one that writes. */
static struct bh_slice first_provider(struct cel_value config)
{
	struct cel_value entries = kube_get(config, "resources");
	for (size_t i = 0; entries.kind == CEL_LIST && i < entries.list->len; i++) {
		struct cel_value kinds = kube_get(entries.list->items[i], "resources"), providers = kube_get(entries.list->items[i], "providers");
		bool covers = false;
		for (size_t k = 0; kinds.kind == CEL_LIST && k < kinds.list->len; k++) {
			static const char *const secrets[] = { "secrets", "*.", "*.*", NULL };
			covers |= kinds.list->items[k].kind == CEL_STRING && bh_slice_is_one_of(kinds.list->items[k].text, secrets);
		}
		if (!covers || providers.kind != CEL_LIST || providers.list->len == 0)
			continue;
		struct cel_value first = providers.list->items[0];
		if (first.kind == CEL_MAP && first.map->len && first.map->entries[0].key.kind == CEL_STRING)
			return first.map->entries[0].key.text;
	}
	return (struct bh_slice){ 0 };
}

int special_encryption_providers(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	static const char *const strong[] = { "aescbc", "secretbox", "kms", NULL };
	const struct component_argument *a = component_argument(in, BH_SLICE_LIT("encryption-provider-config"));
	const struct node_file *file;
	if (!a || a->value.len == 0)
		return node_say(n, row, COMPLY_FAIL, err, "--encryption-provider-config is not set: secrets lie in etcd as they are");
	int rc = node_config(n, a->value, NODE_YAML, &file, err);
	if (rc < 0)
		return rc;
	if (file->code < 0)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s was not read: %.*s", BH_SLICE_FMT(a->value), BH_SLICE_FMT(file->problem));
	struct bh_slice provider = first_provider(file->config.root);
	row->file = file->path;
	if (provider.len == 0)
		return node_say(n, row, COMPLY_FAIL, err, "no provider is named for secrets");
	return node_say(n, row, bh_slice_is_one_of(provider, strong) ? COMPLY_PASS : COMPLY_FAIL, err, "secrets are written by the provider %.*s", BH_SLICE_FMT(provider));
}

/* ---- the audit policy ---- */

static int find_policy(struct node *n, const struct component_instance *in, struct comply_row *row, const struct node_file **ret, struct bh_err *err)
{
	const struct component_argument *a = component_argument(in, BH_SLICE_LIT("audit-policy-file"));
	*ret = NULL;
	if (!a || a->value.len == 0)
		return node_say(n, row, COMPLY_FAIL, err, "--audit-policy-file is not set: nothing is logged");
	int rc = node_config(n, a->value, NODE_YAML, ret, err);
	if (rc < 0 || (*ret)->code == 0) {
		row->file = a->value;
		return rc;
	}
	rc = node_say(n, row, COMPLY_UNCHECKED, err, "%.*s was not read: %.*s", BH_SLICE_FMT(a->value), BH_SLICE_FMT((*ret)->problem));
	*ret = NULL;
	return rc;
}

static bool holds(struct cel_value list, const char *word)
{
	for (size_t i = 0; list.kind == CEL_LIST && i < list.list->len; i++)
		if (list.list->items[i].kind == CEL_STRING && (bh_slice_eq_str(list.list->items[i].text, word) || bh_slice_eq_str(list.list->items[i].text, "*")))
			return true;
	return false;
}

/* A request that somebody of whom nothing is known makes. */
struct audited {
	const char *verb, *group, *resource; /* with its part: "pods/exec" */
	bool body_is_secret;                 /* only Metadata is allowed, as the body would put secrets into the log */
};

static bool is_empty(struct cel_value list)
{
	return list.kind != CEL_LIST || list.list->len == 0;
}

/* "pods/exec" is covered by itself, by every part of pods, and by exec of everything. */
static bool covers_name(struct cel_value resources, const char *resource)
{
	const char *part = strchr(resource, '/');
	char pattern[PATTERN_BYTES_MAX];
	if (is_empty(resources) || holds(resources, resource))
		return true;
	if (!part)
		return false;
	(void)snprintf(pattern, sizeof(pattern), "*%s", part);
	if (holds(resources, pattern))
		return true;
	(void)snprintf(pattern, sizeof(pattern), "%.*s/*", (int)(part - resource), resource);
	return holds(resources, pattern);
}

static bool covers_resource(struct cel_value rule, const struct audited *a)
{
	struct cel_value groups = kube_get(rule, "resources");
	if (is_empty(groups))
		return is_empty(kube_get(rule, "nonResourceURLs"));
	for (size_t i = 0; i < groups.list->len; i++) {
		struct cel_value g = groups.list->items[i];
		if (bh_slice_eq_str(kube_text(g, "group"), a->group) && is_empty(kube_get(g, "resourceNames")) && covers_name(kube_get(g, "resources"), a->resource))
			return true;
	}
	return false;
}

/* audit.k8s.io/v1: the first rule that fits decides. Those for certain users or namespaces don't fit everybody. */
static struct bh_slice level_of(struct cel_value policy, const struct audited *a)
{
	struct cel_value rules = kube_get(policy, "rules");
	for (size_t i = 0; rules.kind == CEL_LIST && i < rules.list->len; i++) {
		struct cel_value rule = rules.list->items[i], verbs = kube_get(rule, "verbs");
		if (!is_empty(kube_get(rule, "users")) || !is_empty(kube_get(rule, "userGroups")) || !is_empty(kube_get(rule, "namespaces")))
			continue;
		if ((is_empty(verbs) || holds(verbs, a->verb)) && covers_resource(rule, a))
			return kube_text(rule, "level");
	}
	return BH_SLICE_LIT("None");
}

int special_audit_policy(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	const struct node_file *file;
	int rc = find_policy(n, in, row, &file, err);
	if (rc < 0 || !file)
		return rc;
	struct cel_value rules = kube_get(file->config.root, "rules");
	for (size_t i = 0; rules.kind == CEL_LIST && i < rules.list->len; i++) {
		struct bh_slice level = kube_text(rules.list->items[i], "level");
		if (level.len && !bh_slice_eq_str(level, "None"))
			return node_say(n, row, COMPLY_PASS, err, "the audit policy has %zu rules", rules.list->len);
	}
	return node_say(n, row, COMPLY_FAIL, err, "no rule of the audit policy logs anything");
}

int special_audit_coverage(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err)
{
	static const struct audited all[] = {
		{ "get", "", "secrets", true },
		{ "list", "", "secrets", true },
		{ "get", "", "configmaps", true },
		{ "create", "authentication.k8s.io", "tokenreviews", true },
		{ "create", "", "pods", false },
		{ "delete", "", "pods", false },
		{ "update", "apps", "deployments", false },
		{ "create", "", "pods/exec", false },
		{ "create", "", "pods/attach", false },
		{ "create", "", "pods/portforward", false },
		{ "create", "", "pods/proxy", false },
		{ "create", "", "services/proxy", false },
		{ "create", "rbac.authorization.k8s.io", "clusterrolebindings", false },
	};
	const struct node_file *file;
	int rc = find_policy(n, in, row, &file, err);
	if (rc < 0 || !file)
		return rc;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct bh_slice level = level_of(file->config.root, &all[i]);
		if (level.len == 0 || bh_slice_eq_str(level, "None"))
			return node_say(n, row, COMPLY_FAIL, err, "%s of %s is not logged", all[i].verb, all[i].resource);
		if (all[i].body_is_secret && !bh_slice_eq_str(level, "Metadata"))
			return node_say(n, row, COMPLY_FAIL, err, "%s of %s is logged at %.*s, which puts its contents into the log", all[i].verb, all[i].resource, BH_SLICE_FMT(level));
	}
	return node_say(n, row, COMPLY_PASS, err, "the audit policy logs access to secrets, commands in pods, and changes of workloads and roles");
}
