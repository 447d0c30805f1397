/* attached.c: see attached.h. A document may be attached to the index that was named or to the manifest of the platform. */
#include "scan/attached.h"

#include "image/attached.h"

static bool contains(struct bh_slice s, struct bh_slice part)
{
	for (size_t i = 0; i + part.len <= s.len; i++)
		if (bh_slice_eq(bh_slice_sub(s, i, part.len), part))
			return true;
	return false;
}

/* "application/vnd.openvex+json", "application/csaf+json", "application/vnd.cyclonedx.vex+json" ... */
static bool is_vex(struct bh_slice media_type)
{
	return contains(media_type, BH_SLICE_LIT("vex")) || contains(media_type, BH_SLICE_LIT("csaf"));
}

static int keep(void *ctx, struct bh_slice media_type, const struct bh_digest *digest, struct bh_slice bytes, struct bh_err *err)
{
	struct bh_report *report = ctx;
	struct bh_attached a = { .digest = *digest };
	for (size_t i = 0; i < report->attached.len; i++)
		if (bh_digest_eq(&report->attached.ptr[i].digest, digest))
			return 0;
	bool ok = bh_arena_copy(&report->arena, media_type, &a.media_type) && bh_arena_copy(&report->arena, bytes, &a.bytes);
	return ok && bh_attached_vec_push(&report->attached, a) ? 0 : bh_fail(err, BH_ELIMIT, 0, "too many documents are attached to the image");
}

int scan_attached_vex(const struct image_remote *remote, struct bh_report *report, struct bh_err *err)
{
	const struct image_attached what = { .wants = is_vex, .give = keep, .ctx = report };
	struct bh_err why = { 0 };
	int rc = image_attached_read(remote, NULL, &what, &why);
	rc = rc < 0 ? rc : image_attached_read(remote, &report->target.digest, &what, &why);
	if (rc == BH_ECANCELLED || rc == BH_ENOMEM) {
		*err = why;
		return rc;
	}
	if (rc < 0)
		bh_report_incomplete(report, "vex", BH_SLICE_LIT("attached"), BH_NO_LAYER, "%s", why.text);
	return 0;
}
