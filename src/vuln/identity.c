/*
 * identity.c: which names are one flaw, and what all records about it say together.
 *
 * Names that a record gives as aliases are joined (union-find): the links of better sources first, of these the ones to a CVE
 * first, then in byte order, so that the result does not depend on the order of addition. A link that would make two CVEs
 * one is left out.
 */
#include "vuln/build.h"

struct keyed {
	uint64_t prefix; /* first 8 bytes, big-endian: most comparisons need no more */
	uint32_t string;
};

struct link {
	uint32_t below, indirect, head, alias; /* UINT16_MAX - precedence; 0 = the head is a CVE; ranks */
};

struct named {
	uint32_t id_rank, is_alias, rank, string;
};

/* Everything between the steps; freed at the end. */
struct work {
	struct vuln_builder *b;
	struct vuln_identity *id;
	struct keyed *sorted; /* strings by rank */
	uint32_t *parent;     /* of a string in its set */
	uint32_t *cve;        /* of a set's root: the string of its CVE; 0 = none */
	uint32_t *best;       /* of a set's root: the string of its id, when a name is used at all; else 0 */
};

void *vuln_array(size_t n, size_t bytes, struct bh_err *err)
{
	void *p = calloc(n ? n : 1, bytes);
	if (!p)
		(void)bh_fail(err, BH_ENOMEM, 0, "out of memory for the advisory database");
	return p;
}

/* ---- ranks ---- */

static int by_string(const void *a, const void *b, void *ctx)
{
	const struct keyed *x = a, *y = b;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return bh_slice_cmp(vuln_b_string(ctx, x->string), vuln_b_string(ctx, y->string));
}

static uint64_t prefix_of(struct bh_slice s)
{
	uint64_t p = 0;
	for (size_t i = 0; i < 8; i++)
		p = p << 8 | (i < s.len ? s.ptr[i] : 0);
	return p;
}

static int rank_strings(struct work *w, struct bh_err *err)
{
	uint32_t n = (uint32_t)w->b->strings.len;
	w->sorted = vuln_array(n, sizeof(*w->sorted), err);
	w->id->rank = vuln_array(n, sizeof(uint32_t), err);
	if (!w->sorted || !w->id->rank)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		w->sorted[i] = (struct keyed){ prefix_of(vuln_b_string(w->b, i)), i };
	qsort_r(w->sorted, n, sizeof(*w->sorted), by_string, w->b);
	for (uint32_t i = 0; i < n; i++)
		w->id->rank[w->sorted[i].string] = i;
	return 0;
}

static int by_rank(const void *a, const void *b, void *ctx)
{
	const struct work *w = ctx;
	uint32_t x = w->id->rank[w->b->sources.ptr[*(const uint32_t *)a].name], y = w->id->rank[w->b->sources.ptr[*(const uint32_t *)b].name];
	return (x > y) - (x < y);
}

static int rank_sources(struct work *w, struct bh_err *err)
{
	uint32_t n = (uint32_t)w->b->sources.len;
	uint32_t *order = vuln_array(n, sizeof(*order), err);
	w->id->source_rank = vuln_array(n, sizeof(uint32_t), err);
	if (!order || !w->id->source_rank) {
		free(order);
		return BH_ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), by_rank, w);
	for (uint32_t i = 0; i < n; i++)
		w->id->source_rank[order[i]] = i;
	free(order);
	return 0;
}

/* ---- sets ---- */

static const struct vuln_b_record *record_of(const struct vuln_builder *b, uint32_t number)
{
	return (const void *)vuln_interned(&b->records, number).ptr;
}

static uint32_t below_of(const struct vuln_builder *b, uint32_t source)
{
	return UINT16_MAX - b->sources.ptr[source].precedence;
}

static int by_link(const void *a, const void *b)
{
	const struct link *x = a, *y = b;
	if (x->below != y->below)
		return x->below < y->below ? -1 : 1;
	if (x->indirect != y->indirect)
		return x->indirect < y->indirect ? -1 : 1;
	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	return (x->alias > y->alias) - (x->alias < y->alias);
}

static int make_links(const struct work *w, struct link **ret, size_t *ret_n, struct bh_err *err)
{
	size_t n = 0, at = 0;
	uint32_t names;
	for (uint32_t i = 0; i < w->b->records.len; i++) {
		(void)vuln_b_list(w->b, record_of(w->b, i)->names, &names);
		n += names - 1;
	}
	struct link *links = vuln_array(n, sizeof(*links), err);
	if (!links)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < w->b->records.len; i++) {
		const struct vuln_b_record *r = record_of(w->b, i);
		const uint32_t *name = vuln_b_list(w->b, r->names, &names);
		for (uint32_t k = 1; k < names; k++)
			links[at++] = (struct link){ below_of(w->b, r->source), w->cve[name[0]] == 0, w->id->rank[name[0]], w->id->rank[name[k]] };
	}
	qsort(links, n, sizeof(*links), by_link);
	*ret = links;
	*ret_n = n;
	return 0;
}

