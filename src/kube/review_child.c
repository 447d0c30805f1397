/* review_child.c: the sandboxed side of a review: bytes -> objects -> policies -> messages. */
#include "kube/review_child.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "kube/crd.h"
#include "kube/custom_pods.h"
#include "kube/dockerfile.h"
#include "kube/import.h"
#include "kube/map.h"
#include "kube/mend.h"
#include "kube/nulls.h"
#include "kube/origin.h"
#include "kube/owned.h"
#include "kube/patch.h"
#include "kube/rbac.h"
#include "kube/rules.h"
#include "kube/schema.h"
#include "kube/shellcheck.h"
#include "kube/vap.h"
#include "model/wire.h"

#define OWN_API "bulkhead.io/v1" /* docs/formats/docker-facts.md */
#define SET_BYTES_MAX (1024u << 20)
#define REQUEST_BYTES_MAX (64u << 20)
#define PATCH_BYTES_MAX (64u << 20) /* what finding a patch may need */
#define ALLOWANCES_MAX 10000u /* of one file */
#define POLICIES_MAX 2000u
#define PATH_BYTES_MAX 2048u
#define UNTYPED_KINDS_MAX 10000u
#define UNTYPED_BYTES_MAX (64u << 20)
#define UNTYPED_KIND_BYTES_MAX 512u
#define UNTYPED_KINDS_SHOWN 8u
#define BOUND_ERRORS_MAX 1u /* of one kind and policy: the others say the same */

struct policy {
	struct vap_policy *vap;
	struct bh_slice check, fix; /* the id of its findings */
	enum bh_severity severity;
	unsigned n_unbound;         /* how often it could not be asked */
	uint64_t n_unknown;         /* answers that are none */
};
BH_VEC(policy_vec, struct policy)

/* Comments of a file that accept findings. */
struct allowing {
	struct bh_slice file;
	struct bh_allowance_vec all;
};

BH_VEC(allowing_vec, struct allowing)

struct child {
	const struct kube_review_options *options;
	struct bh_channel *ch;
	struct bh_buf frame;
	struct kube_set *manifests, *policies, *rules;
	struct intake_text_vec texts;
	struct allowing_vec allowing;
	struct shellcheck *shell; /* NULL: it is not asked */
	struct policy_vec ready;
	struct kube_object_vec all;
	struct kube_world world; /* of everything: bindings, parameters and namespaces */
	struct import imported;  /* what policies of other engines amount to */
	const struct kube_object *object; /* that is reviewed */
	struct kube_copy_vec copies;      /* parts of it that were made anew */
	struct policy *policy;            /* that is asked */
	struct bh_buf path;
	struct owned owned;
	uint64_t n_without, n_bootstrap; /* objects that were passed over */
	struct kube_mender *mender;
	struct kube_schema *schema;      /* NULL: not asked for */
	struct crds *crds;               /* beside the schema */
	const struct kube_object *definition; /* whose schema the object is compared with; NULL: Kubernetes' own */
	uint64_t n_untyped;
	struct bh_map untyped;           /* their kinds: the first object of each */
	struct bh_arena untyped_arena;
	uint64_t n_open;                 /* checks of pods that operators complete which could not be decided */
	bool is_removed;                 /* a policy said that the API of the object is gone */
	struct bh_arena arena; /* of the request */
	struct bh_arena patch_arena;
};

/* ---- messages ---- */

static void put_text(struct bh_buf *b, struct bh_slice s)
{
	bh_wire_put_slice(b, bh_slice_sub(s, 0, REVIEW_TEXT_BYTES_MAX));
}

static bool get_text(struct bh_reader *r, struct bh_slice *out)
{
	return bh_wire_get_slice(r, REVIEW_TEXT_BYTES_MAX, out);
}

bool review_put_finding(struct bh_buf *b, const struct review_finding *f)
{
	bh_wire_put_u8(b, f->severity);
	bh_wire_put_u32(b, f->line);
	put_text(b, f->id);
	put_text(b, f->message);
	put_text(b, f->file);
	put_text(b, f->evidence);
	put_text(b, f->fix);
	put_text(b, f->policy);
	bh_wire_put_u8(b, f->patch_level);
	put_text(b, f->patch);
	put_text(b, f->patch_may_break);
	bh_wire_put_u8(b, f->allow);
	put_text(b, f->allow_reason);
	return !b->failed;
}

