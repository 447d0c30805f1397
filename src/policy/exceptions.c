/* exceptions.c: see exceptions.h. Ids without a pattern are found by a map, so that long lists cost little. */
#include "policy/exceptions.h"

#include "base/map.h"
#include "policy/glob.h"
#include "policy/product.h"

#include <stdio.h>

#define ID_BYTES_MAX 256u

/* ---- reading ---- */

static int fail_at(const char *file, const struct bh_yaml_node *at, struct bh_err *err, const char *what, struct bh_slice which)
{
	return bh_fail(err, BH_EUSAGE, 0, "%s:%u:%u: %s%s%.*s%s", file, bh_yaml_line(at), bh_yaml_column(at), what, which.len ? " '" : "",
		       BH_SLICE_FMT(bh_slice_sub(which, 0, 100)), which.len ? "'" : "");
}

bool policy_is_day(struct bh_slice s)
{
	static const uint8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t year, month, day;
	if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-' || !bh_slice_u64(bh_slice_sub(s, 0, 4), 9999, &year) ||
	    !bh_slice_u64(bh_slice_sub(s, 5, 2), 12, &month) || !bh_slice_u64(bh_slice_sub(s, 8, 2), 31, &day) || month == 0 || day == 0)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= days[month - 1] && (month != 2 || day < 29 || leap);
}

/* Where the value of a key goes; NULL for keys that don't exist. */
static struct bh_slice *field_of(struct bh_exception *e, struct bh_slice key)
{
	struct {
		const char *name;
		struct bh_slice *field;
	} fields[] = { { "id", &e->id },         { "package", &e->package }, { "path", &e->path },
		       { "reason", &e->reason }, { "owner", &e->owner },     { "expires", &e->expires } };
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (bh_slice_eq_str(key, fields[i].name))
			return fields[i].field;
	return NULL;
}

static int check_complete(const struct bh_exception *e, const char *file, const struct bh_yaml_node *item, struct bh_err *err)
{
	const struct {
		const char *complaint;
		struct bh_slice value;
	} must[] = { { "the exception has no id (\"*\" is any)", e->id },
		     { "the exception has no reason", e->reason },
		     { "the exception has no owner", e->owner },
		     { "the exception has no expires: it must end some day", e->expires } };
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		if (bh_slice_trim(must[i].value).len == 0)
			return fail_at(file, item, err, must[i].complaint, e->id);
	return 0;
}

static int read_one(const struct bh_yaml_node *item, const char *file, struct bh_arena *arena, struct bh_exception_vec *out, struct bh_err *err)
{
	struct bh_exception e = { 0 };
	const struct bh_yaml_node *key, *value;
	if (!bh_yaml_is(item, BH_YAML_MAPPING))
		return fail_at(file, item, err, "an exception needs id, reason, owner and expires", (struct bh_slice){ 0 });
	for (size_t i = 0; bh_yaml_pair(item, i, &key, &value); i++) {
		struct bh_slice *field = field_of(&e, bh_yaml_str(key));
		if (!field)
			return fail_at(file, key, err, "an exception may have id, package, path, reason, owner and expires, not", bh_yaml_str(key));
		if (!bh_yaml_is(value, BH_YAML_SCALAR) || bh_yaml_is_null(value))
			return fail_at(file, value, err, "one value is needed for", bh_yaml_str(key));
		if (!bh_arena_copy(arena, bh_yaml_str(value), field))
			return bh_fail(err, BH_ELIMIT, 0, "%s: too many exceptions", file);
	}
	int rc = check_complete(&e, file, item, err);
	if (rc == 0 && !policy_is_day(e.expires))
		rc = fail_at(file, bh_yaml_get(item, "expires"), err, "expires must be a day like 2026-12-31, not", e.expires);
	if (rc == 0 && e.id.len > ID_BYTES_MAX)
		rc = fail_at(file, bh_yaml_get(item, "id"), err, "the id is too long", (struct bh_slice){ 0 });
	e.from = bh_slice_str(bh_arena_printf(arena, "%s:%u", file, bh_yaml_line(item)));
	if (rc == 0 && !bh_exception_vec_push(out, e))
		rc = bh_fail(err, BH_ELIMIT, 0, "%s: more than %zu exceptions", file, out->max);
	return rc;
}

