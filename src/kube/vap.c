#include "kube/vap.h"

#include <stdlib.h>

#include "kube/admission.h"

#define MESSAGE_BYTES_MAX (5u << 10) /* apiserver: longer messages of messageExpression are not used */
#define CAUSE_BYTES_MAX 300u

struct vap_policy {
	struct admission admission; /* first: a review finds the policy by it */
	struct admission_list validations, audits;
};

const struct kube_object *vap_policy_object(const struct vap_policy *p)
{
	return p->admission.object;
}

bool vap_policy_wants_params(const struct vap_policy *p)
{
	return p->admission.wants_params;
}

uint64_t vap_policy_asked(const struct vap_policy *p)
{
	return p->admission.asked;
}

static int compile_validations(struct admission_compiler *c, struct vap_policy *p)
{
	struct cel_value values;
	int rc = admission_take_list(c, "validations", &p->validations, &values);
	for (size_t i = 0; rc == 0 && i < p->validations.n; i++) {
		struct admission_expression *e = &p->validations.items[i];
		e->text = kube_text(values.list->items[i], "expression");
		e->message = bh_slice_trim(kube_text(values.list->items[i], "message"));
		e->reason = kube_text(values.list->items[i], "reason");
		e->message_text = kube_text(values.list->items[i], "messageExpression");
		rc = admission_compile(c, "validations", i, "expression", e->text, &cel_type_bool, &e->program);
		if (rc == 0 && e->message_text.len)
			rc = admission_compile(c, "validations", i, "messageExpression", e->message_text, &cel_type_string, &e->message_program);
	}
	return rc;
}

/* Audit annotations are of no use here, but one that fails denies as a validation does. */
static int compile_audits(struct admission_compiler *c, struct vap_policy *p)
{
	struct cel_value values;
	int rc = admission_take_list(c, "auditAnnotations", &p->audits, &values);
	for (size_t i = 0; rc == 0 && i < p->audits.n; i++) {
		struct admission_expression *e = &p->audits.items[i];
		e->name = kube_text(values.list->items[i], "key");
		e->text = kube_text(values.list->items[i], "valueExpression");
		rc = admission_compile(c, "auditAnnotations", i, "valueExpression", e->text, NULL, &e->program);
		const struct cel_type *t = rc == 0 && e->program ? cel_program_type(e->program) : &cel_type_string;
		if (rc == 0 && t->kind != CEL_TYPE_STRING && t->kind != CEL_TYPE_NULL && t->kind != CEL_TYPE_DYN)
			admission_tell(c, "auditAnnotations", i, "valueExpression", BH_SLICE_LIT("must evaluate to string or null"));
	}
	return rc;
}

static int prepare(struct vap_policy *p, const struct kube_object *o, unsigned minor, struct bh_buf *why, struct bh_err *err)
{
	struct admission_compiler c = { .policy = &p->admission, .why = why, .err = err };
	int rc = admission_init(&c, o, minor, false);
	rc = rc < 0 ? rc : compile_validations(&c, p);
	rc = rc < 0 ? rc : compile_audits(&c, p);
	if (rc == 0 && !c.failed && p->validations.n + p->audits.n == 0) {
		bh_buf_add_str(why, "spec.validations: at least one validation or audit annotation is required");
		c.failed = true;
	}
	return rc < 0 ? rc : admission_finish(&c);
}

int vap_policy_new(const struct kube_object *o, unsigned minor, struct vap_policy **ret, struct bh_buf *why, struct bh_err *err)
{
	struct vap_policy *p = calloc(1, sizeof(*p));
	if (!p)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for an admission policy");
	int rc = prepare(p, o, minor, why, err);
	if (rc < 0) {
		vap_policy_free(p);
		return rc;
	}
	*ret = p;
	return 0;
}

void vap_policy_free(struct vap_policy *p)
{
	if (!p)
		return;
	admission_list_done(&p->validations);
	admission_list_done(&p->audits);
	admission_done(&p->admission);
	free(p);
}