static uint32_t root_of(const struct work *w, uint32_t s)
{
	while (w->parent[s] != s) {
		w->parent[s] = w->parent[w->parent[s]];
		s = w->parent[s];
	}
	return s;
}

static void join(struct work *w, uint32_t a, uint32_t b)
{
	a = root_of(w, a);
	b = root_of(w, b);
	if (a == b || (w->cve[a] && w->cve[b]))
		return;
	w->parent[b] = a;
	w->cve[a] = w->cve[a] ? w->cve[a] : w->cve[b];
}

static int make_sets(struct work *w, struct bh_err *err)
{
	uint32_t n = (uint32_t)w->b->strings.len;
	struct link *links;
	size_t n_links;
	w->parent = vuln_array(n, sizeof(uint32_t), err);
	w->cve = vuln_array(n, sizeof(uint32_t), err);
	if (!w->parent || !w->cve)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		w->parent[i] = i;
		w->cve[i] = vuln_is_cve(vuln_b_string(w->b, i)) ? i : 0;
	}
	int rc = make_links(w, &links, &n_links, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n_links; i++)
		join(w, w->sorted[links[i].head].string, w->sorted[links[i].alias].string);
	free(links);
	return 0;
}

/* ---- advisories ---- */

/* Notes that a string names a flaw, and whether it is the best name of its set. */
static void use_name(struct work *w, uint32_t s, uint8_t *used, uint32_t *n_used)
{
	uint32_t root = root_of(w, s);
	*n_used += !used[s];
	used[s] = 1;
	if (w->best[root] == 0 || vuln_name_cmp(vuln_b_string(w->b, s), vuln_b_string(w->b, w->best[root])) < 0)
		w->best[root] = s;
}

static void use_names(struct work *w, uint8_t *used, uint32_t *n_used)
{
	for (uint32_t i = 0; i < w->b->records.len; i++) {
		uint32_t n;
		const uint32_t *name = vuln_b_list(w->b, record_of(w->b, i)->names, &n);
		for (uint32_t k = 0; k < n; k++)
			use_name(w, name[k], used, n_used);
	}
	for (size_t i = 0; i < w->b->rows.len; i++)
		if (!used[w->b->rows.ptr[i].id])
			use_name(w, w->b->rows.ptr[i].id, used, n_used);
}

static int by_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	if (x->id_rank != y->id_rank)
		return x->id_rank < y->id_rank ? -1 : 1;
	if (x->is_alias != y->is_alias)
		return x->is_alias < y->is_alias ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* From the sorted names to advisories with their runs of aliases. */
static int number_advisories(struct work *w, const struct named *names, uint32_t n, struct bh_err *err)
{
	struct vuln_identity *id = w->id;
	uint32_t n_ids = 0;
	for (uint32_t i = 0; i < n; i++)
		n_ids += !names[i].is_alias;
	id->advisories = vuln_array(n_ids, sizeof(*id->advisories), err);
	id->aliases = vuln_array(n - n_ids, sizeof(uint32_t), err);
	if (!id->advisories || !id->aliases)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = names[i].string;
		if (!names[i].is_alias) {
			id->advisories[id->n_advisories++] = (struct vuln_b_advisory){ .id = s, .first_alias = id->n_aliases, .source = VULN_NO_SOURCE };
		} else {
			struct vuln_b_advisory *a = &id->advisories[id->n_advisories - 1];
			id->aliases[id->n_aliases++] = s;
			if (++a->n_aliases > UINT16_MAX)
				return bh_fail(err, BH_ELIMIT, 0, "%.*s has more than %u aliases", BH_SLICE_FMT(vuln_b_string(w->b, a->id)), UINT16_MAX);
			id->name_no[s] = (uint16_t)a->n_aliases;
		}
		id->advisory_of[s] = id->n_advisories - 1;
	}
	return 0;
}

static int make_advisories(struct work *w, struct bh_err *err)
{
	uint32_t n = (uint32_t)w->b->strings.len, n_used = 0, at = 0;
	uint8_t *used = vuln_array(n, 1, err);
	struct named *names = NULL;
	int rc = BH_ENOMEM;
	w->best = vuln_array(n, sizeof(uint32_t), err);
	w->id->advisory_of = vuln_array(n, sizeof(uint32_t), err);
	w->id->name_no = vuln_array(n, sizeof(uint16_t), err);
	if (used && w->best && w->id->advisory_of && w->id->name_no) {
		use_names(w, used, &n_used);
		names = vuln_array(n_used, sizeof(*names), err);
	}
	if (names) {
		for (uint32_t s = 0; s < n; s++) {
			uint32_t best = w->best[root_of(w, s)];
			w->id->advisory_of[s] = VULN_NO_INDEX;
			if (used[s])
				names[at++] = (struct named){ w->id->rank[best], s != best, w->id->rank[s], s };
		}
		qsort(names, n_used, sizeof(*names), by_named);
		rc = number_advisories(w, names, n_used, err);
	}
	free(names);
	free(used);
	return rc;
}