int policy_exceptions_read(const struct bh_yaml_node *list, const char *file, struct bh_arena *arena, struct bh_exception_vec *out,
			   struct bh_err *err)
{
	if (bh_yaml_is_null(list))
		return 0;
	if (!bh_yaml_is(list, BH_YAML_SEQUENCE))
		return fail_at(file, list, err, "exceptions must be a list", (struct bh_slice){ 0 });
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_yaml_len(list); i++)
		rc = read_one(bh_yaml_at(list, i), file, arena, out, err);
	return rc;
}

/* ---- matching ---- */

/* An exception as it is looked up. next: further ones for the same id. */
struct entry {
	struct bh_exception *exception;
	struct entry *next;
	struct policy_product package; /* when the package is a purl */
	bool has_purl;
	enum bh_severity worst;        /* of what it matched after it ran out */
};

struct lookup {
	struct bh_arena arena;
	struct bh_map by_id;
	struct entry *entries;
	size_t n;
	struct entry *patterns; /* chain of those whose id is a pattern */
	const char *today;
};

static struct bh_slice lower_id(struct bh_slice id, uint8_t out[ID_BYTES_MAX])
{
	size_t n = id.len < ID_BYTES_MAX ? id.len : ID_BYTES_MAX;
	for (size_t i = 0; i < n; i++)
		out[i] = bh_lower(id.ptr[i]);
	return (struct bh_slice){ out, n };
}

static bool add_entry(struct lookup *l, struct entry *e)
{
	uint8_t text[ID_BYTES_MAX];
	struct bh_slice key;
	if (policy_is_glob(e->exception->id)) {
		e->next = l->patterns;
		l->patterns = e;
		return true;
	}
	void **slot = bh_arena_copy(&l->arena, lower_id(e->exception->id, text), &key) ? bh_map_put(&l->by_id, key) : NULL;
	if (!slot)
		return false;
	e->next = *slot;
	*slot = e;
	return true;
}

static bool lookup_init(struct lookup *l, struct bh_exception_vec *list, const char *today)
{
	*l = (struct lookup){ .today = today };
	bh_arena_init(&l->arena, 64u << 20);
	bh_map_init(&l->by_id, list->len + 1);
	l->entries = bh_arena_array(&l->arena, list->len + 1, sizeof(l->entries[0]));
	for (size_t i = list->len; l->entries && i-- > 0;) { /* backwards: chains are in the order of the file then */
		struct entry *e = &l->entries[i];
		e->exception = &list->ptr[i];
		e->exception->expired = bh_slice_cmp(e->exception->expires, bh_slice_str(today)) < 0;
		e->has_purl = bh_slice_starts(e->exception->package, BH_SLICE_LIT("pkg:"));
		if ((e->has_purl && !policy_product_parse(e->exception->package, &l->arena, &e->package)) || !add_entry(l, e))
			return false;
	}
	l->n = list->len;
	return l->entries != NULL;
}

static void lookup_done(struct lookup *l)
{
	bh_map_done(&l->by_id);
	bh_arena_done(&l->arena);
}

static bool package_fits(const struct entry *e, const struct bh_finding *f, const struct bh_report *r)
{
	struct bh_slice pattern = e->exception->package;
	if (pattern.len == 0)
		return true;
	if (!f->package)
		return false;
	if (e->has_purl)
		return policy_product_is_package(&e->package, f->package, &r->target.distro);
	return policy_glob(pattern, f->package->name) || policy_glob(pattern, bh_package_source_name(f->package));
}

static bool path_fits(const struct entry *e, const struct bh_finding *f)
{
	struct bh_slice pattern = e->exception->path;
	if (pattern.len == 0 || (f->path.len && policy_glob_path(pattern, f->path)))
		return true;
	const struct bh_package *p = f->package;
	if (!p)
		return false;
	bool fits = p->at.path.len && policy_glob_path(pattern, p->at.path);
	for (size_t i = 0; !fits && i < p->n_also; i++)
		fits = policy_glob_path(pattern, p->also[i].path);
	return fits;
}

static bool id_fits(const struct bh_exception *e, const struct bh_finding *f)
{
	bool fits = policy_glob(e->id, f->id);
	for (size_t i = 0; !fits && i < f->n_aliases; i++)
		fits = policy_glob(e->id, f->aliases[i]);
	return fits;
}

