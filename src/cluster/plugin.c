#include "cluster/plugin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "format/json.h"
#include "sys/program.h"

#define ANSWER_BYTES_MAX (1u << 20)
#define ARGUMENTS_MAX 200u
#define VARIABLES_MAX 100u

struct variable {
	const char *name, *value;
};

struct cluster_plugin {
	const char *argv[ARGUMENTS_MAX + 2];
	struct variable variables[VARIABLES_MAX];
	size_t n_arguments, n_variables;
	const char *api_version, *hint; /* hint: how to install it, as the file says; NULL = none */
	bool wants_cluster;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the plug-in's description is too long");
}

static const char *text(struct cluster_access *a, const struct bh_yaml_node *node)
{
	struct bh_slice s = bh_yaml_str(node);
	return s.len ? bh_arena_strdup(&a->arena, s) : NULL;
}

/* "./get-token" and "bin/get-token" are beside the file; names without a slash are in the PATH. */
static const char *find_command(struct cluster_access *a, const struct bh_yaml_node *exec, const char *folder)
{
	const char *name = text(a, bh_yaml_get(exec, "command"));
	if (!name || name[0] == '/' || !strchr(name, '/'))
		return name;
	return bh_arena_printf(&a->arena, "%s/%s", folder, name);
}

static int read_lists(const struct bh_yaml_node *exec, struct cluster_access *a, struct cluster_plugin *p, struct bh_err *err)
{
	const struct bh_yaml_node *args = bh_yaml_get(exec, "args"), *env = bh_yaml_get(exec, "env");
	if (bh_yaml_len(args) > ARGUMENTS_MAX || bh_yaml_len(env) > VARIABLES_MAX)
		return no_memory(err);
	for (size_t i = 0; i < bh_yaml_len(args); i++) {
		const char *arg = bh_arena_strdup(&a->arena, bh_yaml_str(bh_yaml_at(args, i)));
		if (!arg)
			return no_memory(err);
		p->argv[++p->n_arguments] = arg;
	}
	for (size_t i = 0; i < bh_yaml_len(env); i++) {
		struct variable v = { text(a, bh_yaml_get(bh_yaml_at(env, i), "name")), text(a, bh_yaml_get(bh_yaml_at(env, i), "value")) };
		if (v.name)
			p->variables[p->n_variables++] = v;
	}
	return 0;
}

static bool is_known_version(const char *v)
{
	return v && (strcmp(v, "client.authentication.k8s.io/v1") == 0 || strcmp(v, "client.authentication.k8s.io/v1beta1") == 0);
}

int cluster_plugin_read(const struct bh_yaml_node *exec, const char *folder, struct cluster_access *a, struct bh_err *err)
{
	struct cluster_plugin *p = BH_ARENA_NEW(&a->arena, struct cluster_plugin);
	if (!p)
		return no_memory(err);
	*p = (struct cluster_plugin){ .api_version = text(a, bh_yaml_get(exec, "apiVersion")), .hint = text(a, bh_yaml_get(exec, "installHint")) };
	p->argv[0] = find_command(a, exec, folder);
	(void)bh_yaml_bool(bh_yaml_get(exec, "provideClusterInfo"), &p->wants_cluster);
	if (!p->argv[0])
		return bh_fail(err, BH_EMALFORMED, 0, "line %u: exec has no command", bh_yaml_line(exec));
	if (!is_known_version(p->api_version))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "line %u: exec plug-ins of version %s are not supported, v1 and v1beta1 of client.authentication.k8s.io are",
			       bh_yaml_line(exec), p->api_version ? p->api_version : "(none)");
	if (bh_slice_eq_str(bh_yaml_str(bh_yaml_get(exec, "interactiveMode")), "Always"))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "line %u: the plug-in %s wants a terminal (interactiveMode: Always), which it does not get here",
			       bh_yaml_line(exec), p->argv[0]);
	int rc = read_lists(exec, a, p, err);
	if (rc == 0)
		a->plugin = p;
	return rc;
}

/* KUBERNETES_EXEC_INFO: what the plug-in is told. */
static bool tell(const struct cluster_access *a, struct bh_buf *out)
{
	const struct cluster_plugin *p = a->plugin;
	bh_buf_add_str(out, "{\"apiVersion\":");
	bh_buf_add_json(out, bh_slice_str(p->api_version));
	bh_buf_add_str(out, ",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false");
	if (p->wants_cluster) {
		bh_buf_add_str(out, ",\"cluster\":{\"server\":");
		bh_buf_add_json(out, bh_slice_str(a->server));
		bh_buf_add_str(out, a->insecure ? ",\"insecure-skip-tls-verify\":true}" : "}");
	}
	bh_buf_add_str(out, "}}");
	return bh_buf_add_byte(out, '\0');
}

static int take(struct cluster_access *a, struct bh_slice answer, struct bh_err *err)
{
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = bh_json_parse(answer, ANSWER_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_json_node *status = bh_json_get(bh_json_root(doc), "status");
	struct bh_slice token = bh_json_str(bh_json_get(status, "token"));
	struct bh_slice certificate = bh_json_str(bh_json_get(status, "clientCertificateData")), key = bh_json_str(bh_json_get(status, "clientKeyData"));
	if (!bh_slice_eq_str(bh_json_str(bh_json_get(bh_json_root(doc), "kind")), "ExecCredential"))
		return bh_fail(err, BH_EMALFORMED, 0, "its answer is no ExecCredential");
	if (token.len == 0 && (certificate.len == 0 || key.len == 0))
		return bh_fail(err, BH_EMALFORMED, 0, "its answer has neither a token nor a certificate with its key");
	bh_buf_clear(&a->token);
	if (token.len && !bh_buf_add(&a->token, token))
		return no_memory(err);
	if (certificate.len) {
		bh_buf_clear(&a->certificate);
		bh_buf_clear(&a->key);
		if (!bh_buf_add(&a->certificate, certificate) || !bh_buf_add(&a->key, key))
			return no_memory(err);
	}
	return 0;
}

int cluster_plugin_run(struct cluster_access *a, struct bh_err *err)
{
	const struct cluster_plugin *p = a->plugin;
	BH_WITH(bh_buf_done) struct bh_buf info = { 0 };
	BH_WITH(bh_buf_wipe) struct bh_buf answer = { 0 };
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	int code = 0;
	bh_buf_init(&info, CLUSTER_SECRET_BYTES);
	bh_buf_init(&answer, ANSWER_BYTES_MAX);
	bool ok = tell(a, &info) && setenv("KUBERNETES_EXEC_INFO", (const char *)info.ptr, 1) == 0; /* of this process, which is the helper */
	for (size_t i = 0; ok && i < p->n_variables; i++)
		ok = setenv(p->variables[i].name, p->variables[i].value ? p->variables[i].value : "", 1) == 0;
	if (!ok)
		return no_memory(err);
	const struct bh_program program = { .argv = p->argv, .out = &answer };
	int rc = bh_program_run(&program, &code, complaint, err);
	if (rc < 0)
		return rc;
	if (code == BH_PROGRAM_MISSING)
		return bh_fail(err, BH_ENOTFOUND, 0, "the credential plug-in %s is not installed%s%.200s", p->argv[0], p->hint ? ": " : "", p->hint ? p->hint : "");
	if (code != 0)
		return bh_fail(err, BH_EIO, 0, "the credential plug-in %s ended with code %d: %s", p->argv[0], code, complaint);
	rc = take(a, bh_slice_trim(bh_buf_slice(&answer)), err);
	return rc < 0 ? bh_wrap(err, "the credential plug-in %s", p->argv[0]) : 0;
}
