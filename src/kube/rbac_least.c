/*
 * rbac_least.c: rbac_least.h. Each request is a rule of one verb, group, resource and name. Two rules that differ in one of these only are one rule with both:
 * that is exact, whatever the order. It is done for names, verbs, resources and groups; requests without a name make those with one of the same verb needless.
 */
#include "kube/rbac_least.h"

#include <stdlib.h>

#include "kube/cells.h"

#define ARENA_BYTES_MAX (1024u << 20)
#define YAML_BYTES_MAX (256u << 20)
#define PIECE_BYTES 32768u
#define NAME_CHARACTERS_MAX 200u

enum part { PART_NAME, PART_VERB, PART_RESOURCE, PART_GROUP, PARTS };

struct draft {
	struct bh_slice namespace;
	bool is_url; /* the URLs are resources then */
	struct rbac_words part[PARTS];
};
BH_VEC(draft_vec, struct draft)

/* A subject of the log: all askers of one name. */
struct subject {
	struct rbac_subject who;
	struct bh_slice name;
	const struct rbac_asker **askers;
	size_t n_askers;
};

struct work {
	struct kube_asked *asked;
	struct rbac_leasting *l;
	struct rbac *everybody; /* the defaults, to be asked about groups that every user has */
	struct bh_arena arena;  /* of one subject */
	struct draft_vec drafts;
	struct bh_buf yaml;
	uint64_t events, requests, by_default, allowed, denied, extra;
	struct bh_err *err;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the roles of one subject need more memory than there is for them");
}

/* ---- which requests ---- */

/* What the API server lets every user do by the groups that they all have. */
static bool is_default(const struct work *w, const struct rbac_asker *a, const struct rbac_request *q)
{
	struct bh_slice common[4];
	struct rbac_user user = { .groups = { common, 0 } };
	for (size_t i = 0; i < a->user.groups.n && user.groups.n < 4; i++)
		if (bh_slice_eq_str(a->user.groups.ptr[i], "system:authenticated") || bh_slice_starts(a->user.groups.ptr[i], BH_SLICE_LIT("system:serviceaccounts")))
			common[user.groups.n++] = a->user.groups.ptr[i];
	return w->everybody && rbac_allows(w->everybody, &user, q, NULL);
}

static bool one_word(struct work *w, struct bh_slice text, struct rbac_words *ret)
{
	struct bh_slice *word = BH_ARENA_NEW(&w->arena, struct bh_slice);
	if (word)
		*word = text;
	*ret = (struct rbac_words){ word, 1 };
	return word != NULL;
}

static bool add_draft(struct work *w, const struct rbac_request *q)
{
	struct draft d = { .namespace = q->namespace, .is_url = q->is_url };
	struct bh_slice resource = q->is_url ? q->path : q->resource;
	if (q->subresource.len) {
		struct bh_buf both;
		bh_buf_init(&both, 1u << 20);
		bh_buf_add(&both, q->resource);
		bh_buf_add_byte(&both, '/');
		bh_buf_add(&both, q->subresource);
		bool ok = !both.failed && bh_arena_copy(&w->arena, bh_buf_slice(&both), &resource);
		bh_buf_done(&both);
		if (!ok)
			return false;
	}
	return one_word(w, q->verb, &d.part[PART_VERB]) && one_word(w, resource, &d.part[PART_RESOURCE]) && one_word(w, q->group, &d.part[PART_GROUP])
	       && (q->name.len == 0 || one_word(w, q->name, &d.part[PART_NAME])) && draft_vec_push(&w->drafts, d);
}