bool review_get_finding(struct bh_slice frame, struct review_finding *ret)
{
	struct bh_reader r = bh_reader_of(frame);
	struct review_finding f;
	if (!bh_take_u8(&r, &f.severity) || f.severity > BH_SEV_CRITICAL || !bh_take_u32le(&r, &f.line) || !get_text(&r, &f.id) || !get_text(&r, &f.message)
	    || !get_text(&r, &f.file) || !get_text(&r, &f.evidence) || !get_text(&r, &f.fix) || !get_text(&r, &f.policy) || !bh_take_u8(&r, &f.patch_level)
	    || f.patch_level > BH_PATCH_ALL || !get_text(&r, &f.patch) || !get_text(&r, &f.patch_may_break) || !bh_take_u8(&r, &f.allow)
	    || f.allow > BH_ALLOWED || !get_text(&r, &f.allow_reason))
		return false;
	*ret = f;
	return bh_reader_left(&r) == 0;
}

static int send_frame(struct child *c, enum review_message type, struct bh_err *err)
{
	int rc = c->frame.failed ? bh_fail(err, BH_ELIMIT, 0, "a finding is larger than a message may be") :
				   bh_channel_send(c->ch, (uint16_t)type, bh_buf_slice(&c->frame), err);
	bh_buf_clear(&c->frame);
	return rc;
}

static int say_unchecked(struct child *c, const char *what, struct bh_slice file, uint32_t line, struct bh_slice reason, struct bh_err *err)
{
	put_text(&c->frame, bh_slice_str(what));
	put_text(&c->frame, file);
	bh_wire_put_u32(&c->frame, line);
	put_text(&c->frame, reason);
	return send_frame(c, REVIEW_SAY_UNCHECKED, err);
}

/* ---- reading ---- */

static const char *role_name(uint8_t role)
{
	return role == REVIEW_POLICY ? "policy" : "manifest";
}

static int take_allowances(struct child *c, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct allowing file = { .all.max = ALLOWANCES_MAX };
	bool ok = bh_allow_find(text, &file.all);
	if (ok && file.all.len == 0)
		return 0;
	if (ok && bh_arena_copy(kube_set_arena(c->manifests), name, &file.file) && allowing_vec_push(&c->allowing, file))
		return 0;
	bh_allowance_vec_done(&file.all);
	return bh_fail(err, BH_ELIMIT, 0, "%.*s: more than %u comments that accept findings", BH_SLICE_FMT(bh_slice_sub(name, 0, 200)), ALLOWANCES_MAX);
}

