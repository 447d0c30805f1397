/* rbac_risks.c: rbac_risks.h; the catalogue is rbac_risks.def. */
#include "kube/rbac_risks.h"

#include <stdio.h>

#include "kube/cells.h"
#include "kube/rbac_admission.h"
#include "kube/rbac_exposure.h"
#include "kube/rbac_model.h"
#include "kube/rbac_text.h"
#include "model/finding.h"

#define NEEDS_MAX 3u
#define SUBJECTS_SHOWN 3u
#define BINDINGS_MANY 10u  /* of one subject: nobody keeps an overview */
#define NAMESPACES_MAX 100000u
#define WORD_BYTES_MAX 64u

enum flag {
	FLAG_CLUSTER = 1,
	FLAG_PODS = 2,
	FLAG_SYSTEM = 4,
	FLAG_ALONE = 8,  /* says all that others could say */
	FLAG_STAR = 16,  /* any resource, by its verb "*" */
};

struct need {
	const char *verbs, *resources;
};

static const struct risk {
	const char *id;
	enum bh_severity wide, narrow;
	unsigned flags;
	const char *what, *fix;
	struct need needs[NEEDS_MAX];
} catalogue[] = {
#define RISK(id, wide, narrow, flags, what, fix, ...) { id, BH_SEV_##wide, BH_SEV_##narrow, flags, what, fix, { __VA_ARGS__ } },
#include "kube/rbac_risks.def"
#undef RISK
};

#define N_RISKS (sizeof(catalogue) / sizeof(*catalogue))
_Static_assert(N_RISKS <= 64, "one bit per risk");

/* What a role gives: a bit per risk whose first need it meets; `named`: only for some names. */
struct hits {
	uint64_t met, named;
};

struct judging {
	struct kube_asked *asked;
	const struct kube_object_vec *all;
	struct rbac *r, *defaults;
	struct rbac_exposure exposure;
	struct rbac_admission *admission;
	struct bh_map hits;       /* by role */
	struct bh_map privileged; /* namespace -> why, a C string */
	struct bh_map namespaces; /* name -> object */
	struct bh_map accounts;   /* "namespace/name" of the service accounts in the set -> object */
	struct bh_arena scratch;
	struct kube_cells cells;
	const char *aws_auth;     /* the cluster keeps its users in a ConfigMap */
	struct bh_err *err;
};

/* ---- does a rule meet a need? ---- */

/* The next word of a list with blanks; false at its end. */
static bool next_word(struct bh_slice *rest, struct bh_slice *ret)
{
	*rest = bh_slice_trim(*rest);
	if (rest->len == 0)
		return false;
	struct bh_slice tail;
	(void)bh_slice_cut(*rest, ' ', ret, &tail);
	*rest = tail;
	return true;
}

/* "deployments.apps/scale" */
static struct rbac_request request_of(struct bh_slice verb, struct bh_slice resource)
{
	struct rbac_request q = { .verb = verb };
	struct bh_slice text;
	(void)bh_slice_cut(resource, '/', &text, &q.subresource);
	(void)bh_slice_cut(text, '.', &q.resource, &q.group);
	return q;
}

/* Names don't restrict what is made: such a rule never holds. */
static bool is_void_by_names(const struct rbac_rule *rule, const struct rbac_request *q)
{
	return rule->names.n && q->subresource.len == 0 && (bh_slice_eq_str(q->verb, "create") || bh_slice_eq_str(q->verb, "deletecollection"));
}