/* Would the same without a name, or everywhere, be asked too? Then this needs no rule. */
static bool is_covered(struct work *w, const struct subject *s, const struct rbac_request *q)
{
	for (size_t i = 0; !q->is_url && i < s->n_askers; i++)
		for (unsigned how = 1; how < 4; how++) {
			struct rbac_request wider = *q;
			if (how & 1)
				wider.name.len = 0;
			if (how & 2)
				wider.namespace.len = 0;
			if (wider.name.len == q->name.len && wider.namespace.len == q->namespace.len)
				continue;
			const struct rbac_asked *found = rbac_audit_find(&w->l->audit, s->askers[i], &wider);
			if (found && found->allowed && !is_default(w, s->askers[i], &wider))
				return true;
		}
	return false;
}

static int collect(struct work *w, const struct subject *s)
{
	for (size_t i = 0; i < s->n_askers; i++)
		for (size_t k = 0; k < s->askers[i]->requests.len; k++) {
			const struct rbac_asked *r = s->askers[i]->requests.entries[k].value;
			w->denied += r->allowed == 0;
			if (r->allowed == 0)
				continue;
			w->events += r->allowed;
			w->requests++;
			if (is_default(w, s->askers[i], &r->q))
				w->by_default++;
			else if (!is_covered(w, s, &r->q) && !add_draft(w, &r->q))
				return no_memory(w->err);
		}
	return 0;
}

/* ---- fewer rules ---- */

static int compare_words(struct rbac_words a, struct rbac_words b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		int c = bh_slice_cmp(a.ptr[i], b.ptr[i]);
		if (c)
			return c;
	}
	return (a.n > b.n) - (a.n < b.n);
}

/* In all but the part; of names it still counts whether there are any. */
static int compare_but(const void *x, const void *y, void *but)
{
	const struct draft *a = x, *b = y;
	int c = bh_slice_cmp(a->namespace, b->namespace);
	c = c ? c : a->is_url - b->is_url;
	c = c ? c : (a->part[PART_NAME].n > 0) - (b->part[PART_NAME].n > 0);
	for (enum part p = PARTS; c == 0 && p-- > 0;)
		c = p == *(const enum part *)but ? 0 : compare_words(a->part[p], b->part[p]);
	return c;
}

static int by_text(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

/* All words of the drafts' part, each once, in order. */
static bool unite(struct work *w, const struct draft *d, size_t n, enum part part, struct rbac_words *ret)
{
	size_t total = 0, kept = 0;
	for (size_t i = 0; i < n; i++)
		total += d[i].part[part].n;
	struct bh_slice *words = bh_arena_array(&w->arena, total + 1, sizeof(*words));
	if (!words)
		return false;
	total = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < d[i].part[part].n; k++)
			words[total++] = d[i].part[part].ptr[k];
	qsort(words, total, sizeof(*words), by_text);
	for (size_t i = 0; i < total; i++)
		if (kept == 0 || !bh_slice_eq(words[kept - 1], words[i]))
			words[kept++] = words[i];
	*ret = (struct rbac_words){ words, kept };
	return true;
}

static bool merge(struct work *w, enum part part)
{
	size_t kept = 0;
	if (w->drafts.len)
		qsort_r(w->drafts.ptr, w->drafts.len, sizeof(*w->drafts.ptr), compare_but, &part);
	for (size_t i = 0, n; i < w->drafts.len; i += n) {
		struct draft *d = &w->drafts.ptr[i];
		for (n = 1; i + n < w->drafts.len && compare_but(d, d + n, &part) == 0;)
			n++;
		struct draft united = *d;
		if (!unite(w, d, n, part, &united.part[part]))
			return false;
		w->drafts.ptr[kept++] = united;
	}
	w->drafts.len = kept;
	return true;
}

/* ---- YAML ---- */

static void add_list(struct bh_buf *out, const char *field, struct rbac_words words)
{
	bh_buf_printf(out, "%s: [", field);
	for (size_t i = 0; i < words.n; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		bh_buf_add_json(out, words.ptr[i]);
	}
	bh_buf_add_str(out, "]\n");
}