/* Of the chain: the first that holds, else the first that ran out. */
static void search(struct entry *chain, bool pattern, const struct bh_finding *f, const struct bh_report *r, struct entry **holds,
		   struct entry **expired)
{
	for (struct entry *e = chain; e && !*holds; e = e->next) {
		if ((pattern && !id_fits(e->exception, f)) || !package_fits(e, f, r) || !path_fits(e, f))
			continue;
		if (!e->exception->expired)
			*holds = e;
		else if (!*expired)
			*expired = e;
	}
}

static struct entry *find(struct lookup *l, const struct bh_finding *f, const struct bh_report *r)
{
	uint8_t text[ID_BYTES_MAX];
	struct entry *holds = NULL, *expired = NULL;
	search(bh_map_get(&l->by_id, lower_id(f->id, text)), false, f, r, &holds, &expired);
	for (size_t i = 0; !holds && i < f->n_aliases; i++)
		search(bh_map_get(&l->by_id, lower_id(f->aliases[i], text)), false, f, r, &holds, &expired);
	if (!holds)
		search(l->patterns, true, f, r, &holds, &expired);
	return holds ? holds : expired;
}

static bool suppress(struct bh_report *r, struct bh_finding f, const struct bh_exception *e)
{
	f.ruling = (struct bh_ruling){ .kind = BH_RULING_EXCEPTION, .reason = e->reason, .who = e->owner, .until = e->expires, .from = e->from };
	r->hidden[BH_HIDDEN_EXCEPTION]++;
	return bh_finding_vec_push(&r->suppressed, f);
}

/* Unknown severity counts as high, as in the verdict. */
static enum bh_severity weight(enum bh_severity s)
{
	return s == BH_SEV_UNKNOWN ? BH_SEV_HIGH : s;
}

static bool match_all(struct lookup *l, struct bh_report *r)
{
	size_t kept = 0;
	bool ok = true;
	for (size_t i = 0; i < r->findings.len; i++) {
		struct bh_finding *f = &r->findings.ptr[i];
		struct entry *e = find(l, f, r);
		if (e)
			e->exception->matched++;
		if (e && e->exception->expired && (e->exception->matched == 1 || weight(f->severity) > weight(e->worst)))
			e->worst = f->severity;
		if (e && !e->exception->expired)
			ok = suppress(r, *f, e->exception) && ok;
		else
			r->findings.ptr[kept++] = *f;
	}
	r->findings.len = kept;
	return ok;
}

static bool report_expired(struct bh_report *r, const struct entry *e)
{
	const struct bh_exception *x = e->exception;
	struct bh_arena *a = &r->arena;
	struct bh_slice id = x->id;
	char *title = bh_arena_printf(a, "The exception for %.*s (%.*s, owner %.*s) ran out on %.*s", BH_SLICE_FMT(id), BH_SLICE_FMT(x->from),
				      BH_SLICE_FMT(x->owner), BH_SLICE_FMT(x->expires));
	char *evidence = bh_arena_printf(a, "%llu finding%s that it covered; its reason was: %.*s", (unsigned long long)x->matched,
					 x->matched == 1 ? "" : "s",
					 BH_SLICE_FMT(x->reason));
	struct bh_finding f = {
		.class = BH_CLASS_EXCEPTION, .id = BH_SLICE_LIT("exception-expired"), .state = BH_STATE_AFFECTED, .layer = BH_NO_LAYER,
			.source = BH_SLICE_LIT("exceptions"),
		.severity = x->matched ? e->worst : BH_SEV_NEGLIGIBLE, .title = bh_slice_str(title), .evidence = bh_slice_str(evidence),
		.fix = x->matched ? BH_SLICE_LIT("remove what it covered, or decide anew: give it a later day and a reason that still holds") :
				    BH_SLICE_LIT("delete it: nothing matches it any more"),
	};
	return title && evidence && bh_finding_vec_push(&r->findings, f);
}

int policy_exceptions_apply(struct bh_report *r, const struct bh_exception_vec *list, const char *today, struct bh_err *err)
{
	bool ok = true;
	for (size_t i = 0; ok && i < list->len; i++)
		ok = bh_exception_vec_push(&r->exceptions, list->ptr[i]);
	struct lookup l;
	ok = ok && lookup_init(&l, &r->exceptions, today);
	if (ok) {
		ok = match_all(&l, r);
		for (size_t i = 0; ok && i < l.n; i++)
			ok = !l.entries[i].exception->expired || report_expired(r, &l.entries[i]);
		lookup_done(&l);
	}
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "too many exceptions or findings for the memory at hand");
}