/* What of the need the rule allows, appended: "get, list secrets". */
static bool rule_meets(const struct rbac_rule *rule, const struct need *need, bool any_resource, struct bh_buf *evidence)
{
	struct bh_slice verb, resource, verbs, resources = bh_slice_str(need->resources);
	bool met = false;
	if (any_resource && rbac_words_have(rule->verbs, "*") && rule->resources.n) {
		bh_buf_add_str(evidence, "* on ");
		rbac_print_resources(evidence, rule);
		return true;
	}
	while (!any_resource && next_word(&resources, &resource)) {
		size_t n = 0;
		for (verbs = bh_slice_str(need->verbs); next_word(&verbs, &verb);) {
			struct rbac_request q = request_of(verb, resource);
			if (!rbac_has_verb(rule, verb) || !rbac_has_group(rule, q.group) || !rbac_has_resource(rule, q.resource, q.subresource) || is_void_by_names(rule, &q))
				continue;
			bh_buf_add_str(evidence, n++ ? ", " : met ? "; " : "");
			bh_buf_add(evidence, verb);
			met = true;
		}
		if (n) {
			bh_buf_add_byte(evidence, ' ');
			bh_buf_add(evidence, resource);
		}
	}
	return met;
}

/* The first rule that does, the one without names before those with some. */
static const struct rbac_rule *role_meets(const struct rbac_role *role, const struct risk *risk, const struct need *need, struct bh_buf *evidence)
{
	const struct rbac_rule *named = NULL;
	for (size_t i = 0; i < role->n_rules; i++) {
		const struct rbac_rule *rule = role->rules[i];
		size_t before = evidence->len;
		if ((rule->names.n && named) || !rule_meets(rule, need, (risk->flags & FLAG_STAR) != 0, evidence))
			continue;
		if (rule->names.n == 0)
			return rule;
		named = rule;
		evidence->len = before;
	}
	if (named)
		(void)rule_meets(named, need, (risk->flags & FLAG_STAR) != 0, evidence);
	return named;
}

static struct hits find_hits(const struct rbac_role *role)
{
	struct hits h = { 0 };
	struct bh_buf evidence;
	bh_buf_init(&evidence, KUBE_ASK_CELL_BYTES_MAX);
	for (size_t i = 0; i < N_RISKS; i++) {
		bh_buf_clear(&evidence);
		const struct rbac_rule *rule = role_meets(role, &catalogue[i], &catalogue[i].needs[0], &evidence);
		if (!rule)
			continue;
		h.met |= 1ull << i;
		if (rule->names.n)
			h.named |= 1ull << i;
		if (catalogue[i].flags & FLAG_ALONE)
			break;
	}
	bh_buf_done(&evidence);
	return h;
}

static const struct hits *hits_of(struct judging *j, const struct rbac_role *role)
{
	struct bh_slice key;
	const struct hits *known = bh_map_get(&j->hits, (struct bh_slice){ (const uint8_t *)&role, sizeof(role) });
	if (known)
		return known;
	struct hits *h = BH_ARENA_NEW(&j->r->arena, struct hits);
	void **at = h && bh_arena_copy(&j->r->arena, (struct bh_slice){ (const uint8_t *)&role, sizeof(role) }, &key) ? bh_map_put(&j->hits, key) : NULL;
	if (!at)
		return NULL;
	*h = find_hits(role);
	*at = h;
	return h;
}

static bool holds_here(const struct risk *risk, const struct rbac_binding *b)
{
	return b->namespace.len == 0 || (!(risk->flags & FLAG_CLUSTER) && (!(risk->flags & FLAG_SYSTEM) || bh_slice_eq_str(b->namespace, "kube-system")));
}

/* ---- the needs beyond the first: any binding of the subject may meet them ---- */

struct looking {
	const struct rbac_binding *at;
	const struct risk *risk;
	const struct need *need;
	struct bh_buf evidence;
	bool met;
};

static bool look(void *ctx, const struct rbac_binding *b)
{
	struct looking *l = ctx;
	if (!b->role || (b->namespace.len && !bh_slice_eq(b->namespace, l->at->namespace)))
		return true;
	bh_buf_clear(&l->evidence);
	l->met = role_meets(b->role, l->risk, l->need, &l->evidence) != NULL;
	return !l->met;
}