static void add_rule(struct bh_buf *out, const struct draft *d)
{
	if (d->is_url) {
		add_list(out, "- nonResourceURLs", d->part[PART_RESOURCE]);
	} else {
		add_list(out, "- apiGroups", d->part[PART_GROUP]);
		add_list(out, "  resources", d->part[PART_RESOURCE]);
		if (d->part[PART_NAME].n)
			add_list(out, "  resourceNames", d->part[PART_NAME]);
	}
	add_list(out, "  verbs", d->part[PART_VERB]);
}

/* "least-sa-shop.web": a namespace has no dot. What no name may have is replaced, and told apart by a number behind it. */
static void add_name(struct bh_buf *out, const struct subject *s)
{
	bool is_account = s->who.kind == RBAC_SERVICE_ACCOUNT;
	struct bh_slice name = bh_slice_sub(s->who.name, 0, NAME_CHARACTERS_MAX);
	bool whole = name.len == s->who.name.len;
	bh_buf_printf(out, "\"least-%s-%.*s%s", is_account ? "sa" : "user", BH_SLICE_FMT(is_account ? s->who.namespace : (struct bh_slice){ 0 }), is_account ? "." : "");
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
		bh_buf_add_byte(out, good ? c : '-');
		whole &= good;
	}
	if (!whole)
		bh_buf_printf(out, "-%08x", (unsigned)(bh_slice_hash(s->name) & 0xffffffffu));
	bh_buf_add_byte(out, '"');
}

