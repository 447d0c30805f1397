#include "kube/rbac_admission.h"

#include <stdlib.h>

#include "kube/request.h"
#include "kube/vap.h"

#define ARENA_BYTES_MAX (64u << 20)
#define SET_BYTES_MAX (4u << 20) /* the pods of one namespace */
#define POLICIES_MAX 1000u
#define NAMESPACES_MAX 2000u     /* that are asked about; of more it is said that they weren't */
#define TEXT_BYTES_MAX 8192u

BH_VEC(policy_vec, struct vap_policy *)

struct rbac_admission {
	struct bh_arena arena;
	struct kube_world world;
	struct policy_vec policies;
	struct bh_map verdicts; /* namespace -> struct rbac_admission_verdict */
};

/* What a pod has beside the harmless one's, in its container and in its spec. */
static const struct way {
	const char *what, *context, *container, *spec;
} ways[] = {
	{ "harmless pods", "", "", "" },
	{ "privileged containers", ", privileged: true", "", "" },
	{ "folders of the node", "", ", volumeMounts: [{name: v, mountPath: /host}]", ", volumes: [{name: v, hostPath: {path: /}}]" },
	{ "the node's processes", "", "", ", hostPID: true" },
	{ "capabilities like SYS_ADMIN", "", "", "" },
};

#define WAYS (sizeof(ways) / sizeof(*ways))
#define WAY_CAPABILITIES (WAYS - 1)

/* As the restricted level wants it, with an image by its digest, and limits. */
static void print_pod(struct bh_buf *out, struct bh_slice namespace, size_t i)
{
	bool is_privileged = ways[i].context[0] != '\0';
	bh_buf_add_str(out, "---\n{apiVersion: v1, kind: Pod, metadata: {name: probe, namespace: ");
	bh_buf_add_json(out, namespace);
	bh_buf_printf(out,
		      ", labels: {app: probe}}, spec: {automountServiceAccountToken: false, securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: "
		      "{type: RuntimeDefault}}, containers: [{name: c, image: 'registry.example/probe@sha256:"
		      "0000000000000000000000000000000000000000000000000000000000000000', resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 10m, memory: 16Mi}}, "
		      "securityContext: {allowPrivilegeEscalation: %s, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]%s}%s}%s}]%s}}\n",
		      is_privileged ? "true" : "false", i == WAY_CAPABILITIES ? ", add: [SYS_ADMIN]" : "", ways[i].context, ways[i].container, ways[i].spec);
}

/* ---- policies ---- */

static int add_policy(struct rbac_admission *a, struct kube_asked *asked, const struct kube_object *o, struct bh_err *err)
{
	struct vap_policy *p = NULL;
	struct bh_buf why;
	struct bh_err ignored = { 0 };
	bh_buf_init(&why, TEXT_BYTES_MAX);
	int rc = vap_policy_new(o, VAP_NEWEST_MINOR, &p, &why, &ignored);
	if (rc < 0) {
		bh_buf_add_str(&why, why.len ? "" : ignored.text);
		rc = kube_say_gap(asked, o->file, o->line, bh_buf_slice(&why), err);
	} else if (!policy_vec_push(&a->policies, p)) {
		vap_policy_free(p);
		rc = bh_fail(err, BH_ELIMIT, 0, "more than %u admission policies", POLICIES_MAX);
	}
	bh_buf_done(&why);
	return rc;
}

/* Does a binding of the policy deny? Without one it does nothing in a cluster. */
static bool is_bound(const struct kube_world *world, const struct kube_object *policy)
{
	const struct kube_kind bindings = kube_world_kind(world, policy->group, BH_SLICE_LIT("ValidatingAdmissionPolicyBinding"));
	for (size_t i = 0; i < bindings.n; i++)
		if (bh_slice_eq(kube_text(bindings.objects[i]->value, "spec.policyName"), policy->name))
			return true;
	return false;
}

int rbac_admission_new(struct kube_asked *asked, const struct kube_object_vec *all, struct rbac_admission **ret, struct bh_err *err)
{
	struct rbac_admission *a = calloc(1, sizeof(*a));
	if (!a)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for admission policies");
	bh_arena_init(&a->arena, ARENA_BYTES_MAX);
	bh_map_init(&a->verdicts, NAMESPACES_MAX);
	a->policies.max = POLICIES_MAX;
	int rc = kube_world_init(&a->world, all, err);
	struct kube_kind policies = { 0 };
	if (rc == 0)
		policies = kube_world_kind(&a->world, BH_SLICE_LIT("admissionregistration.k8s.io"), BH_SLICE_LIT("ValidatingAdmissionPolicy"));
	for (size_t i = 0; rc == 0 && i < policies.n; i++)
		if (is_bound(&a->world, policies.objects[i]))
			rc = add_policy(a, asked, policies.objects[i], err);
	if (rc < 0)
		rbac_admission_free(a);
	else
		*ret = a;
	return rc;
}

void rbac_admission_free(struct rbac_admission *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->policies.len; i++)
		vap_policy_free(a->policies.ptr[i]);
	policy_vec_done(&a->policies);
	kube_world_done(&a->world);
	bh_map_done(&a->verdicts);
	bh_arena_done(&a->arena);
	free(a);
}

/* ---- asking ---- */

struct asking {
	bool denied, unknown;
};