static bool subject_meets(struct judging *j, const struct rbac_binding *b, const struct rbac_subject *s, const struct risk *risk)
{
	struct rbac_user user;
	struct looking l = { .at = b, .risk = risk, .met = true };
	bh_arena_done(&j->scratch);
	bh_buf_init(&l.evidence, KUBE_ASK_CELL_BYTES_MAX);
	for (size_t i = 1; l.met && i < NEEDS_MAX && risk->needs[i].verbs; i++) {
		l.met = false;
		l.need = &risk->needs[i];
		if (rbac_user_of_subject(s, &j->scratch, &user))
			rbac_visit(j->r, &user, look, &l);
	}
	bh_buf_done(&l.evidence);
	return l.met;
}

/* ---- what it weighs ---- */

struct weight {
	enum bh_severity severity;
	struct bh_buf why;
};

static void add_reason(struct weight *w, const char *how, const char *why)
{
	bh_buf_printf(&w->why, "%s%s%s", w->why.len ? ", " : "", how, why);
}

static void raise(struct weight *w, const char *how, const char *why)
{
	if (w->severity < BH_SEV_CRITICAL) {
		w->severity++;
		add_reason(w, how, why);
	}
}

static void lower(struct weight *w, const char *how, const char *why)
{
	if (w->severity > BH_SEV_NEGLIGIBLE) {
		w->severity--;
		add_reason(w, how, why);
	}
}

static void weigh_place(struct judging *j, const struct rbac_binding *b, const struct risk *risk, struct weight *w)
{
	const char *why = b->namespace.len ? bh_map_get(&j->privileged, b->namespace) : NULL;
	w->severity = b->namespace.len && !why ? risk->narrow : risk->wide;
	if (why && risk->wide > risk->narrow)
		add_reason(w, "a privileged namespace: ", why);
	if ((risk->flags & FLAG_SYSTEM) && j->aws_auth) {
		w->severity = BH_SEV_CRITICAL;
		add_reason(w, "", j->aws_auth);
	}
}

/* What is forbidden to the pods that somebody may make, where the namespace is not privileged by itself. */
static int weigh_admission(struct judging *j, const struct rbac_binding *b, const struct risk *risk, struct weight *w)
{
	const struct rbac_admission_verdict *verdict;
	if (!(risk->flags & FLAG_PODS) || b->namespace.len == 0 || bh_map_get(&j->privileged, b->namespace))
		return 0;
	int rc = rbac_admission_in(j->admission, b->namespace, &verdict, j->err);
	if (rc < 0)
		return rc;
	const struct kube_object *ns = bh_map_get(&j->namespaces, b->namespace);
	struct cel_value labels = ns ? kube_path(ns->value, "metadata.labels") : cel_null();
	const struct cel_value *level = labels.kind == CEL_MAP ? cel_map_field(labels.map, BH_SLICE_LIT("pod-security.kubernetes.io/enforce")) : NULL;
	if (level && level->kind == CEL_STRING && bh_slice_eq_str(level->text, "restricted"))
		lower(w, "lowered: ", "the namespace enforces restricted");
	else if (level && level->kind == CEL_STRING && bh_slice_eq_str(level->text, "baseline"))
		lower(w, "lowered: ", "the namespace enforces baseline");
	else if (verdict->is_shut && verdict->denied)
		lower(w, "lowered: ", verdict->denied);
	else if (verdict->denied)
		add_reason(w, "not lowered: ", verdict->denied);
	if (verdict->left)
		add_reason(w, "", verdict->left);
	return 0;
}

static bool is_anybody(const struct rbac_subject *s)
{
	return (s->kind == RBAC_USER && bh_slice_eq_str(s->name, "system:anonymous")) || (s->kind == RBAC_GROUP && bh_slice_eq_str(s->name, "system:unauthenticated"));
}

static bool is_everybody(const struct rbac_subject *s)
{
	return s->kind == RBAC_GROUP && (bh_slice_eq_str(s->name, "system:authenticated") || bh_slice_eq_str(s->name, "system:serviceaccounts"));
}