/* ---- reviewing ---- */

struct review {
	struct admission_review admission; /* first */
	struct vap_policy *policy;
	vap_sink sink;
	void *ctx;
};

static int say(struct admission_review *a, enum vap_outcome outcome, const struct admission_expression *e, struct bh_slice message)
{
	const struct review *r = (const struct review *)a;
	struct vap_result result = {
		.outcome = outcome,
		.policy = r->policy,
		.binding = a->binding,
		.message = message,
		.expression = e ? e->text : (struct bh_slice){ 0 },
		.reason = e && e->reason.len ? e->reason : BH_SLICE_LIT("Invalid"),
		.actions = a->actions,
	};
	result.n_reads = cel_run_last_reads(a->policy->run, result.reads);
	return r->sink(r->ctx, &result, a->err);
}

static bool is_usable(struct bh_slice message)
{
	return message.len > 0 && message.len <= MESSAGE_BYTES_MAX && bh_slice_find(message, '\n') == message.len;
}

/* messageExpression's text, else message, else the expression itself. */
static struct bh_slice message_of(struct admission_review *r, const struct admission_expression *e)
{
	struct bh_slice message = { 0 };
	if (e->message_program) {
		struct cel_value v = admission_evaluate(r, e->message_program, ADMISSION_COST_MAX);
		message = v.kind == CEL_STRING ? bh_slice_trim(v.text) : message;
	}
	if (is_usable(message))
		return message;
	return e->message.len ? e->message : admission_print(r, "failed expression: ", bh_slice_trim(e->text), "");
}

static int deny(struct admission_review *a, const struct admission_expression *e)
{
	const struct review *r = (const struct review *)a;
	struct vap_result result = {
		.outcome = VAP_DENIED,
		.policy = r->policy,
		.binding = a->binding,
		.expression = e->text,
		.reason = e->reason.len ? e->reason : BH_SLICE_LIT("Invalid"),
		.actions = a->actions,
	};
	result.n_reads = cel_run_last_reads(a->policy->run, result.reads); /* before the message's own */
	result.message = message_of(a, e);
	return r->sink(r->ctx, &result, a->err);
}

static int check_validation(struct admission_review *r, const struct admission_expression *e)
{
	struct cel_value v = admission_evaluate(r, e->program, ADMISSION_COST_MAX);
	if (v.kind == CEL_BOOL)
		return v.boolean ? 0 : deny(r, e);
	if (v.kind == CEL_UNKNOWN)
		return r->say(r, VAP_UNKNOWN, e, admission_print(r, "'", bh_slice_sub(bh_slice_trim(e->text), 0, CAUSE_BYTES_MAX), "' depends on what is not known here"));
	return admission_fail(r, e, v.kind == CEL_ERROR ? v.error : "not a bool");
}

static int apply(struct admission_review *a, struct cel_value params)
{
	const struct vap_policy *p = ((const struct review *)a)->policy;
	int rc = 0;
	(void)params;
	for (size_t i = 0; rc == 0 && i < p->validations.n; i++)
		rc = check_validation(a, &p->validations.items[i]);
	for (size_t i = 0; rc == 0 && i < p->audits.n; i++) {
		struct cel_value v = admission_evaluate(a, p->audits.items[i].program, ADMISSION_COST_MAX);
		rc = v.kind == CEL_ERROR ? admission_fail(a, &p->audits.items[i], v.error) : 0;
	}
	return rc;
}

int vap_review(struct vap_policy *p, const struct kube_request *request, const struct kube_world *world, vap_sink sink, void *ctx, struct bh_err *err)
{
	struct review r = {
		.admission = { .policy = &p->admission, .request = request, .world = world, .apply = apply, .say = say, .err = err },
		.policy = p,
		.sink = sink,
		.ctx = ctx,
	};
	return admission_review(&r.admission);
}