/* ---- records ---- */

static int cmp_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* Lists of strings by their ranks. */
static int cmp_lists(const struct work *w, uint32_t a, uint32_t b)
{
	uint32_t n_a, n_b;
	const uint32_t *x = vuln_b_list(w->b, a, &n_a), *y = vuln_b_list(w->b, b, &n_b);
	for (uint32_t i = 0; a != b && i < n_a && i < n_b; i++)
		if (x[i] != y[i])
			return cmp_u32(w->id->rank[x[i]], w->id->rank[y[i]]);
	return cmp_u32(n_a, n_b);
}

/* A total order by content: the better source first, then whatever differs. */
static int by_fact(const void *a, const void *b, void *ctx)
{
	const struct work *w = ctx;
	const struct vuln_b_fact *f = a, *g = b;
	if (f->advisory != g->advisory)
		return cmp_u32(f->advisory, g->advisory);
	const struct vuln_b_record *x = record_of(w->b, f->record), *y = record_of(w->b, g->record);
	int c = cmp_u32(below_of(w->b, x->source), below_of(w->b, y->source));
	c = c ? c : cmp_u32(w->id->source_rank[x->source], w->id->source_rank[y->source]);
	c = c ? c : cmp_lists(w, x->names, y->names);
	c = c ? c : cmp_lists(w, x->cvss, y->cvss);
	c = c ? c : cmp_u32(w->id->rank[x->title], w->id->rank[y->title]);
	c = c ? c : (x->published_day > y->published_day) - (x->published_day < y->published_day);
	c = c ? c : (x->modified_day > y->modified_day) - (x->modified_day < y->modified_day);
	c = c ? c : (x->withdrawn_day > y->withdrawn_day) - (x->withdrawn_day < y->withdrawn_day);
	c = c ? c : cmp_u32(x->flags, y->flags);
	c = c ? c : cmp_u32(x->score_tenths, y->score_tenths);
	return c ? c : cmp_u32(x->severity, y->severity);
}

/* Facts [0, n) are an advisory's; they and the view agree when there is one, and it names just these names. */
static bool says_all(const struct work *w, const struct vuln_b_fact *facts, uint32_t n)
{
	uint32_t names;
	const uint32_t *name = vuln_b_list(w->b, record_of(w->b, facts->record)->names, &names);
	if (n != 1 || names != w->id->advisories[facts->advisory].n_aliases + 1)
		return false;
	for (uint32_t i = 0; i < names; i++)
		if (w->id->advisory_of[name[i]] != facts->advisory)
			return false;
	return true;
}

/* The vectors of all records: those of better sources first, in each the newer version of CVSS first. */
static int merge_cvss(struct work *w, const struct vuln_b_fact *facts, uint32_t n, uint32_t *ret, struct bh_err *err)
{
	struct vuln_u32_vec *all = &w->b->numbers;
	all->len = 0;
	size_t group = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct vuln_b_record *r = record_of(w->b, facts[i].record);
		if (i && below_of(w->b, r->source) != below_of(w->b, record_of(w->b, facts[i - 1].record)->source))
			group = all->len;
		uint32_t n_cvss;
		const uint32_t *cvss = vuln_b_list(w->b, r->cvss, &n_cvss);
		for (uint32_t k = 0; k < n_cvss; k++) {
			size_t at = 0;
			while (at < all->len && all->ptr[at] != cvss[k])
				at++;
			if (at < all->len)
				continue;
			if (!vuln_u32_vec_push(all, cvss[k]))
				return bh_fail(err, BH_ENOMEM, 0, "out of memory for the advisory database");
			for (; at > group && vuln_cvss_cmp(vuln_b_string(w->b, all->ptr[at - 1]), vuln_b_string(w->b, cvss[k])) > 0; at--) {
				all->ptr[at] = all->ptr[at - 1];
				all->ptr[at - 1] = cvss[k];
			}
		}
	}
	if (all->len > UINT16_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%.*s has more than %u CVSS vectors",
			       BH_SLICE_FMT(vuln_b_string(w->b, w->id->advisories[facts->advisory].id)), UINT16_MAX);
	return vuln_intern_list(w->b, ret, err);
}