static void weigh_subjects(const struct judging *j, const struct rbac_binding *b, struct weight *w)
{
	const char *exposed = NULL;
	bool everybody = false;
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct rbac_subject *s = &b->subjects[i];
		if (is_anybody(s)) {
			w->severity = BH_SEV_CRITICAL;
			add_reason(w, "", "the subject needs no credential");
			return;
		}
		everybody |= is_everybody(s);
		if (!exposed && s->kind == RBAC_SERVICE_ACCOUNT)
			exposed = rbac_exposure_of(&j->exposure, s->namespace, s->name);
	}
	if (exposed)
		raise(w, "raised: its token is in a pod that the outside reaches: ", exposed);
	else if (everybody)
		raise(w, "raised: ", "everybody is the subject");
}

/* ---- findings ---- */

static void print_subjects(struct bh_buf *out, const struct rbac_binding *b)
{
	for (size_t i = 0; i < b->n_subjects && i < SUBJECTS_SHOWN; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		rbac_subject_print(&b->subjects[i], out);
	}
	if (b->n_subjects > SUBJECTS_SHOWN)
		bh_buf_printf(out, " and %zu more", b->n_subjects - SUBJECTS_SHOWN);
}

static int say(struct judging *j, const char *id, enum bh_severity severity, const struct kube_object *at, const char *fix)
{
	struct bh_buf *c = j->cells.text;
	bh_buf_add_str(&c[RBAC_RISK_ID], id);
	bh_buf_printf(&c[RBAC_RISK_SEVERITY], "%u", (unsigned)severity);
	bh_buf_add(&c[RBAC_RISK_FILE], at->file);
	bh_buf_printf(&c[RBAC_RISK_LINE], "%u", at->line);
	bh_buf_add_str(&c[RBAC_RISK_FIX], fix);
	return kube_cells_say(j->asked, &j->cells, RBAC_ROW_RISK, RBAC_RISK_CELLS, j->err);
}

static void print_grant(struct judging *j, const struct rbac_binding *b)
{
	struct bh_buf *out = &j->cells.text[RBAC_RISK_EVIDENCE];
	rbac_print_binding(out, b);
	bh_buf_add_str(out, " of ");
	rbac_print_role(out, b);
}

static int say_risk(struct judging *j, const struct rbac_binding *b, const struct risk *risk, bool named)
{
	struct bh_buf *message = &j->cells.text[RBAC_RISK_MESSAGE], *evidence = &j->cells.text[RBAC_RISK_EVIDENCE];
	bool is_admin = (risk->flags & FLAG_ALONE) && bh_slice_eq_str(b->role_name, "cluster-admin");
	struct weight w = { 0 };
	bh_buf_init(&w.why, KUBE_ASK_CELL_BYTES_MAX / 2);
	weigh_place(j, b, risk, &w);
	int rc = weigh_admission(j, b, risk, &w);
	if (named)
		lower(&w, "lowered: ", "for some names only");
	weigh_subjects(j, b, &w);
	print_subjects(message, b);
	bh_buf_printf(message, " %s", risk->what);
	if (b->namespace.len)
		bh_buf_printf(message, ", in namespace %.*s", BH_SLICE_FMT(b->namespace));
	print_grant(j, b);
	bh_buf_add_str(evidence, ": ");
	const struct rbac_rule *rule = role_meets(b->role, risk, &risk->needs[0], evidence);
	bh_buf_add_str(evidence, " (");
	rbac_print_place(evidence, rule);
	bh_buf_add_str(evidence, w.why.len ? "); " : ")");
	bh_buf_add(evidence, bh_buf_slice(&w.why));
	rc = rc < 0 ? rc : say(j, is_admin ? "rbac-cluster-admin" : risk->id, w.severity, b->object, is_admin ? "Bind a role with the rights that are needed." : risk->fix);
	bh_buf_done(&w.why);
	return rc;
}

static bool meets_the_rest(struct judging *j, const struct rbac_binding *b, const struct risk *risk)
{
	for (size_t i = 0; i < b->n_subjects; i++)
		if (subject_meets(j, b, &b->subjects[i], risk))
			return true;
	return false;
}