static int take_result(void *ctx, const struct vap_result *result, struct bh_err *err)
{
	struct asking *a = ctx;
	(void)err;
	if (result->binding && (result->actions & VAP_DENY)) {
		a->denied |= result->outcome != VAP_UNKNOWN;
		a->unknown |= result->outcome == VAP_UNKNOWN;
	}
	return 0;
}

static int ask_policy(struct rbac_admission *a, struct vap_policy *p, const struct kube_object *pod, struct asking *ret, struct bh_err *err)
{
	struct bh_arena scratch;
	struct kube_request request;
	bh_arena_init(&scratch, SET_BYTES_MAX);
	*ret = (struct asking){ 0 };
	int rc = kube_request_create(pod, &a->world, &scratch, &request) ? vap_review(p, &request, &a->world, take_result, ret, err) :
									   bh_fail(err, BH_ENOMEM, 0, "out of memory for a probe");
	bh_arena_done(&scratch);
	return rc;
}

struct judging {
	struct bh_buf denied, left;
	bool shut[WAYS];
};

static void add(struct bh_buf *out, const char *before, const char *what)
{
	bh_buf_printf(out, "%s%s%s", out->len ? ", " : "", before, what);
}

/* One policy about all pods. */
static int judge_policy(struct rbac_admission *a, struct vap_policy *p, const struct kube_object_vec *pods, struct judging *j, struct bh_err *err)
{
	struct asking of[WAYS] = { 0 };
	size_t n = 0;
	bool unknown = false;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < WAYS; i++) {
		rc = ask_policy(a, p, &pods->ptr[i], &of[i], err);
		n += of[i].denied && !of[0].denied;
		unknown |= of[i].unknown;
	}
	const char *name = bh_arena_printf(&a->arena, "ValidatingAdmissionPolicy %.*s", BH_SLICE_FMT(vap_policy_object(p)->name));
	if (rc < 0 || !name)
		return rc < 0 ? rc : bh_fail(err, BH_ELIMIT, 0, "too many admission policies");
	if (unknown && n == 0 && !of[0].denied)
		add(&j->left, name, " depends on what is not known here");
	if (n == 0)
		return 0;
	add(&j->denied, name, " denies ");
	for (size_t i = 1, k = 0; i < WAYS; i++)
		if (of[i].denied) {
			bh_buf_printf(&j->denied, "%s%s", k++ ? ", " : "", ways[i].what);
			j->shut[i] = true;
		}
	return 0;
}

static char *text_of(struct rbac_admission *a, const struct bh_buf *text)
{
	return text->len ? bh_arena_strdup(&a->arena, bh_buf_slice(text)) : NULL;
}

static int judge(struct rbac_admission *a, const struct kube_object_vec *pods, struct rbac_admission_verdict *ret, struct bh_err *err)
{
	struct judging j = { 0 };
	int rc = 0;
	bh_buf_init(&j.denied, TEXT_BYTES_MAX);
	bh_buf_init(&j.left, TEXT_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < a->policies.len; i++)
		rc = judge_policy(a, a->policies.ptr[i], pods, &j, err);
	ret->is_shut = true;
	for (size_t i = 1; i < WAYS; i++)
		ret->is_shut &= j.shut[i];
	for (size_t i = 1, k = 0; j.denied.len && i < WAYS; i++)
		if (!j.shut[i])
			add(&j.left, k++ ? "nor " : "no policy denies ", ways[i].what);
	ret->denied = text_of(a, &j.denied);
	ret->left = text_of(a, &j.left);
	bh_buf_done(&j.denied);
	bh_buf_done(&j.left);
	return rc;
}

static int judge_namespace(struct rbac_admission *a, struct bh_slice namespace, struct rbac_admission_verdict *ret, struct bh_err *err)
{
	struct kube_set *set;
	struct bh_buf text;
	int rc = kube_set_new(SET_BYTES_MAX, &set, err);
	if (rc < 0)
		return rc;
	bh_buf_init(&text, WAYS * 4096);
	for (size_t i = 0; i < WAYS; i++)
		print_pod(&text, namespace, i);
	rc = text.failed ? bh_fail(err, BH_ELIMIT, 0, "the name of a namespace is too long") : kube_set_read(set, BH_SLICE_LIT("probe"), bh_buf_slice(&text), err);
	if (rc == 0 && kube_set_objects(set)->len == WAYS)
		rc = judge(a, kube_set_objects(set), ret, err);
	bh_buf_done(&text);
	kube_set_free(set);
	return rc;
}

int rbac_admission_in(struct rbac_admission *a, struct bh_slice namespace, const struct rbac_admission_verdict **ret, struct bh_err *err)
{
	static const struct rbac_admission_verdict nothing = { 0 }, too_many = { .left = "admission policies were not weighed here: too many namespaces" };
	struct bh_slice key;
	if (a->policies.len == 0 || (*ret = bh_map_get(&a->verdicts, namespace))) {
		*ret = a->policies.len ? *ret : &nothing;
		return 0;
	}
	*ret = &too_many;
	if (a->verdicts.len >= NAMESPACES_MAX)
		return 0;
	struct rbac_admission_verdict *v = BH_ARENA_NEW(&a->arena, struct rbac_admission_verdict);
	void **at = v && bh_arena_copy(&a->arena, namespace, &key) ? bh_map_put(&a->verdicts, key) : NULL;
	if (!at)
		return bh_fail(err, BH_ELIMIT, 0, "too many namespaces with admission policies");
	int rc = judge_namespace(a, namespace, v, err);
	*at = v;
	*ret = v;
	return rc;
}
