/* archives.c: see archives.h. */
#include "scan/archives.h"

#include "base/cleanup.h"
#include "model/purl.h"
#include "scan/same.h"

#define PURL_BYTES_MAX (16u << 10)

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the image lists more packages than fit into memory limits");
}

/* "GROUP:ARTIFACT:VERSION" -> name, version and package URL; the slices of the database end with it, so they are copied. */
static int rename_package(struct bh_report *report, struct bh_package *p, struct bh_slice known, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf purl = { 0 };
	struct bh_slice copy, version;
	bh_buf_init(&purl, PURL_BYTES_MAX);
	if (!bh_arena_copy(&report->arena, known, &copy))
		return full(err);
	size_t at = copy.len;
	while (at && copy.ptr[at - 1] != ':')
		at--;
	version = bh_slice_sub(copy, at, copy.len);
	p->name = bh_slice_sub(copy, 0, at ? at - 1 : 0);
	p->version = version;
	p->at.evidence = BH_EVIDENCE_DATABASE;
	p->purl = (struct bh_slice){ 0 };
	if (!bh_purl_of_package(p, &report->target.distro, &purl))
		return 0;
	return bh_arena_copy(&report->arena, bh_buf_slice(&purl), &p->purl) ? 0 : full(err);
}

static struct bh_slice artifact_of(struct bh_slice name)
{
	struct bh_slice group, artifact;
	return bh_slice_cut(name, ':', &group, &artifact) ? artifact : name;
}

int scan_name_archives(const struct vuln_set *set, struct bh_report *report, struct bh_err *err)
{
	bool any = false;
	for (size_t i = 0; i < report->packages.len; i++) {
		struct bh_package *p = &report->packages.ptr[i];
		struct bh_slice known;
		if (p->sha1.len == 0 || p->at.evidence != BH_EVIDENCE_CONTENT || !bh_slice_eq_str(p->type, "maven"))
			continue;
		int rc = vuln_archive_name(set, p->sha1, artifact_of(p->name), &known, err);
		rc = rc == 0 && known.len ? rename_package(report, p, known, err) : rc;
		if (rc < 0)
			return rc;
		any = any || known.len;
	}
	if (!any)
		return 0;
	bh_report_sort_packages(report);
	return same_packages_merge(report) ? 0 : full(err);
}