static int judge_role(struct judging *j, const struct rbac_binding *b)
{
	const struct hits *h = hits_of(j, b->role);
	const char *said = "";
	int rc = h ? 0 : bh_fail(j->err, BH_ELIMIT, 0, "too many roles");
	for (size_t i = 0; rc == 0 && i < N_RISKS; i++) {
		const struct risk *risk = &catalogue[i];
		/* Two entries of one name, and the half of what the entry before says whole, are said once. */
		if (!(h->met >> i & 1) || !holds_here(risk, b) || strcmp(said, risk->id) == 0
		    || (strcmp(said, "rbac-certificate-issue") == 0 && strcmp(risk->id, "rbac-certificate-approval") == 0) || !meets_the_rest(j, b, risk))
			continue;
		said = risk->id;
		rc = say_risk(j, b, risk, h->named >> i & 1);
	}
	return rc;
}

/* ---- what is wrong with the binding itself ---- */

static int say_subject(struct judging *j, const struct rbac_binding *b, const struct rbac_subject *s, const char *id, enum bh_severity severity, const char *what,
		       const char *fix)
{
	rbac_subject_print(s, &j->cells.text[RBAC_RISK_MESSAGE]);
	bh_buf_printf(&j->cells.text[RBAC_RISK_MESSAGE], " %s", what);
	print_grant(j, b);
	return say(j, id, severity, b->object, fix);
}

/* kubeadm's: who joins reads how to reach the cluster. */
static bool is_cluster_info(const struct rbac_binding *b)
{
	return bh_slice_eq_str(b->namespace, "kube-public") && bh_slice_eq_str(b->role_name, "kubeadm:bootstrap-signer-clusterinfo");
}

static bool is_missing_account(const struct judging *j, const struct rbac_subject *s)
{
	char key[512];
	if (j->accounts.len == 0 || s->namespace.len + s->name.len + 2 > sizeof(key) || bh_slice_eq_str(s->name, "default"))
		return false;
	(void)snprintf(key, sizeof(key), "%.*s/%.*s", BH_SLICE_FMT(s->namespace), BH_SLICE_FMT(s->name));
	return !bh_map_get(&j->accounts, bh_slice_str(key));
}

static int judge_subject(struct judging *j, const struct rbac_binding *b, const struct rbac_subject *s)
{
	if (is_anybody(s) && !is_cluster_info(b))
		return say_subject(j, b, s, "rbac-anonymous", BH_SEV_CRITICAL, "has rights: whoever reaches the API server has them", "Remove the subject.");
	if (is_everybody(s))
		return say_subject(j, b, s, "rbac-all-authenticated", BH_SEV_HIGH, "has rights: every user or every pod has them", "Name a group of your own.");
	if (s->kind == RBAC_GROUP && bh_slice_eq_str(s->name, "system:masters"))
		return say_subject(j, b, s, "rbac-system-masters", BH_SEV_CRITICAL, "is bound: its members may do everything, and nothing takes that from them",
				   "Use a group of your own.");
	if (s->kind != RBAC_SERVICE_ACCOUNT)
		return 0;
	if (bh_slice_eq_str(s->name, "default"))
		return say_subject(j, b, s, "rbac-default-service-account", BH_SEV_MEDIUM, "has rights: every pod of the namespace without an account of its own has them",
				   "Give the workload a service account of its own.");
	if (is_missing_account(j, s))
		return say_subject(j, b, s, "rbac-missing-subject", BH_SEV_NEGLIGIBLE, "is not there: whoever makes it has its rights", "Remove the subject.");
	return 0;
}

