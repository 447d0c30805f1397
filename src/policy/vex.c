/* vex.c: which statement is about which finding, and what follows. */
#include "policy/vex.h"

#include "policy/product.h"
#include "policy/vex_store.h"

#include <time.h>

#define PRODUCT_BYTES_MAX (256u << 10)

const char *policy_vex_status_name(enum policy_vex_status s)
{
	switch (s) {
	case VEX_NOT_AFFECTED: return "not_affected";
	case VEX_FIXED: return "fixed";
	case VEX_AFFECTED: return "affected";
	case VEX_UNDER_INVESTIGATION: return "under_investigation";
	}
	return "under_investigation";
}

/* ---- time ---- */

static bool number_at(struct bh_slice s, size_t at, size_t len, char end, uint64_t max, int *out)
{
	uint64_t n;
	if (!bh_slice_u64(bh_slice_sub(s, at, len), max, &n) || (end && (at + len >= s.len || s.ptr[at + len] != (uint8_t)end)))
		return false;
	*out = (int)n;
	return true;
}

/* "Z", "+02:00": seconds east of Greenwich. */
static bool zone_at(struct bh_slice s, int64_t *out)
{
	int hours, minutes;
	*out = 0;
	if (bh_slice_eq_str(s, "Z") || bh_slice_eq_str(s, "z"))
		return true;
	if (s.len != 6 || (s.ptr[0] != '+' && s.ptr[0] != '-') || !number_at(s, 1, 2, ':', 23, &hours) || !number_at(s, 4, 2, 0, 59, &minutes))
		return false;
	*out = (hours * 3600 + minutes * 60) * (s.ptr[0] == '-' ? -1 : 1);
	return true;
}

int64_t policy_time_of(struct bh_slice s)
{
	struct tm t = { 0 };
	int64_t zone;
	size_t at = 19;
	if (!number_at(s, 0, 4, '-', 9999, &t.tm_year) || !number_at(s, 5, 2, '-', 12, &t.tm_mon) || !number_at(s, 8, 2, 0, 31, &t.tm_mday) ||
	    !number_at(s, 11, 2, ':', 23, &t.tm_hour) || !number_at(s, 14, 2, ':', 59, &t.tm_min) || !number_at(s, 17, 2, 0, 60, &t.tm_sec))
		return INT64_MIN;
	if (at < s.len && s.ptr[at] == '.') /* fractions don't change an order that people meant */
		for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';)
			at++;
	if (!zone_at(bh_slice_sub(s, at, s.len), &zone))
		return INT64_MIN;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	return (int64_t)timegm(&t) - zone;
}

/* ---- matching ---- */

/* Systems that CSAF documents name by CPE, and their ID in os-release. */
static const struct {
	const char *vendor, *product, *id;
} systems[] = {
	{ "redhat", "enterprise_linux", "rhel" }, { "debian", "debian_linux", "debian" }, { "canonical", "ubuntu_linux", "ubuntu" },
	{ "suse", "sles", "sles" },               { "opensuse", "leap", "opensuse-leap" }, { "oracle", "linux", "ol" },
	{ "almalinux", "almalinux", "almalinux" }, { "rocky", "rocky", "rocky" },         { "fedoraproject", "fedora", "fedora" },
};

static struct bh_slice next_part(struct bh_slice *cpe)
{
	struct bh_slice part;
	(void)bh_slice_cut(*cpe, ':', &part, cpe);
	return part;
}

/* "8" is every 8.x, "9.2" is just that. */
static bool version_fits(struct bh_slice want, struct bh_slice have)
{
	if (want.len == 0 || bh_slice_eq_str(want, "*") || bh_slice_eq_str(want, "-"))
		return true;
	return bh_slice_starts(have, want) && (have.len == want.len || have.ptr[want.len] == '.');
}

/* SUSE's service packs: "12:sp5" is os-release's 12.5. Other updates than "spN" say nothing here. */
static bool pack_fits(struct bh_slice update, const struct bh_distro *d)
{
	struct bh_slice major, minor;
	if (!bh_slice_starts(update, BH_SLICE_LIT("sp")))
		return true;
	(void)bh_slice_cut(d->version_id, '.', &major, &minor);
	return bh_slice_eq(bh_slice_sub(update, 2, update.len), minor);
}

static bool platform_fits(struct bh_slice cpe, const struct bh_distro *d)
{
	if (cpe.len == 0)
		return true;
	if (bh_slice_starts(cpe, BH_SLICE_LIT("cpe:2.3:")))
		cpe = bh_slice_sub(cpe, 8, cpe.len);
	else if (bh_slice_starts(cpe, BH_SLICE_LIT("cpe:/")))
		cpe = bh_slice_sub(cpe, 5, cpe.len);
	(void)next_part(&cpe); /* o, a: Red Hat calls its repositories applications */
	struct bh_slice vendor = next_part(&cpe), product = next_part(&cpe), version = next_part(&cpe), update = next_part(&cpe);
	if (!pack_fits(update, d))
		return false;
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		if (bh_slice_eq_str(vendor, systems[i].vendor) && bh_slice_eq_str(product, systems[i].product))
			return bh_slice_eq_str(d->id, systems[i].id) && version_fits(version, d->version_id);
	return false;
}

