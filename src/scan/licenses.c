/* licenses.c: see licenses.h. An image declares few licences many times: each text is read once. */
#include "scan/licenses.h"

#include "base/map.h"

#define TEXTS_MAX 1000000u
#define EXPRESSION_BYTES_MAX (64u << 10)
#define SCRATCH_BYTES_MAX (4u << 20)

/* Nothing is stored for texts that say nothing: they stay without expression. */
static bool normalise(struct bh_slice declared, struct bh_arena *keep, struct bh_slice *ret)
{
	struct bh_arena scratch;
	struct bh_buf out;
	bh_arena_init(&scratch, SCRATCH_BYTES_MAX);
	bh_buf_init(&out, EXPRESSION_BYTES_MAX);
	const struct license_node *n = license_normalise(declared, &scratch);
	bool ok = !n || !license_write(n, &out) || bh_arena_copy(keep, bh_buf_slice(&out), ret);
	bh_buf_done(&out);
	bh_arena_done(&scratch);
	return ok;
}

int scan_licenses(struct bh_report *r, struct bh_err *err)
{
	struct bh_map seen; /* declared text -> the first package that has it */
	bool ok = true;
	bh_map_init(&seen, TEXTS_MAX);
	for (size_t i = 0; ok && i < r->packages.len; i++) {
		struct bh_package *p = &r->packages.ptr[i];
		if (p->license.len == 0 || p->spdx.len)
			continue;
		const struct bh_package *first = bh_map_get(&seen, p->license);
		if (first) {
			p->spdx = first->spdx;
			continue;
		}
		ok = normalise(p->license, &r->arena, &p->spdx);
		void **slot = ok ? bh_map_put(&seen, p->license) : NULL;
		if (slot)
			*slot = p;
	}
	bh_map_done(&seen);
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for licences");
}

static bool add_finding(struct bh_report *r, const struct bh_package *p, struct bh_slice bad)
{
	char *title = bh_arena_printf(&r->arena, "Licence %.*s is not allowed", BH_SLICE_FMT(bad));
	char *evidence = bh_arena_printf(&r->arena, "declared: %.*s", BH_SLICE_FMT(p->license));
	struct bh_finding f = {
		.class = BH_CLASS_LICENSE,
		.id = BH_SLICE_LIT("license-not-allowed"),
		.severity = BH_SEV_HIGH,
		.state = BH_STATE_AFFECTED,
		.title = bh_slice_str(title),
		.package = p,
		.layer = p->at.layer,
		.evidence = bh_slice_str(evidence),
		.fix = BH_SLICE_LIT("replace the package, or allow its licence"),
	};
	return title && evidence && bh_finding_vec_push(&r->findings, f);
}

/* False: no memory. */
static bool judge(struct bh_report *r, const struct bh_package *p, const struct license_list *allow, const struct license_list *deny)
{
	struct bh_arena scratch;
	struct bh_slice bad = { 0 };
	bh_arena_init(&scratch, SCRATCH_BYTES_MAX);
	const struct license_node *n = license_parse(p->spdx, &scratch);
	bool ok = !n || license_fits(n, allow, deny, &bad) || add_finding(r, p, bad);
	bh_arena_done(&scratch);
	return ok;
}

int scan_licenses_judge(struct bh_report *r, const struct license_list *allow, const struct license_list *deny, struct bh_err *err)
{
	uint64_t silent = 0;
	bool ok = true;
	if (allow->n == 0 && deny->n == 0)
		return 0;
	for (size_t i = 0; ok && i < r->packages.len; i++) {
		silent += r->packages.ptr[i].spdx.len == 0;
		ok = r->packages.ptr[i].spdx.len == 0 || judge(r, &r->packages.ptr[i], allow, deny);
	}
	if (ok && silent && allow->n)
		ok = bh_not_covered_vec_push(&r->not_covered, (struct bh_not_covered){ .ecosystem = BH_SLICE_LIT("licences"), .packages = silent, .partial = true,
										       .note = BH_SLICE_LIT("no licence declared, so none was judged") });
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for licences");
}