static int take_script(struct child *c, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct bh_slice kept;
	return bh_arena_copy(kube_set_arena(c->manifests), name, &kept) ? shellcheck_add(c->shell, kept, text, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory for the names of files");
}

static int take(void *ctx, uint8_t role, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct child *c = ctx;
	int rc = role == REVIEW_MANIFEST ? take_allowances(c, name, text, err) : 0;
	if (rc < 0)
		return rc;
	if (c->shell && role == REVIEW_MANIFEST && kube_dockerfile.knows_text(NULL, name, text))
		rc = take_script(c, name, text, err);
	return rc < 0 ? rc : kube_set_read(role == REVIEW_POLICY ? c->policies : c->manifests, name, text, err);
}

static int unreadable(void *ctx, uint8_t role, struct bh_slice name, const struct bh_err *why, struct bh_err *err)
{
	return say_unchecked(ctx, role_name(role), name, 0, bh_slice_str(why->text), err);
}

static int tell_problems(struct child *c, const struct kube_set *set, const char *what, struct bh_err *err)
{
	const struct kube_problem_vec *problems = kube_set_problems(set);
	for (size_t i = 0; i < problems->len; i++) {
		int rc = say_unchecked(c, what, problems->ptr[i].file, problems->ptr[i].line, problems->ptr[i].text, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- policies ---- */

static bool is_policy(const struct kube_object *o)
{
	return bh_slice_eq_str(o->kind, "ValidatingAdmissionPolicy") && bh_slice_eq_str(o->group, "admissionregistration.k8s.io");
}

static int say_wrong(struct child *c, const struct kube_object *policy, struct bh_slice why, struct bh_err *err)
{
	bh_buf_printf(&c->path, "policy %.*s: ", BH_SLICE_FMT(policy->name));
	bh_buf_add(&c->path, why);
	int rc = say_unchecked(c, "policy", policy->file, policy->line, bh_buf_slice(&c->path), err);
	bh_buf_clear(&c->path);
	return rc;
}

static int add_policy(struct child *c, const struct kube_object *o, unsigned minor, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf why = { 0 };
	struct policy p = { .severity = BH_SEV_MEDIUM };
	bh_buf_init(&why, 64u << 10);
	int rc = vap_policy_new(o, minor, &p.vap, &why, err);
	if (rc == BH_EMALFORMED) {
		const char *hint = import_hint(o, bh_buf_slice(&why));
		if (hint)
			bh_buf_add_str(&why, hint);
		return say_wrong(c, o, bh_buf_slice(&why), err);
	}
	if (rc < 0)
		return rc;
	p.check = kube_rule_says(o, "labels", "bulkhead.io/check");
	p.check = p.check.len ? p.check : o->name;
	p.fix = kube_rule_says(o, "annotations", "bulkhead.io/fix");
	(void)bh_severity_parse(kube_rule_says(o, "annotations", "bulkhead.io/severity"), &p.severity);
	if (policy_vec_push(&c->ready, p))
		return 0;
	vap_policy_free(p.vap);
	return bh_fail(err, BH_ELIMIT, 0, "more than %u policies", POLICIES_MAX);
}

/* Does a rule of the level say the same and more? */
static bool is_overridden(const struct child *c, const struct kube_object *o)
{
	const struct kube_object_vec *rules = kube_set_objects(c->rules);
	struct bh_slice check = kube_rule_says(o, "labels", "bulkhead.io/check");
	for (size_t i = 0; c->options->level == KUBE_LEVEL_RESTRICTED && i < rules->len; i++)
		if (kube_rule_is_for(&rules->ptr[i], c->options->minor) && bh_slice_eq(kube_rule_says(&rules->ptr[i], "annotations", "bulkhead.io/overrides"), check))
			return true;
	return false;
}

/* Functions whose code is not here, so that nobody has looked at it. */
static uint64_t functions_without_code(const struct child *c)
{
	const struct kube_kind all = kube_world_kind(&c->world, BH_SLICE_LIT("bulkhead.io"), BH_SLICE_LIT("Function"));
	uint64_t n = 0;
	for (size_t i = 0; i < all.n; i++)
		n += kube_path(all.objects[i]->value, "spec.code").kind != CEL_MAP;
	return n;
}

/* Sets of policies about what is no object of Kubernetes: they are asked only where there is one of that kind. */
static const struct {
	const char *set, *kind;
} foreign_sets[] = { { "serverless", "Function" }, { "dockerfile", "Dockerfile" }, { "compose", "ComposeService" }, { "image", "ContainerImage" } };

/* The kind that a set is about; NULL: it is about objects of Kubernetes. */
static const char *foreign_kind(struct bh_slice set)
{
	for (size_t i = 0; i < sizeof(foreign_sets) / sizeof(foreign_sets[0]); i++)
		if (bh_slice_eq_str(set, foreign_sets[i].set))
			return foreign_sets[i].kind;
	return NULL;
}

/* Is the built-in policy asked for? */
static bool is_wanted(const struct child *c, const struct kube_object *o)
{
	struct bh_slice set = kube_rule_says(o, "labels", "bulkhead.io/set");
	const char *kind = foreign_kind(set);
	if (kind)
		return !c->options->no_hardening && kube_world_kind(&c->world, BH_SLICE_LIT("bulkhead.io"), bh_slice_str(kind)).n > 0;
	if (c->options->every_policy || bh_slice_eq_str(set, "compliance") || bh_slice_eq_str(set, "docker"))
		return c->options->every_policy;
	if (bh_slice_eq_str(set, "hardening"))
		return !c->options->no_hardening;
	if (bh_slice_eq_str(set, "pod-security-restricted"))
		return c->options->level == KUBE_LEVEL_RESTRICTED;
	return c->options->level != KUBE_LEVEL_NONE && !is_overridden(c, o);
}

static int add_rules(struct child *c, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_rules_count; i++)
		rc = kube_rule_mends(&kube_rules[i]) ? 0 : kube_set_read(c->rules, bh_slice_str(kube_rules[i].file), bh_slice_str(kube_rules[i].text), err);
	const struct kube_object_vec *rules = kube_set_objects(c->rules);
	for (size_t i = 0; rc == 0 && i < rules->len; i++)
		if (is_policy(&rules->ptr[i]) && is_wanted(c, &rules->ptr[i]) && kube_rule_is_for(&rules->ptr[i], c->options->minor))
			rc = add_policy(c, &rules->ptr[i], VAP_NEWEST_MINOR, err); /* they are ours: old clusters don't limit their text */
	return rc < 0 ? rc : tell_problems(c, c->rules, "policy", err);
}

static int add_mutating(struct child *c, const struct kube_object *o, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf why = { 0 };
	bh_buf_init(&why, 64u << 10);
	int rc = kube_mender_add(c->mender, o, &why, err);
	return rc == BH_EMALFORMED ? say_wrong(c, o, bh_buf_slice(&why), err) : rc;
}

/* Of several that were made of one document the first that is wrong is told, and the others are left out. */
static int add_imported(struct child *c, struct bh_err *err)
{
	struct bh_slice refused = { 0 };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->imported.made.len; i++) {
		const struct kube_object *o = &c->imported.made.ptr[i];
		size_t before = c->ready.len;
		if (!is_policy(o) || !kube_rule_is_for(o, c->options->minor) || bh_slice_eq(o->name, refused))
			continue;
		rc = add_policy(c, o, c->options->minor, err);
		refused = c->ready.len == before ? o->name : refused;
	}
	return rc;
}

static int add_policies(struct child *c, struct bh_err *err)
{
	const struct kube_object_vec *objects = kube_set_objects(c->policies);
	int rc = tell_problems(c, c->policies, "policy", err);
	for (size_t i = 0; rc == 0 && i < objects->len; i++)
		if (is_policy(&objects->ptr[i]) && kube_rule_is_for(&objects->ptr[i], c->options->minor))
			rc = add_policy(c, &objects->ptr[i], c->options->minor, err);
		else if (map_is_policy(&objects->ptr[i]) && kube_rule_is_for(&objects->ptr[i], c->options->minor))
			rc = add_mutating(c, &objects->ptr[i], err);
	rc = rc < 0 ? rc : add_imported(c, err);
	for (size_t i = 0; rc == 0 && i < c->imported.notes.len; i++) {
		const struct import_note *n = &c->imported.notes.ptr[i];
		rc = say_unchecked(c, "policy", n->object->file, n->line, n->text, err);
	}
	return rc;
}

/* What is made of policies belongs to the world, too. */
static int import_policies(struct child *c, struct bh_err *err)
{
	int rc = import_all(&c->imported, kube_set_objects(c->policies), &c->world, err);
	if (rc < 0 || c->imported.made.len == 0)
		return rc;
	for (size_t i = 0; i < c->imported.made.len; i++)
		if (!kube_object_vec_push(&c->all, c->imported.made.ptr[i]))
			return bh_fail(err, BH_ELIMIT, 0, "more than %u objects", KUBE_OBJECTS_MAX);
	kube_world_done(&c->world);
	return kube_world_init(&c->world, &c->all, err);
}

/* ---- reviewing ---- */

/* "Deployment shop/web: spec.template.spec.containers[0].image" */
static void describe_path(struct child *c, struct bh_slice path)
{
	bh_buf_clear(&c->path);
	kube_object_print(&c->path, c->object);
	if (path.len) {
		bh_buf_add_str(&c->path, ": ");
		bh_buf_add(&c->path, path);
	}
}

static void describe(struct child *c, uint32_t *line, const struct vap_result *result)
{
	const struct kube_object *o = c->object;
	BH_WITH(bh_buf_done) struct bh_buf path = { 0 };
	bh_buf_init(&path, PATH_BYTES_MAX);
	uint32_t found = 0;
	for (size_t i = 0; found == 0 && i < result->n_reads; i++)
		found = kube_tree_find(o->tree, kube_original_of(&c->copies, result->reads[i].map), result->reads[i].field, &path);
	*line = found && o->line ? found : o->line;
	describe_path(c, bh_buf_slice(&path));
}

/* What comments at its line say of the finding. The last one that is about it counts. */
static void find_allowance(const struct child *c, struct review_finding *f)
{
	for (size_t i = 0; i < c->allowing.len; i++)
		for (size_t k = 0; bh_slice_eq(c->allowing.ptr[i].file, f->file) && k < c->allowing.ptr[i].all.len; k++) {
			const struct bh_allowance *a = &c->allowing.ptr[i].all.ptr[k];
			struct bh_slice reason;
			enum bh_allow allow = f->line >= a->first && f->line <= a->last ? bh_allow_in(a->comment, f->id, &reason) : BH_NOT_ALLOWED;
			if (allow == BH_NOT_ALLOWED)
				continue;
			f->allow = (uint8_t)allow;
			f->allow_reason = reason;
		}
}

/* In a rendered text the file is the template, whose lines are others: the line goes to where the evidence, c->path, is described. */
static int send_finding(struct child *c, struct review_finding *f, struct bh_err *err)
{
	if (kube_is_rendered(f->file, &f->file)) {
		bh_buf_printf(&c->path, KUBE_RENDERED_LINE, f->line);
		f->evidence = bh_buf_slice(&c->path);
		f->line = 0;
	}
	find_allowance(c, f);
	return review_put_finding(&c->frame, f) ? send_frame(c, REVIEW_SAY_FINDING, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory for a finding");
}

/* With the least that may break. An object that is too large for it has none. */
static int mend(struct child *c, struct review_finding *f, struct kube_mended *ret, struct bh_err *err)
{
	struct kube_cure cure;
	struct bh_err why = { 0 };
	struct kube_mend_wish wish = { .object = c->object, .checks = &f->id, .n_checks = 1, .arena = &c->patch_arena };
	int rc = kube_mender_cure(c->mender, f->id, &cure, err);
	bh_arena_clear(&c->patch_arena);
	for (unsigned level = KUBE_MEND_SAFE; rc == 0 && ret->steps.kind == CEL_NULL && level <= KUBE_MEND_ALL; level++) {
		if (!cure.is_there[level])
			continue;
		wish.level = (enum kube_mend_level)level;
		if (kube_mend(c->mender, &wish, ret, &why) < 0)
			return 0;
		f->patch_level = (uint8_t)level;
		f->patch_may_break = level == KUBE_MEND_ALL ? cure.may_break : (struct bh_slice){ 0 };
	}
	return rc;
}

/* What was made of a text has no patch of its own: what can be done is told, and done to the text. */
static int find_cure_of_text(struct child *c, struct review_finding *f, struct bh_err *err)
{
	struct kube_cure cure;
	int rc = kube_mender_cure(c->mender, f->id, &cure, err);
	for (unsigned level = KUBE_MEND_ALL; rc == 0 && level >= KUBE_MEND_SAFE; level--)
		if (cure.is_there[level])
			f->patch_level = (uint8_t)level;
	if (rc == 0 && f->patch_level == BH_PATCH_ALL)
		f->patch_may_break = cure.may_break;
	return rc;
}

/* The patch is of the object alone, as kubectl patch takes it. */
static int find_patch(struct child *c, struct review_finding *f, struct bh_buf *text, struct bh_err *err)
{
	struct kube_mended mended = { .steps = cel_null() };
	if (c->options->patches && c->object->is_made)
		return find_cure_of_text(c, f, err);
	if (!c->options->patches || bh_slice_eq_str(c->object->kind, "AdmissionReview"))
		return 0;
	int rc = mend(c, f, &mended, err);
	if (rc == 0 && mended.steps.kind == CEL_LIST) {
		kube_print_json(text, mended.steps);
		if (!text->failed)
			f->patch = bh_buf_slice(text);
	} else {
		f->patch_level = BH_PATCH_NONE;
		f->patch_may_break = (struct bh_slice){ 0 };
	}
	return rc;
}

/* A binding that was a policy of its own (Gatekeeper's constraint) is named, as its engine does: "[constraint] message". */
static struct bh_slice message_of(const struct vap_result *result, struct bh_buf *b)
{
	if (!result->binding || !import_is_template(vap_policy_object(result->policy)))
		return result->message;
	bh_buf_add_byte(b, '[');
	bh_buf_add(b, result->binding->name);
	bh_buf_add_str(b, "] ");
	bh_buf_add(b, result->message);
	return b->failed ? result->message : bh_buf_slice(b);
}

/* What a daemon did not tell is not known: no key, no verdict. An object of Kubernetes would be refused. */
static bool is_open(const struct child *c, const struct vap_result *result)
{
	bool of_daemon = bh_slice_eq_str(c->object->group, "bulkhead.io") && bh_slice_starts(c->object->kind, BH_SLICE_LIT("Docker"));
	return result->outcome == VAP_UNKNOWN || (result->outcome == VAP_FAILED && of_daemon);
}

static int on_result(void *ctx, const struct vap_result *result, struct bh_err *err)
{
	struct child *c = ctx;
	uint32_t line;
	describe(c, &line, result);
	c->is_removed |= bh_slice_eq_str(c->policy->check, "k8s-removed-api");
	if (is_open(c, result)) {
		c->policy->n_unknown++;
		c->n_open += c->object->is_partial;
		if (c->object->is_partial) /* its operator tells, which is not here: counted */
			return 0;
		BH_WITH(bh_buf_done) struct bh_buf reason = { 0 };
		bh_buf_init(&reason, REVIEW_TEXT_BYTES_MAX);
		bh_buf_printf(&reason, "policy %.*s on %.*s: %.*s", BH_SLICE_FMT(c->policy->check), BH_SLICE_FMT(bh_buf_slice(&c->path)),
			      BH_SLICE_FMT(result->message));
		return say_unchecked(c, "object", c->object->file, line, bh_buf_slice(&reason), err);
	}
	bool told = false;
	int rc = owned_tell(&c->owned, c->object, c->policy->check, &told, err);
	if (rc < 0 || told)
		return rc;
	BH_WITH(bh_buf_done) struct bh_buf message = { 0 };
	bh_buf_init(&message, REVIEW_TEXT_BYTES_MAX * 2);
	struct review_finding f = {
		.severity = (uint8_t)(result->actions & VAP_DENY ? c->policy->severity : result->actions & VAP_WARN ? BH_SEV_LOW : BH_SEV_NEGLIGIBLE),
		.line = line,
		.id = c->policy->check,
		.message = message_of(result, &message),
		.file = c->object->file,
		.evidence = bh_buf_slice(&c->path),
		.fix = c->policy->fix,
		.policy = vap_policy_object(c->policy->vap)->file,
	};
	BH_WITH(bh_buf_done) struct bh_buf patch = { 0 };
	bh_buf_init(&patch, REVIEW_TEXT_BYTES_MAX);
	rc = find_patch(c, &f, &patch, err);
	return rc < 0 ? rc : send_finding(c, &f, err);
}

/* ---- types ---- */

static int on_fault(void *ctx, enum kube_fault fault, const void *container, struct bh_slice field, struct bh_slice message, struct bh_err *err)
{
	struct child *c = ctx;
	const struct kube_object *o = c->object;
	BH_WITH(bh_buf_done) struct bh_buf path = { 0 };
	bh_buf_init(&path, PATH_BYTES_MAX);
	if (fault == KUBE_FAULT_KIND && c->is_removed)
		return 0;
	uint32_t line = kube_tree_find(o->tree, container, field, &path);
	describe_path(c, bh_buf_slice(&path));
	struct review_finding f = {
		.severity = (uint8_t)kube_fault_kinds[fault].severity,
		.line = line && o->line ? line : o->line,
		.id = bh_slice_str(kube_fault_kinds[fault].id),
		.message = message,
		.file = o->file,
		.evidence = bh_buf_slice(&c->path),
		.fix = bh_slice_str(kube_fault_kinds[fault].fix),
		.policy = c->definition ? c->definition->file : BH_SLICE_LIT("data/kubernetes/schema.txt"),
	};
	return send_finding(c, &f, err);
}

/* A kind that nobody defines here, or nobody rightly: told with the counts. */
static int note_untyped(struct child *c, const struct kube_object *o, bool is_broken, struct bh_err *err)
{
	char text[UNTYPED_KIND_BYTES_MAX];
	int n = snprintf(text, sizeof(text), "%.*s of %.*s%s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->api_version), is_broken ? " (it is wrong)" : "");
	struct bh_slice kind = { (const uint8_t *)text, n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 }, copy;
	c->n_untyped++;
	if (bh_map_get(&c->untyped, kind) || c->untyped.len == UNTYPED_KINDS_MAX)
		return 0;
	void **at = bh_arena_copy(&c->untyped_arena, kind, &copy) ? bh_map_put(&c->untyped, copy) : NULL;
	if (!at)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the kinds of custom resources");
	*at = c;
	return 0;
}

static int compare_custom(struct child *c, const struct kube_object *o, const struct kube_fault_taker *taker, struct bh_err *err)
{
	enum crd_answer answer;
	struct bh_err why = { 0 };
	int rc = crds_check(c->crds, o, taker, &answer, &c->definition, &why);
	if (rc < 0) {
		*err = why;
		return rc;
	}
	if (answer == CRD_GIVEN_UP)
		return say_unchecked(c, "object", o->file, o->line, bh_slice_str(why.text), err);
	if (answer != CRD_COMPARED)
		return note_untyped(c, o, answer == CRD_BROKEN, err);
	c->definition = NULL;
	return kube_schema_check_metadata(c->schema, o, taker, err);
}

/* What lives in a cluster was taken by its API server; reviews, reports, what daemons and images tell and what was made of other objects are no objects of Kubernetes. */
static int compare_object(struct child *c, const struct kube_object *o, struct bh_err *err)
{
	const struct kube_fault_taker taker = { on_fault, c };
	if (!c->schema || kube_is_live(o->file) || bh_slice_eq_str(o->kind, "AdmissionReview") || o->is_made
	    || bh_slice_starts(o->api_version, BH_SLICE_LIT(KUBE_REPORT_SCHEMA)) || bh_slice_eq_str(o->api_version, OWN_API))
		return 0;
	c->definition = NULL;
	int rc = kube_schema_check(c->schema, o, &taker, err);
	if (rc == 0)
		return compare_custom(c, o, &taker, err);
	return rc == 1 && crd_is_definition(o) ? crds_check_definition(c->crds, o, &taker, err) : rc < 0 ? rc : 0;
}

/* A policy that can't be asked is told once. */
static int ask(struct child *c, struct policy *p, const struct kube_request *request, struct bh_err *err)
{
	c->policy = p;
	int rc = vap_review(p->vap, request, &c->world, on_result, c, err);
	if (rc != BH_EMALFORMED)
		return rc;
	if (p->n_unbound++ >= BOUND_ERRORS_MAX)
		return 0;
	const struct kube_object *o = vap_policy_object(p->vap);
	bh_buf_clear(&c->path);
	bh_buf_printf(&c->path, "policy %.*s: %s", BH_SLICE_FMT(o->name), err->text);
	return say_unchecked(c, "policy", o->file, o->line, bh_buf_slice(&c->path), err);
}

static bool create_request(struct child *c, const struct kube_object *o, struct kube_request *ret)
{
	struct kube_object as_sent = *o;
	if (kube_is_own_kind(o) && !o->is_made)
		as_sent.value = kube_without_nulls(&c->arena, o->value, &c->copies);
	return as_sent.value.kind == CEL_MAP && kube_request_create(&as_sent, &c->world, &c->arena, ret);
}

static int review_object(struct child *c, const struct kube_object *o, struct bh_err *err)
{
	struct kube_request request;
	int rc = 0;
	c->object = o;
	c->is_removed = false;
	bh_arena_clear(&c->arena);
	c->copies.len = 0;
	if (bh_slice_eq_str(o->kind, "AdmissionReview")) {
		struct bh_err why = { 0 };
		if (kube_request_of_review(o->value, &request, &why) < 0)
			return say_unchecked(c, "manifest", o->file, o->line, bh_slice_str(why.text), err);
	} else if (!create_request(c, o, &request)) {
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory for a request");
	}
	for (size_t i = 0; rc == 0 && i < c->ready.len; i++)
		rc = ask(c, &c->ready.ptr[i], &request, err);
	return rc < 0 ? rc : compare_object(c, o, err);
}

static int say_check(struct child *c, const struct policy *p, struct bh_err *err)
{
	put_text(&c->frame, p->check);
	bh_wire_put_u64(&c->frame, vap_policy_asked(p->vap));
	bh_wire_put_u64(&c->frame, p->n_unknown);
	return send_frame(c, REVIEW_SAY_CHECK, err);
}

/* Is the object one that the options leave out? */
static bool is_passed_over(struct child *c, const struct kube_object *o)
{
	bool is_namespace = bh_slice_eq_str(o->kind, "Namespace") && o->group.len == 0;
	struct bh_slice namespace = is_namespace ? o->name : o->namespace;
	for (size_t i = 0; i < c->options->n_without; i++)
		if (bh_slice_eq_str(namespace, c->options->without[i])) {
			c->n_without++;
			return true;
		}
	bool own = c->options->no_bootstrap && rbac_is_default(o);
	c->n_bootstrap += own;
	return own;
}

/* Those of custom resources, which nobody wrote as objects. */
static size_t pods_among(const struct kube_object_vec *objects)
{
	size_t n = 0;
	for (size_t i = 0; i < objects->len; i++)
		n += objects->ptr[i].of_kind.len > 0;
	return n;
}

/* "Foo of acme.io/v1, Bar of acme.io/v1 and 3 more" */
static void put_kinds(struct child *c)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, REVIEW_TEXT_BYTES_MAX);
	for (size_t i = 0; i < c->untyped.len && i < UNTYPED_KINDS_SHOWN; i++) {
		bh_buf_add_str(&text, i ? ", " : "");
		bh_buf_add(&text, c->untyped.entries[i].key);
	}
	if (c->untyped.len > UNTYPED_KINDS_SHOWN)
		bh_buf_printf(&text, " and %zu more", c->untyped.len - UNTYPED_KINDS_SHOWN);
	put_text(&c->frame, bh_buf_slice(&text));
}

static int review_all(struct child *c, struct bh_err *err)
{
	const struct kube_object_vec *objects = kube_set_objects(c->manifests);
	int rc = tell_problems(c, c->manifests, "manifest", err);
	for (unsigned rank = 0; rank < OWNED_RANKS; rank++)
		for (size_t i = 0; rc == 0 && i < objects->len; i++) {
			if (owned_rank(&objects->ptr[i]) != rank || is_passed_over(c, &objects->ptr[i]))
				continue;
			rc = review_object(c, &objects->ptr[i], err);
			bh_channel_progress(c->ch, i + 1);
		}
	for (size_t i = 0; rc == 0 && c->options->checks && i < c->ready.len; i++)
		rc = say_check(c, &c->ready.ptr[i], err);
	if (rc < 0)
		return rc;
	bh_wire_put_u64(&c->frame, objects->len - pods_among(objects));
	bh_wire_put_u64(&c->frame, c->ready.len);
	bh_wire_put_u64(&c->frame, c->n_without);
	bh_wire_put_u64(&c->frame, c->n_bootstrap);
	bh_wire_put_u64(&c->frame, c->n_untyped);
	bh_wire_put_u64(&c->frame, c->n_open);
	bh_wire_put_u64(&c->frame, functions_without_code(c));
	put_kinds(c);
	return send_frame(c, REVIEW_SAY_COUNTS, err);
}

/* ---- scripts in Dockerfiles ---- */

static int say_script(void *ctx, const struct shellcheck_said *said, struct bh_err *err)
{
	struct child *c = ctx;
	char id[16], wiki[64];
	bool is_error = bh_slice_eq_str(said->level, "error"), is_warning = bh_slice_eq_str(said->level, "warning");
	(void)snprintf(id, sizeof(id), "SC%u", said->code);
	(void)snprintf(wiki, sizeof(wiki), "See shellcheck.net/wiki/%s.", id);
	bh_buf_clear(&c->path);
	bh_buf_printf(&c->path, "Instruction %.*s: RUN", BH_SLICE_FMT(bh_slice_base(said->file)));
	struct review_finding f = {
		.severity = (uint8_t)(is_error ? BH_SEV_MEDIUM : is_warning ? BH_SEV_LOW : BH_SEV_NEGLIGIBLE), .id = bh_slice_str(id), .message = said->message, .file = said->file, .line = said->line,
		.evidence = bh_buf_slice(&c->path), .fix = bh_slice_str(wiki), .policy = BH_SLICE_LIT("shellcheck"),
	};
	int rc = send_finding(c, &f, err);
	bh_buf_clear(&c->path);
	return rc;
}

static int review_scripts(struct child *c, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int rc = shellcheck_ask(c->shell, c->ch, REVIEW_ASK_SHELLCHECK, say_script, c, &why, err);
	if (rc < 0 || !why.code)
		return rc;
	bh_buf_clear(&c->path);
	bh_buf_printf(&c->path, "the shell of RUN was not looked at: %s", why.text);
	rc = say_unchecked(c, "manifest", BH_SLICE_LIT("Dockerfiles"), 0, bh_buf_slice(&c->path), err);
	bh_buf_clear(&c->path);
	return rc;
}

static void done(struct child *c)
{
	for (size_t i = 0; i < c->ready.len; i++)
		vap_policy_free(c->ready.ptr[i].vap);
	policy_vec_done(&c->ready);
	for (size_t i = 0; i < c->allowing.len; i++)
		bh_allowance_vec_done(&c->allowing.ptr[i].all);
	allowing_vec_done(&c->allowing);
	shellcheck_free(c->shell);
	kube_mender_free(c->mender);
	kube_world_done(&c->world);
	kube_object_vec_done(&c->all);
	import_done(&c->imported);
	kube_set_free(c->manifests);
	kube_set_free(c->policies);
	kube_set_free(c->rules);
	intake_texts_done(&c->texts);
	bh_buf_done(&c->frame);
	bh_buf_done(&c->path);
	owned_done(&c->owned);
	kube_copy_vec_done(&c->copies);
	kube_schema_free(c->schema);
	crds_free(c->crds);
	bh_map_done(&c->untyped);
	bh_arena_done(&c->untyped_arena);
	bh_arena_done(&c->arena);
	bh_arena_done(&c->patch_arena);
}

static int read_types(struct child *c, struct bh_err *err)
{
	int rc = kube_schema_new(c->options->minor, &c->schema, err);
	return rc < 0 ? rc : crds_new(kube_set_objects(c->manifests), c->options->minor, &c->crds, err);
}

int review_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct review_context *context = ctx;
	struct child c = { .options = context->options, .ch = ch, .ready = { .max = POLICIES_MAX }, .allowing = { .max = KUBE_FILES_MAX }, .all = { .max = 2 * KUBE_OBJECTS_MAX }, .copies = { .max = KUBE_COPIES_MAX } };
	owned_init(&c.owned);
	import_init(&c.imported);
	bh_map_init(&c.untyped, UNTYPED_KINDS_MAX);
	bh_arena_init(&c.untyped_arena, UNTYPED_BYTES_MAX);
	bh_arena_init(&c.arena, REQUEST_BYTES_MAX);
	bh_arena_init(&c.patch_arena, PATCH_BYTES_MAX);
	bh_buf_init(&c.frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&c.path, REVIEW_TEXT_BYTES_MAX * 4);
	int rc = kube_set_new(SET_BYTES_MAX, &c.manifests, err);
	rc = rc < 0 ? rc : kube_set_new(SET_BYTES_MAX, &c.policies, err);
	rc = rc < 0 ? rc : kube_set_new(SET_BYTES_MAX, &c.rules, err);
	if (rc == 0 && c.options->shellcheck)
		rc = shellcheck_new(&c.shell, err);
	const struct kube_opener opener = beside_opener(ch);
	if (rc == 0) {
		kube_set_foreigners(c.manifests, c.options->foreigners);
		if (!c.options->no_hardening || c.options->n_policies) /* else nobody asks about code */
			kube_set_opener(c.manifests, &opener);
	}
	const struct intake_taker taker = { take, unreadable, &c };
	rc = rc < 0 ? rc : intake_read(ch, &taker, &c.texts, err);
	rc = rc < 0 ? rc : kube_add_custom_pods(c.manifests, err);
	rc = rc < 0 ? rc : kube_world_collect(&c.world, c.manifests, c.policies, &c.all, err);
	rc = rc < 0 ? rc : import_policies(&c, err);
	rc = rc < 0 ? rc : kube_mender_new(c.options->minor, &c.world, &c.mender, err);
	rc = rc < 0 ? rc : add_rules(&c, err);
	rc = rc < 0 ? rc : add_policies(&c, err);
	if (rc == 0 && c.options->schema && c.options->minor >= KUBE_SCHEMA_OLDEST_MINOR)
		rc = read_types(&c, err);
	rc = rc < 0 ? rc : review_all(&c, err);
	rc = rc < 0 || !c.shell ? rc : review_scripts(&c, err);
	done(&c);
	return rc;
}