static int judge_binding(struct judging *j, const struct rbac_binding *b)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < b->n_subjects; i++)
		rc = judge_subject(j, b, &b->subjects[i]);
	if (rc == 0 && !b->role && b->role_name.len) {
		bh_buf_add_str(&j->cells.text[RBAC_RISK_MESSAGE], "the role is not there: whoever makes it gives rights to ");
		print_subjects(&j->cells.text[RBAC_RISK_MESSAGE], b);
		print_grant(j, b);
		rc = say(j, "rbac-missing-role", BH_SEV_NEGLIGIBLE, b->object, "Remove the binding, or make the role.");
	}
	return rc < 0 || !b->role || b->n_subjects == 0 ? rc : judge_role(j, b);
}

/* What an API server makes itself, as far as nobody was added to it, is as it has to be. */
static bool is_as_made(const struct judging *j, const struct rbac_binding *b)
{
	if (b->is_default)
		return true;
	const struct rbac_binding *own = NULL;
	for (size_t i = 0; !own && i < j->defaults->bindings.len; i++)
		if (bh_slice_eq(j->defaults->bindings.ptr[i]->name, b->name) && bh_slice_eq(j->defaults->bindings.ptr[i]->namespace, b->namespace))
			own = j->defaults->bindings.ptr[i];
	bool same = own && bh_slice_eq(own->role_name, b->role_name) && bh_slice_eq(own->role_kind, b->role_kind);
	for (size_t i = 0; same && i < b->n_subjects; i++) {
		bool found = false;
		for (size_t k = 0; !found && k < own->n_subjects; k++)
			found = own->subjects[k].kind == b->subjects[i].kind && bh_slice_eq(own->subjects[k].name, b->subjects[i].name)
				&& bh_slice_eq(own->subjects[k].namespace, b->subjects[i].namespace);
		same = found;
	}
	return same;
}

/* ---- hygiene ---- */

static bool put(struct bh_map *m, struct bh_slice key, const void *value)
{
	void **at = bh_map_put(m, key);
	if (at && !*at)
		*at = (void *)(uintptr_t)value;
	return at != NULL;
}

/* By being bound, or selected by an aggregated role. */
static bool find_used_roles(const struct rbac *r, struct bh_map *used)
{
	bool ok = true;
	for (size_t i = 0; ok && i < r->bindings.len; i++)
		ok = !r->bindings.ptr[i]->role || put(used, (struct bh_slice){ (const uint8_t *)&r->bindings.ptr[i]->role, sizeof(void *) }, r);
	for (size_t i = 0; ok && i < r->roles.len; i++)
		for (size_t k = 0; ok && r->roles.ptr[i]->is_aggregated && k < r->roles.ptr[i]->n_rules; k++)
			ok = put(used, (struct bh_slice){ (const uint8_t *)&r->roles.ptr[i]->rules[k]->role, sizeof(void *) }, r);
	return ok;
}

static bool is_made_by_server(const struct rbac_role *role)
{
	struct cel_value labels = kube_path(role->object->value, "metadata.labels");
	return labels.kind == CEL_MAP && cel_map_field(labels.map, BH_SLICE_LIT("kubernetes.io/bootstrapping"));
}

static int judge_unused_roles(struct judging *j)
{
	struct bh_map used;
	bh_map_init(&used, RBAC_ROLES_MAX + 1000);
	int rc = find_used_roles(j->r, &used) ? 0 : bh_fail(j->err, BH_ELIMIT, 0, "too many roles");
	for (size_t i = 0; rc == 0 && i < j->r->roles.len; i++) {
		const struct rbac_role *role = j->r->roles.ptr[i];
		if (!role->object || is_made_by_server(role) || bh_map_get(&used, (struct bh_slice){ (const uint8_t *)&j->r->roles.ptr[i], sizeof(void *) }))
			continue;
		bh_buf_printf(&j->cells.text[RBAC_RISK_MESSAGE], "%s %.*s is bound to nobody", role->is_cluster ? "ClusterRole" : "Role", BH_SLICE_FMT(role->name));
		rc = say(j, "rbac-unused-role", BH_SEV_NEGLIGIBLE, role->object, "Remove it if nobody needs it.");
	}
	bh_map_done(&used);
	return rc;
}

