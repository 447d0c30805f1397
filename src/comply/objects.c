#include "comply/objects.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "comply/settings.h"
#include "kube/workload.h"

#define NAMESPACES_MAX 20000u

#define CRITICAL BH_SEV_CRITICAL
#define HIGH BH_SEV_HIGH
#define MEDIUM BH_SEV_MEDIUM
#define LOW BH_SEV_LOW

typedef int objects_question(struct node *n, struct comply_row *row, struct bh_err *err);

static objects_question ask_policy_mechanism, ask_network_plugin, ask_network_policies;

static const struct {
	const char *check;
	objects_question *ask;
	enum bh_severity severity;
	const char *fix;
} questions[] = {
#define OBJECTS(check, function, severity, fix) { check, ask_##function, severity, fix },
#include "objects.def"
#undef OBJECTS
};
#define N_QUESTIONS (sizeof(questions) / sizeof(questions[0]))

bool node_objects_facts(struct bh_slice check, enum bh_severity *severity, const char **fix)
{
	for (size_t i = 0; i < N_QUESTIONS; i++)
		if (bh_slice_eq_str(check, questions[i].check)) {
			*severity = questions[i].severity;
			*fix = questions[i].fix;
			return true;
		}
	return false;
}

static bool is_kind(const struct kube_object *o, const char *group, const char *kind)
{
	return bh_slice_eq_str(o->kind, kind) && bh_slice_eq_str(o->group, group);
}

static bool enforces_pod_security(const struct kube_object *o)
{
	struct cel_value labels = kube_path(o->value, "metadata.labels");
	const struct cel_value *v = labels.kind == CEL_MAP ? cel_map_field(labels.map, BH_SLICE_LIT("pod-security.kubernetes.io/enforce")) : NULL;
	return v && v->kind == CEL_STRING && (bh_slice_eq_str(v->text, "baseline") || bh_slice_eq_str(v->text, "restricted"));
}

/* Namespaces of the cluster itself, and those to leave out. */
static bool is_left_out(const struct node *n, struct bh_slice namespace)
{
	static const char *const names[] = { "kube-system", "kube-public", "kube-node-lease", NULL };
	bool out = bh_slice_is_one_of(namespace, names);
	for (size_t i = 0; !out && i < n->options->n_without; i++)
		out = bh_slice_eq_str(namespace, n->options->without[i]);
	return out;
}

