/*
 * fuzz_kube.c: any input as manifests, and what stands behind a line "%%%" as policies, bindings and parameters, or policies of other engines: read,
 * compiled, asked about every object; every object is compared with the types of the API. A text that begins with "---" is one that helm rendered, one
 * with an origin Kustomize's. What a policy objects to has a place in the object it was asked about, or none.
 */
#include "kube/crd.h"
#include "kube/custom_pods.h"
#include "kube/import.h"
#include "kube/origin.h"
#include "kube/schema.h"
#include "kube/vap.h"

#include <stdlib.h>

#define MEMORY_BYTES_MAX (64u << 20)
#define REQUEST_BYTES_MAX (1u << 20)
#define POLICIES_MAX 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

struct asked {
	const struct kube_object *object;
};

static int on_result(void *ctx, const struct vap_result *result, struct bh_err *err)
{
	const struct asked *asked = ctx;
	struct bh_buf path;
	(void)err;
	bh_buf_init(&path, 4096);
	for (size_t i = 0; i < result->n_reads; i++)
		(void)kube_tree_find(asked->object->tree, result->reads[i].map, result->reads[i].field, &path);
	if (result->outcome == VAP_DENIED && result->message.len == 0)
		abort();
	bh_buf_done(&path);
	return 0;
}

static void ask(struct vap_policy *policy, const struct kube_object *o, const struct kube_world *world)
{
	struct bh_arena arena;
	struct kube_request request;
	struct bh_err err;
	struct asked asked = { o };
	bh_arena_init(&arena, REQUEST_BYTES_MAX);
	bool ok = bh_slice_eq_str(o->kind, "AdmissionReview") ? kube_request_of_review(o->value, &request, &err) == 0 :
								 kube_request_create(o, world, &arena, &request);
	if (ok)
		(void)!vap_review(policy, &request, world, on_result, &asked, &err);
	bh_arena_done(&arena);
}

static int on_fault(void *ctx, enum kube_fault fault, const void *container, struct bh_slice field, struct bh_slice message, struct bh_err *err)
{
	const struct kube_object *o = ctx;
	struct bh_buf path;
	(void)err;
	(void)fault;
	bh_buf_init(&path, 4096);
	if (!container || message.len == 0 || kube_tree_find(o->tree, container, field, &path) == 0)
		abort();
	bh_buf_done(&path);
	return 0;
}

/* What is wrong with a definition stands in its document, what is wrong with a resource in its own. */
static void compare_custom(const struct kube_object_vec *all)
{
	struct crds *crds = NULL;
	struct bh_err err;
	const struct kube_object *definition;
	enum crd_answer answer;
	if (crds_new(all, VAP_NEWEST_MINOR, &crds, &err) < 0)
		return;
	for (size_t i = 0; i < all->len; i++) {
		const struct kube_fault_taker taker = { on_fault, (void *)(uintptr_t)&all->ptr[i] };
		if (all->ptr[i].is_made)
			continue;
		(void)!crds_check(crds, &all->ptr[i], &taker, &answer, &definition, &err);
		(void)!crds_check_definition(crds, &all->ptr[i], &taker, &err);
	}
	crds_free(crds);
}

static void compare(const struct kube_object_vec *all)
{
	static struct kube_schema *schema;
	struct bh_err err;
	if (!schema && kube_schema_new(KUBE_SCHEMA_OLDEST_MINOR, &schema, &err) < 0)
		return;
	for (size_t i = 0; i < all->len; i++) {
		const struct kube_fault_taker taker = { on_fault, (void *)(uintptr_t)&all->ptr[i] };
		if (all->ptr[i].is_made)
			continue;
		(void)!kube_schema_check(schema, &all->ptr[i], &taker, &err);
	}
}

static struct bh_slice name_of(struct bh_slice manifests)
{
	if (bh_slice_starts(manifests, BH_SLICE_LIT("---")))
		return BH_SLICE_LIT("charts/web" KUBE_RENDERED);
	return bh_slice_search(manifests, "config.kubernetes.io/origin") ? BH_SLICE_LIT("prod/kustomization.yaml" KUBE_RENDERED) : BH_SLICE_LIT("manifests");
}

static void ask_all(const struct kube_object_vec *all, const struct kube_world *world)
{
	size_t asked = 0;
	struct bh_err err;
	for (size_t i = 0; i < all->len && asked < POLICIES_MAX; i++) {
		struct vap_policy *policy = NULL;
		struct bh_buf why;
		if (!bh_slice_eq_str(all->ptr[i].kind, "ValidatingAdmissionPolicy"))
			continue;
		asked++;
		bh_buf_init(&why, 64u << 10);
		if (vap_policy_new(&all->ptr[i], VAP_NEWEST_MINOR, &policy, &why, &err) == 0)
			for (size_t k = 0; k < all->len && k < 32; k++)
				ask(policy, &all->ptr[k], world);
		else if (err.code == BH_EMALFORMED && why.len == 0)
			abort();
		vap_policy_free(policy);
		bh_buf_done(&why);
	}
}

/* What was made of other engines' policies stands before the objects, so that it is asked. */
static void import_and_ask(const struct kube_object_vec *objects, const struct import *im)
{
	struct kube_object_vec all = { .max = 2 * KUBE_OBJECTS_MAX };
	struct kube_world world;
	struct bh_err err;
	bool ok = true;
	for (size_t i = 0; ok && i < im->made.len; i++)
		ok = kube_object_vec_push(&all, im->made.ptr[i]);
	for (size_t i = 0; ok && i < objects->len; i++)
		ok = kube_object_vec_push(&all, objects->ptr[i]);
	if (ok && kube_world_init(&world, &all, &err) == 0) {
		ask_all(&all, &world);
		kube_world_done(&world);
	}
	kube_object_vec_done(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice text = { data, size };
	const uint8_t *cut = bh_slice_search(text, "\n%%%\n");
	struct bh_slice manifests = { data, cut ? (size_t)(cut - data) + 1 : size };
	struct bh_slice policies = cut ? bh_slice_sub(text, manifests.len + 4, size) : (struct bh_slice){ 0 };
	struct kube_set *set;
	struct bh_err err;
	if (kube_set_new(MEMORY_BYTES_MAX, &set, &err) < 0)
		return 0;
	if (kube_set_read(set, name_of(manifests), manifests, &err) == 0 && kube_set_read(set, BH_SLICE_LIT("policies"), policies, &err) == 0
	    && kube_add_custom_pods(set, &err) == 0) {
		const struct kube_object_vec *all = kube_set_objects(set);
		compare(all);
		compare_custom(all);
		struct kube_world world;
		struct import im;
		import_init(&im);
		if (kube_world_init(&world, all, &err) == 0) {
			if (import_all(&im, all, &world, &err) == 0)
				import_and_ask(all, &im);
			kube_world_done(&world);
		}
		import_done(&im);
	}
	kube_set_free(set);
	return 0;
}