static int judge_many_bindings(struct judging *j)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < j->r->grants.len; i++) {
		size_t n = 0;
		const struct kube_object *at = NULL;
		for (const struct rbac_grant *g = j->r->grants.entries[i].value; g; g = g->next) {
			n += g->binding->object != NULL;
			at = g->binding->object ? g->binding->object : at;
		}
		if (n < BINDINGS_MANY)
			continue;
		struct bh_slice who = bh_slice_sub(j->r->grants.entries[i].key, 1, SIZE_MAX);
		bh_buf_printf(&j->cells.text[RBAC_RISK_MESSAGE], "%.*s has %zu bindings: nobody keeps an overview", BH_SLICE_FMT(who), n);
		rc = say(j, "rbac-many-bindings", BH_SEV_NEGLIGIBLE, at, "Make one role of what it needs.");
	}
	return rc;
}

/* ---- rights that no role gives ---- */

static int judge_aws_auth(struct judging *j, const struct kube_object *o)
{
	struct bh_slice roles = kube_text(o->value, "data.mapRoles"), users = kube_text(o->value, "data.mapUsers");
	j->aws_auth = "the cluster keeps its users in the ConfigMap aws-auth";
	if (!bh_slice_search(roles, "system:masters") && !bh_slice_search(users, "system:masters"))
		return 0;
	bh_buf_add_str(&j->cells.text[RBAC_RISK_MESSAGE], "a cloud identity is a member of system:masters: it may do everything, and no role takes that from it");
	bh_buf_add_str(&j->cells.text[RBAC_RISK_EVIDENCE], "ConfigMap kube-system/aws-auth");
	return say(j, "rbac-system-masters", BH_SEV_CRITICAL, o, "Map it to a group of your own.");
}

static int judge_cloud_role(struct judging *j, const struct kube_object *o)
{
	static const char *const names[] = { "eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id" };
	struct cel_value annotations = kube_path(o->value, "metadata.annotations");
	for (size_t i = 0; annotations.kind == CEL_MAP && i < sizeof(names) / sizeof(*names); i++) {
		const struct cel_value *v = cel_map_field(annotations.map, bh_slice_str(names[i]));
		if (!v || v->kind != CEL_STRING)
			continue;
		struct weight w = { .severity = BH_SEV_NEGLIGIBLE };
		const char *exposed = rbac_exposure_of(&j->exposure, o->namespace, o->name);
		bh_buf_init(&w.why, KUBE_ASK_CELL_BYTES_MAX / 2);
		if (exposed)
			raise(&w, "raised: its token is in a pod that the outside reaches: ", exposed);
		bh_buf_printf(&j->cells.text[RBAC_RISK_MESSAGE], "sa:%.*s/%.*s has a cloud identity, whose rights no role here shows", BH_SLICE_FMT(o->namespace),
			      BH_SLICE_FMT(o->name));
		bh_buf_printf(&j->cells.text[RBAC_RISK_EVIDENCE], "%s: %.*s%s", names[i], BH_SLICE_FMT(v->text), w.why.len ? "; " : "");
		bh_buf_add(&j->cells.text[RBAC_RISK_EVIDENCE], bh_buf_slice(&w.why));
		bh_buf_done(&w.why);
		return say(j, "rbac-cloud-role", w.severity, o, "Look at what the cloud lets it do.");
	}
	return 0;
}

/* ---- what there is to know before ---- */

static int read_objects(struct judging *j)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < j->all->len; i++) {
		const struct kube_object *o = &j->all->ptr[i];
		if (o->group.len)
			continue;
		bool ok = true;
		if (bh_slice_eq_str(o->kind, "Namespace"))
			ok = put(&j->namespaces, o->name, o);
		if (bh_slice_eq_str(o->kind, "ConfigMap") && bh_slice_eq_str(o->name, "aws-auth") && bh_slice_eq_str(o->namespace, "kube-system"))
			rc = judge_aws_auth(j, o);
		if (bh_slice_eq_str(o->kind, "ServiceAccount")) {
			const char *key = bh_arena_printf(&j->r->arena, "%.*s/%.*s", BH_SLICE_FMT(kube_namespace(o)), BH_SLICE_FMT(o->name));
			ok = key && put(&j->accounts, bh_slice_str(key), o);
			rc = judge_cloud_role(j, o);
		}
		if (!ok)
			rc = bh_fail(j->err, BH_ELIMIT, 0, "too many namespaces and service accounts");
	}
	return rc;
}

