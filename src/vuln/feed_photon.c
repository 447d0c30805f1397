/*
 * feed_photon.c: Photon OS, cve_data_photonN.0.json: a list of
 *
 *   { "cve_id": "CVE-2019-0804", "pkg": "WALinuxAgent", "cve_score": 6.5, "aff_ver": "all versions before 2.2.35-1.ph3 are vulnerable",
 *     "res_ver": "2.2.35-1.ph3" or "NA" }
 *
 * Packages are sources. The release stands in the version's tag; where there is none, --release photon=ECOSYSTEM says it.
 */
#include "vuln/feed_records.h"
#include "vuln/distro_names.h"

#define RECORD_BYTES_MAX (1u << 20)

static bool sniff(struct bh_slice head)
{
	head = bh_slice_trim(head);
	return head.len && head.ptr[0] == '[' && vuln_feed_head_has(head, "\"cve_id\"") && vuln_feed_head_has(head, "\"aff_ver\"");
}

static bool is_none(struct bh_slice version)
{
	return version.len == 0 || bh_slice_eq_str(version, "NA") || bh_slice_eq_str(version, "N/A");
}

static int add_record(struct vuln_feed_run *run, const struct bh_json_node *r, struct bh_err *err)
{
	struct bh_slice fixed = bh_json_str(bh_json_get(r, "res_ver")), affected = bh_json_str(bh_json_get(r, "aff_ver"));
	struct bh_slice id = bh_json_str(bh_json_get(r, "cve_id"));
	struct vuln_range range = { .kind = VULN_END_NONE };
	struct vuln_new_row row = {
		.ecosystem = vuln_feed_release(run->options, BH_SLICE_LIT("photon")),
		.package = bh_json_str(bh_json_get(r, "pkg")),
		.id = id,
		.arch = BH_SLICE_LIT(VULN_ARCH_SOURCE),
		.ranges = &range,
		.n_ranges = 1,
	};
	if (row.ecosystem.len == 0)
		row.ecosystem = vuln_release_of_tag(&run->scratch, NULL, is_none(fixed) ? affected : fixed);
	if (row.ecosystem.len == 0) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "entries whose versions name no release (--release photon=ECOSYSTEM takes them)", id);
		return 0;
	}
	if (!is_none(fixed)) {
		row.state = BH_STATE_FIXED;
		range = (struct vuln_range){ .end = vuln_evr_without_zero(fixed), .kind = VULN_END_FIXED };
	} else if (is_none(affected)) {
		row.state = BH_STATE_NOT_AFFECTED;
		row.n_ranges = 0;
	} else {
		row.state = BH_STATE_AFFECTED;
	}
	return vuln_feed_row(run, &row, err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	int rc = vuln_feed_json_list(run, plain, NULL, RECORD_BYTES_MAX, add_record, err);
	run->undated = run->counts.records; /* the file's date is all there is */
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_photon = {
	.name = "photon",
	.source = "photon",
	.summary = "CVE data of Photon OS (JSON)",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