static void add_head(struct bh_buf *out, const char *kind, const struct subject *s, struct bh_slice namespace)
{
	bh_buf_printf(out, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s%s\nmetadata:\n  name: ", namespace.len ? "" : "Cluster", kind);
	add_name(out, s);
	if (namespace.len) {
		bh_buf_add_str(out, "\n  namespace: ");
		bh_buf_add_json(out, namespace);
	}
	bh_buf_add_byte(out, '\n');
}

static void add_binding(struct bh_buf *out, const struct subject *s, struct bh_slice namespace)
{
	add_head(out, "RoleBinding", s, namespace);
	bh_buf_printf(out, "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: %sRole\n  name: ", namespace.len ? "" : "Cluster");
	add_name(out, s);
	if (s->who.kind == RBAC_SERVICE_ACCOUNT) {
		bh_buf_add_str(out, "\nsubjects:\n- kind: ServiceAccount\n  namespace: ");
		bh_buf_add_json(out, s->who.namespace);
		bh_buf_add_str(out, "\n  name: ");
	} else
		bh_buf_add_str(out, "\nsubjects:\n- kind: User\n  apiGroup: rbac.authorization.k8s.io\n  name: ");
	bh_buf_add_json(out, s->who.name);
	bh_buf_add_byte(out, '\n');
}

/* The drafts are in the order of their namespaces. */
static void add_roles(struct work *w, const struct subject *s)
{
	for (size_t i = 0; i < w->drafts.len;) {
		struct bh_slice namespace = w->drafts.ptr[i].namespace;
		add_head(&w->yaml, "Role", s, namespace);
		bh_buf_add_str(&w->yaml, "rules:\n");
		for (; i < w->drafts.len && bh_slice_eq(w->drafts.ptr[i].namespace, namespace); i++)
			add_rule(&w->yaml, &w->drafts.ptr[i]);
		add_binding(&w->yaml, s, namespace);
	}
}

/* ---- the proof: what was written is read, and asked ---- */

static bool was_asked(struct work *w, const struct subject *s, const struct rbac_request *q)
{
	for (size_t i = 0; i < s->n_askers; i++) {
		const struct rbac_asked *found = rbac_audit_find(&w->l->audit, s->askers[i], q);
		if (found && found->allowed)
			return true;
	}
	return false;
}

/* How many of the single rights of a rule nobody asked for. */
static uint64_t count_extra(struct work *w, const struct subject *s, const struct rbac_rule *rule)
{
	const struct bh_slice none = { 0 };
	const struct rbac_words no_name = { &none, 1 }, names = rule->names.n ? rule->names : no_name;
	uint64_t extra = 0;
	struct rbac_request q = { .namespace = rule->role->namespace };
	for (size_t v = 0; v < rule->verbs.n; v++) {
		q.verb = rule->verbs.ptr[v];
		for (size_t i = 0; i < rule->urls.n; i++) {
			const struct rbac_request url = { .verb = q.verb, .is_url = true, .path = rule->urls.ptr[i] };
			extra += !was_asked(w, s, &url);
		}
		for (size_t g = 0; g < rule->groups.n; g++)
			for (size_t i = 0; i < rule->resources.n; i++)
				for (size_t k = 0; k < names.n; k++) {
					q.group = rule->groups.ptr[g];
					q.subresource = none;
					(void)bh_slice_cut(rule->resources.ptr[i], '/', &q.resource, &q.subresource);
					q.name = names.ptr[k];
					extra += !was_asked(w, s, &q);
				}
	}
	return extra;
}

static void replay(struct work *w, const struct subject *s, const struct rbac *r)
{
	for (size_t i = 0; i < s->n_askers; i++)
		for (size_t k = 0; k < s->askers[i]->requests.len; k++) {
			const struct rbac_asked *a = s->askers[i]->requests.entries[k].value;
			const struct rbac_user user = { .name = s->askers[i]->user.name };
			if (a->allowed && !is_default(w, s->askers[i], &a->q))
				w->allowed += rbac_allows(r, &user, &a->q, NULL);
		}
	for (size_t i = 0; i < r->roles.len; i++)
		for (size_t k = 0; k < r->roles.ptr[i]->n_rules; k++)
			w->extra += count_extra(w, s, r->roles.ptr[i]->rules[k]);
}

static int prove(struct work *w, const struct subject *s)
{
	struct kube_set *set;
	struct rbac *r;
	int rc = kube_set_new(ARENA_BYTES_MAX, &set, w->err);
	if (rc < 0)
		return rc;
	rc = kube_set_read(set, BH_SLICE_LIT("roles"), bh_buf_slice(&w->yaml), w->err);
	rc = rc < 0 ? rc : rbac_new(kube_set_objects(set), RBAC_DEFAULTS_NO, &r, w->err);
	if (rc == 0) {
		replay(w, s, r);
		rbac_free(r);
	}
	kube_set_free(set);
	return rc;
}

/* ---- what is said ---- */

static int say_yaml(struct work *w)
{
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < w->yaml.len; at += PIECE_BYTES) {
		struct bh_slice piece = bh_slice_sub(bh_buf_slice(&w->yaml), at, PIECE_BYTES);
		rc = kube_say(w->asked, RBAC_ROW_YAML, &piece, 1, w->err);
	}
	return rc;
}

static int say_proof(struct work *w, const struct subject *s)
{
	struct kube_cells c;
	const uint64_t numbers[] = { w->events, w->requests, w->by_default, w->allowed, w->denied, w->extra };
	kube_cells_init(&c);
	rbac_subject_print(&s->who, &c.text[RBAC_PROOF_SUBJECT]);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		bh_buf_printf(&c.text[RBAC_PROOF_EVENTS + i], "%llu", (unsigned long long)numbers[i]);
	int rc = kube_cells_say(w->asked, &c, RBAC_ROW_PROOF, RBAC_PROOF_CELLS, w->err);
	kube_cells_done(&c);
	return rc;
}

static void add_comment(struct work *w, const struct subject *s)
{
	struct bh_buf name;
	bh_buf_init(&name, 1u << 20);
	rbac_subject_print(&s->who, &name);
	bh_buf_add_str(&w->yaml, "# ");
	bh_buf_add_escaped(&w->yaml, bh_buf_slice(&name));
	bh_buf_printf(&w->yaml, ": %llu different requests in %llu events\n", (unsigned long long)w->requests, (unsigned long long)w->events);
	bh_buf_done(&name);
}