/* Namespaces with accounts that could take over the cluster are worth as much as the cluster. */
static int find_privileged(struct judging *j)
{
	bool ok = put(&j->privileged, BH_SLICE_LIT("kube-system"), "the cluster's own parts live in it");
	for (size_t i = 0; ok && i < j->r->bindings.len; i++) {
		const struct rbac_binding *b = j->r->bindings.ptr[i];
		const struct hits *h = b->role && b->namespace.len == 0 ? hits_of(j, b->role) : NULL;
		bool strong = false;
		for (size_t k = 0; h && k < N_RISKS; k++)
			strong |= (h->met >> k & 1) && !(h->named >> k & 1) && catalogue[k].wide == BH_SEV_CRITICAL && !catalogue[k].needs[1].verbs;
		for (size_t k = 0; ok && strong && k < b->n_subjects; k++) {
			const struct rbac_subject *s = &b->subjects[k];
			if (s->kind != RBAC_SERVICE_ACCOUNT || bh_map_get(&j->privileged, s->namespace))
				continue;
			const char *why = bh_arena_printf(&j->r->arena, "sa:%.*s/%.*s can take over the cluster", BH_SLICE_FMT(s->namespace), BH_SLICE_FMT(s->name));
			ok = why && put(&j->privileged, s->namespace, why);
		}
	}
	return ok ? 0 : bh_fail(j->err, BH_ELIMIT, 0, "too many namespaces");
}

static int judge(struct judging *j)
{
	int rc = read_objects(j);
	rc = rc < 0 ? rc : find_privileged(j);
	for (size_t i = 0; rc == 0 && i < j->r->bindings.len; i++)
		if (!is_as_made(j, j->r->bindings.ptr[i]))
			rc = judge_binding(j, j->r->bindings.ptr[i]);
	rc = rc < 0 ? rc : judge_unused_roles(j);
	return rc < 0 ? rc : judge_many_bindings(j);
}

int rbac_risks(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct rbac_asking *a = ctx;
	const struct kube_object_vec none = { 0 };
	struct judging j = { .asked = asked, .all = kube_set_objects(kube_asked_set(asked, 0)), .err = err };
	int rc = rbac_of_asked(asked, 0, a->defaults, &j.r, err);
	if (rc < 0)
		return rc;
	rc = rbac_new(&none, RBAC_DEFAULTS_YES, &j.defaults, err);
	rc = rc < 0 ? rc : rbac_admission_new(asked, j.all, &j.admission, err);
	rc = rc < 0 ? rc : rbac_exposure_find(j.all, &j.exposure, err);
	if (rc == 0) {
		bh_map_init(&j.hits, RBAC_ROLES_MAX + 1000);
		bh_map_init(&j.privileged, NAMESPACES_MAX);
		bh_map_init(&j.namespaces, NAMESPACES_MAX);
		bh_map_init(&j.accounts, KUBE_OBJECTS_MAX);
		bh_arena_init(&j.scratch, 16u << 20);
		kube_cells_init(&j.cells);
		rc = judge(&j);
		kube_cells_done(&j.cells);
		bh_arena_done(&j.scratch);
		bh_map_done(&j.accounts);
		bh_map_done(&j.namespaces);
		bh_map_done(&j.privileged);
		bh_map_done(&j.hits);
		rbac_exposure_done(&j.exposure);
	}
	rbac_admission_free(j.admission);
	rbac_free(j.defaults);
	rbac_free(j.r);
	return rc;
}