static int32_t earlier(int32_t a, int32_t b)
{
	if (a == VULN_NO_DAY || b == VULN_NO_DAY)
		return a == VULN_NO_DAY ? b : a;
	return a < b ? a : b;
}

/*
 * One view of several records. Severity, score and title are the best source's that has one (of equally good ones the
 * higher, the first by name). Withdrawn and informational is only what all records call so; malware what any does.
 */
static int merge_records(struct work *w, const struct vuln_b_fact *facts, uint32_t n, struct vuln_b_record *ret, struct bh_err *err)
{
	const uint16_t unanimous = VULN_ADV_WITHDRAWN | VULN_ADV_INFORMATIONAL;
	struct vuln_b_record v = { .published_day = VULN_NO_DAY, .modified_day = VULN_NO_DAY, .withdrawn_day = VULN_NO_DAY, .flags = unanimous };
	uint32_t severity_below = 0, score_below = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct vuln_b_record *r = record_of(w->b, facts[i].record);
		uint32_t below = below_of(w->b, r->source);
		if (r->severity != BH_SEV_UNKNOWN && (v.severity == BH_SEV_UNKNOWN || (below == severity_below && r->severity > v.severity))) {
			v.severity = r->severity;
			severity_below = below;
		}
		if (r->score_tenths && (v.score_tenths == 0 || (below == score_below && r->score_tenths > v.score_tenths))) {
			v.score_tenths = r->score_tenths;
			score_below = below;
		}
		v.title = v.title ? v.title : r->title;
		v.published_day = earlier(v.published_day, r->published_day);
		v.modified_day = r->modified_day > v.modified_day ? r->modified_day : v.modified_day;
		v.withdrawn_day = r->withdrawn_day > v.withdrawn_day ? r->withdrawn_day : v.withdrawn_day;
		v.flags = (uint16_t)((v.flags & r->flags & unanimous) | ((v.flags | r->flags) & ~unanimous));
	}
	if (!(v.flags & VULN_ADV_WITHDRAWN))
		v.withdrawn_day = VULN_NO_DAY;
	int rc = merge_cvss(w, facts, n, &v.cvss, err);
	if (rc == 0)
		*ret = v;
	return rc;
}

static int view_advisories(struct work *w, struct bh_err *err)
{
	struct vuln_identity *id = w->id;
	uint32_t n = (uint32_t)w->b->records.len;
	id->facts = vuln_array(n, sizeof(*id->facts), err);
	if (!id->facts)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t names;
		id->facts[i] = (struct vuln_b_fact){ id->advisory_of[vuln_b_list(w->b, record_of(w->b, i)->names, &names)[0]], i };
	}
	qsort_r(id->facts, n, sizeof(*id->facts), by_fact, w);
	const struct vuln_b_record none = { .published_day = VULN_NO_DAY, .modified_day = VULN_NO_DAY, .withdrawn_day = VULN_NO_DAY };
	for (uint32_t i = 0; i < id->n_advisories; i++)
		id->advisories[i].view = none;
	for (uint32_t i = 0, end; i < n; i = end) {
		struct vuln_b_advisory *a = &id->advisories[id->facts[i].advisory];
		for (end = i + 1; end < n && id->facts[end].advisory == id->facts[i].advisory;)
			end++;
		int rc = merge_records(w, &id->facts[i], end - i, &a->view, err);
		if (rc < 0)
			return rc;
		if (says_all(w, &id->facts[i], end - i)) {
			a->source = record_of(w->b, id->facts[i].record)->source;
			continue;
		}
		memmove(&id->facts[id->n_facts], &id->facts[i], (end - i) * sizeof(*id->facts));
		id->n_facts += end - i;
	}
	return 0;
}

int vuln_identity_make(struct vuln_builder *b, struct vuln_identity *ret, struct bh_err *err)
{
	struct work w = { .b = b, .id = ret };
	*ret = (struct vuln_identity){ 0 };
	int rc = rank_strings(&w, err);
	rc = rc < 0 ? rc : rank_sources(&w, err);
	rc = rc < 0 ? rc : make_sets(&w, err);
	rc = rc < 0 ? rc : make_advisories(&w, err);
	rc = rc < 0 ? rc : view_advisories(&w, err);
	free(w.sorted);
	free(w.parent);
	free(w.cve);
	free(w.best);
	if (rc < 0)
		vuln_identity_done(ret);
	return rc;
}

void vuln_identity_done(struct vuln_identity *id)
{
	free(id->rank);
	free(id->advisory_of);
	free(id->name_no);
	free(id->source_rank);
	free(id->advisories);
	free(id->aliases);
	free(id->facts);
	*id = (struct vuln_identity){ 0 };
}