static int answer_subject(struct work *w, const struct subject *s)
{
	bh_arena_done(&w->arena);
	bh_buf_clear(&w->yaml);
	w->drafts.len = 0;
	w->events = w->requests = w->by_default = w->allowed = w->denied = w->extra = 0;
	int rc = collect(w, s);
	for (enum part p = 0; rc == 0 && p < PARTS; p++)
		rc = merge(w, p) ? 0 : no_memory(w->err);
	if (rc < 0)
		return rc;
	add_comment(w, s);
	add_roles(w, s);
	rc = w->yaml.failed ? no_memory(w->err) : prove(w, s);
	rc = rc < 0 ? rc : say_yaml(w);
	return rc < 0 ? rc : say_proof(w, s);
}

/* ---- which subjects ---- */

static bool is_wanted(const struct rbac_leasting *l, struct bh_slice name)
{
	struct bh_slice namespace, account;
	bool is_account = rbac_is_service_account(name, &namespace, &account);
	for (size_t i = 0; i < l->n_subjects; i++) {
		struct rbac_subject s;
		if (rbac_subject_parse(bh_slice_str(l->subjects[i]), &s) && rbac_is_subject(&s, name))
			return true;
	}
	if (l->n_subjects)
		return false;
	return is_account ? !bh_slice_eq_str(namespace, "kube-system") : !bh_slice_starts(name, BH_SLICE_LIT("system:"));
}

static int by_name(const void *x, const void *y)
{
	const struct rbac_asker *a = *(const struct rbac_asker *const *)x, *b = *(const struct rbac_asker *const *)y;
	return bh_slice_cmp(a->user.name, b->user.name);
}

static int answer_all(struct work *w)
{
	const struct bh_map *all = &w->l->audit.askers;
	const struct rbac_asker **askers = calloc(all->len + 1, sizeof(*askers));
	size_t n = 0;
	int rc = askers ? 0 : no_memory(w->err);
	for (size_t i = 0; askers && i < all->len; i++) {
		const struct rbac_asker *a = all->entries[i].value;
		if (is_wanted(w->l, a->user.name))
			askers[n++] = a;
	}
	if (n)
		qsort(askers, n, sizeof(*askers), by_name);
	for (size_t i = 0, k; rc == 0 && i < n; i += k) {
		struct subject s = { .name = askers[i]->user.name, .askers = askers + i, .who = { .kind = RBAC_USER, .name = askers[i]->user.name } };
		if (rbac_is_service_account(s.name, &s.who.namespace, &s.who.name))
			s.who.kind = RBAC_SERVICE_ACCOUNT;
		for (k = 1; i + k < n && bh_slice_eq(askers[i + k]->user.name, s.name);)
			k++;
		s.n_askers = k;
		rc = answer_subject(w, &s);
	}
	free(askers);
	return rc;
}

int rbac_least_read(struct kube_asked *asked, void *ctx, struct bh_slice name, int fd, struct bh_err *err)
{
	struct rbac_leasting *l = ctx;
	return rbac_log_read(asked, &l->audit, name, fd, err);
}

int rbac_least(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct kube_object_vec none = { 0 };
	struct work w = { .asked = asked, .l = ctx, .err = err, .drafts = { .max = RBAC_AUDIT_REQUESTS_MAX } };
	int rc = w.l->without_defaults ? 0 : rbac_new(&none, RBAC_DEFAULTS_YES, &w.everybody, err);
	bh_arena_init(&w.arena, ARENA_BYTES_MAX);
	bh_buf_init(&w.yaml, YAML_BYTES_MAX);
	rc = rc < 0 ? rc : answer_all(&w);
	rc = rc < 0 ? rc : rbac_log_say(asked, &w.l->audit, err);
	bh_buf_done(&w.yaml);
	bh_arena_done(&w.arena);
	draft_vec_done(&w.drafts);
	rbac_free(w.everybody);
	return rc;
}