static bool is_in_image(const struct policy_product *product, const struct bh_report *r)
{
	if (policy_product_is_image(product, &r->target))
		return true;
	for (size_t i = 0; i < r->packages.len; i++)
		if (policy_product_is_package(product, &r->packages.ptr[i], &r->target.distro))
			return true;
	return false;
}

/* The product is the image, or a package in it that holds the component. */
static bool product_present(struct vex_stored *s, const struct bh_report *r, struct bh_arena *scratch)
{
	struct policy_product product;
	if (s->is.product.len == 0)
		return true;
	if (s->product == VEX_PRESENCE_UNKNOWN) {
		bool present = policy_product_parse(s->is.product, scratch, &product) && is_in_image(&product, r);
		s->product = present ? VEX_PRESENT : VEX_ABSENT;
	}
	return s->product == VEX_PRESENT;
}

static bool applies(struct vex_stored *s, const struct bh_finding *f, const struct bh_report *r)
{
	struct policy_product p;
	struct bh_arena scratch;
	bh_arena_init(&scratch, PRODUCT_BYTES_MAX);
	bool component = s->is.component.len > 0;
	bool fits = platform_fits(s->is.platform, &r->target.distro) && policy_product_parse(component ? s->is.component : s->is.product, &scratch, &p) &&
		    (policy_product_is_package(&p, f->package, &r->target.distro) || (!component && policy_product_is_image(&p, &r->target))) &&
		    (!component || product_present(s, r, &scratch));
	bh_arena_done(&scratch);
	return fits;
}

/* The latest one that applies; links come newest read first, so on a draw the first one stays. */
static struct vex_stored *better(struct policy_vex *v, struct bh_slice id, const struct bh_finding *f, const struct bh_report *r,
				 struct vex_stored *best)
{
	for (const struct vex_link *l = bh_map_get(&v->by_id, id); l; l = l->next) {
		struct vex_stored *s = &v->statements.ptr[l->statement];
		if ((!best || s->time_s > best->time_s || (s->time_s == best->time_s && s > best)) && applies(s, f, r))
			best = s;
	}
	return best;
}

static struct bh_ruling ruling_of(const struct policy_vex *v, const struct vex_stored *s)
{
	const struct bh_vex_document *d = &v->documents.ptr[s->document];
	return (struct bh_ruling){ .kind = BH_RULING_VEX,
				   .status = bh_slice_str(policy_vex_status_name(s->is.status)),
				   .justification = s->is.justification,
				   .reason = s->is.reason,
				   .who = d->author,
				   .from = d->from };
}

static bool copy_ruling(struct bh_arena *a, struct bh_ruling *r)
{
	return bh_arena_copy(a, r->justification, &r->justification) && bh_arena_copy(a, r->reason, &r->reason) && bh_arena_copy(a, r->who, &r->who) &&
	       bh_arena_copy(a, r->from, &r->from);
}

static bool apply_all(struct policy_vex *v, struct bh_report *r)
{
	size_t kept = 0;
	bool ok = true;
	for (size_t i = 0; i < r->findings.len; i++) {
		struct bh_finding f = r->findings.ptr[i];
		struct vex_stored *s = NULL;
		bool asked = f.class == BH_CLASS_VULNERABILITY && f.package;
		if (asked)
			s = better(v, f.id, &f, r, NULL);
		for (size_t k = 0; asked && k < f.n_aliases; k++)
			s = better(v, f.aliases[k], &f, r, s);
		if (s) {
			f.ruling = ruling_of(v, s);
			v->documents.ptr[s->document].matched++;
			ok = copy_ruling(&r->arena, &f.ruling) && ok;
		}
		if (s && s->is.status <= VEX_FIXED) {
			r->hidden[BH_HIDDEN_VEX]++;
			ok = bh_finding_vec_push(&r->suppressed, f) && ok;
		} else {
			r->findings.ptr[kept++] = f;
		}
	}
	r->findings.len = kept;
	return ok;
}

int policy_vex_apply(struct policy_vex *v, struct bh_report *r, struct bh_err *err)
{
	bool ok = apply_all(v, r);
	for (size_t i = 0; ok && i < v->documents.len; i++) {
		struct bh_vex_document d = v->documents.ptr[i];
		ok = bh_arena_copy(&r->arena, d.from, &d.from) && bh_arena_copy(&r->arena, d.format, &d.format) && bh_arena_copy(&r->arena, d.author, &d.author) &&
		     bh_arena_copy(&r->arena, d.id, &d.id) && bh_arena_copy(&r->arena, d.date, &d.date) && bh_vex_vec_push(&r->vex, d);
	}
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "too many VEX statements for the memory at hand");
}