/* An admission policy with a binding, a webhook that validates, or the label on every namespace of users. */
static int ask_policy_mechanism(struct node *n, struct comply_row *row, struct bh_err *err)
{
	const struct kube_object *without = NULL;
	size_t namespaces = 0;
	for (size_t i = 0; i < n->objects->len; i++) {
		const struct kube_object *o = &n->objects->ptr[i];
		if (is_kind(o, "admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding")
		    || is_kind(o, "admissionregistration.k8s.io", "ValidatingWebhookConfiguration")) {
			row->file = o->file;
			row->line = o->line;
			return node_say(n, row, COMPLY_PASS, err, "%.*s %.*s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->name));
		}
		if (!is_kind(o, "", "Namespace") || is_left_out(n, o->name))
			continue;
		namespaces++;
		if (!enforces_pod_security(o) && !without)
			without = o;
	}
	if (without) {
		row->file = without->file;
		row->line = without->line;
		return node_say(n, row, COMPLY_FAIL, err, "no admission policy is bound, no webhook validates, and the namespace %.*s enforces no level of pod security",
				BH_SLICE_FMT(without->name));
	}
	return namespaces ? node_say(n, row, COMPLY_PASS, err, "every namespace enforces a level of pod security") :
			    node_say(n, row, COMPLY_UNCHECKED, err, "neither policies nor namespaces were given");
}

/* By the names of their DaemonSets, as their own manifests have them. */
static int ask_network_plugin(struct node *n, struct comply_row *row, struct bh_err *err)
{
	static const char *const enforcing[] = { "calico-node", "canal", "cilium", "antrea-agent", "kube-router", "weave-net", "ovnkube-node", "kube-ovn-cni",
						 "rke2-canal", "rke2-cilium", "rke2-calico", "azure-npm", "anetd", NULL };
	static const char *const others[] = { "kube-flannel-ds", "kube-flannel", "kindnet", NULL };
	const struct kube_object *other = NULL;
	for (size_t i = 0; i < n->objects->len; i++) {
		const struct kube_object *o = &n->objects->ptr[i];
		if (!is_kind(o, "apps", "DaemonSet"))
			continue;
		if (bh_slice_is_one_of(o->name, enforcing)) {
			row->file = o->file;
			row->line = o->line;
			return node_say(n, row, COMPLY_PASS, err, "the network plug-in is %.*s", BH_SLICE_FMT(o->name));
		}
		other = bh_slice_is_one_of(o->name, others) ? o : other;
	}
	if (other) {
		row->file = other->file;
		row->line = other->line;
		return node_say(n, row, COMPLY_FAIL, err, "the network plug-in is %.*s, which enforces no network policies", BH_SLICE_FMT(other->name));
	}
	return node_say(n, row, COMPLY_LOOK, err, "look at the network plug-in: none that is known is among the DaemonSets");
}

/* Namespaces in which something runs. */
static int collect_namespaces(struct node *n, struct bh_map *all, struct bh_err *err)
{
	for (size_t i = 0; i < n->objects->len; i++) {
		const struct kube_object *o = &n->objects->ptr[i];
		if (kube_pod_of(o).kind != CEL_MAP)
			continue;
		struct bh_slice namespace = o->namespace.len ? o->namespace : BH_SLICE_LIT("default");
		if (is_left_out(n, namespace))
			continue;
		void **at = bh_map_put(all, namespace);
		if (!at)
			return node_no_memory(err);
		if (!*at)
			*at = (void *)(uintptr_t)o;
	}
	return 0;
}

static bool has_network_policy(const struct node *n, struct bh_slice namespace)
{
	for (size_t i = 0; i < n->objects->len; i++) {
		const struct kube_object *o = &n->objects->ptr[i];
		if (is_kind(o, "networking.k8s.io", "NetworkPolicy") && bh_slice_eq(o->namespace.len ? o->namespace : BH_SLICE_LIT("default"), namespace))
			return true;
		if (is_kind(o, "policy.networking.k8s.io", "BaselineAdminNetworkPolicy") || is_kind(o, "policy.networking.k8s.io", "ClusterNetworkPolicy"))
			return true;
	}
	return false;
}

static int ask_network_policies(struct node *n, struct comply_row *row, struct bh_err *err)
{
	struct bh_map all;
	size_t without = 0;
	bh_map_init(&all, NAMESPACES_MAX);
	int rc = collect_namespaces(n, &all, err);
	for (size_t i = 0; rc == 0 && i < all.len; i++) {
		const struct kube_object *first = all.entries[i].value;
		if (has_network_policy(n, all.entries[i].key))
			continue;
		without++;
		row->file = first->file;
		row->line = first->line;
		rc = node_say(n, row, COMPLY_FAIL, err, "the namespace %.*s has no NetworkPolicy", BH_SLICE_FMT(all.entries[i].key));
	}
	if (rc == 0 && all.len == 0)
		rc = node_say(n, row, COMPLY_NOT_APPLICABLE, err, "no namespace with workloads was given");
	else if (rc == 0 && without == 0)
		rc = node_say(n, row, COMPLY_PASS, err, "all namespaces with workloads have network policies (%zu)", all.len);
	bh_map_done(&all);
	return rc;
}

int node_check_objects(struct node *n, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && n->objects->len && i < N_QUESTIONS; i++) {
		struct comply_row row = { .check = bh_slice_str(questions[i].check) };
		rc = questions[i].ask(n, &row, err);
	}
	return rc;
}
