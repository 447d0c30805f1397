/*
 * feed_arch.c: the Arch Linux security tracker, security.archlinux.org/all.json: a list of groups of flaws,
 *
 *   [ { "name": "AVG-2843", "packages": [ "curl", "lib32-curl" ], "status": "Fixed|Vulnerable|Testing|Unknown|Not affected",
 *       "severity": "High", "affected": "8.3.0-1", "fixed": "8.4.0-1" or null, "issues": [ "CVE-2023-38545" ], "advisories": [ "ASA-..." ] } ]
 *
 * "affected" is the version that was looked at: older ones count as affected, too, as Arch supports the newest only.
 */
#include "vuln/feed_records.h"

#define GROUP_BYTES_MAX (4u << 20)

static bool sniff(struct bh_slice head)
{
	head = bh_slice_trim(head);
	return head.len && head.ptr[0] == '[' && vuln_feed_head_has(head, "\"AVG-");
}

static int add_row(struct vuln_feed_run *run, const struct bh_json_node *group, struct bh_slice package, struct bh_slice id, struct bh_err *err)
{
	struct bh_slice status = bh_json_str(bh_json_get(group, "status")), fixed = bh_json_str(bh_json_get(group, "fixed"));
	struct vuln_range range = { .kind = VULN_END_NONE };
	struct vuln_new_row row = {
		.ecosystem = BH_SLICE_LIT("Arch Linux"),
		.package = package,
		.id = id,
		.erratum = bh_json_str(bh_json_at(bh_json_get(group, "advisories"), 0)),
		.severity = vuln_feed_severity(bh_json_str(bh_json_get(group, "severity"))),
		.state = BH_STATE_AFFECTED,
		.ranges = &range,
		.n_ranges = 1,
	};
	if (bh_slice_eq_str(status, "Not affected")) {
		row.state = BH_STATE_NOT_AFFECTED;
		row.n_ranges = 0;
	} else if (fixed.len) {
		row.state = BH_STATE_FIXED;
		range = (struct vuln_range){ .end = fixed, .kind = VULN_END_FIXED };
	} else if (!bh_slice_eq_str(status, "Vulnerable") && !bh_slice_eq_str(status, "Testing")) {
		row.state = BH_STATE_UNDETERMINED;
		row.n_ranges = 0;
	}
	return vuln_feed_row(run, &row, err);
}

static int add_group(struct vuln_feed_run *run, const struct bh_json_node *group, struct bh_err *err)
{
	const struct bh_json_node *packages = bh_json_get(group, "packages"), *issues = bh_json_get(group, "issues");
	struct bh_slice name = bh_json_str(bh_json_get(group, "name"));
	int rc = 0;
	if (bh_json_len(packages) == 0 || bh_json_len(issues) == 0)
		vuln_feed_note(run, VULN_FEED_SKIPPED, "groups without packages or issues", name);
	for (size_t i = 0; rc == 0 && i < bh_json_len(packages); i++)
		for (size_t k = 0; rc == 0 && k < bh_json_len(issues); k++)
			rc = add_row(run, group, bh_json_str(bh_json_at(packages, i)), bh_json_str(bh_json_at(issues, k)), err);
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	int rc = vuln_feed_json_list(run, plain, NULL, GROUP_BYTES_MAX, add_group, err);
	run->undated = run->counts.records; /* the file's date is all there is */
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_arch = {
	.name = "arch",
	.source = "arch-tracker",
	.summary = "the Arch Linux security tracker (JSON)",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
