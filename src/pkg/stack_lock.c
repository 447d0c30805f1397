/*
 * stack_lock.c: Haskell Stack's stack.yaml.lock: packages beyond the snapshot, which is named only:
 *
 *     packages:
 *     - completed:
 *         hackage: acme-missiles-0.3@sha256:2ba66a092a32593880a87fb00f3213762d7bca65a687d45965778deb8694c5d1,613
 *     - completed:
 *         name: own
 *         version: 0.1.0.0
 *         git: https://example.org/own.git
 */
#include "format/yaml.h"
#include "pkg/entry.h"

#define LOCK_BYTES_MAX (64u << 20)

static const struct pkg_want stack_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "stack.yaml.lock" },
	{ .kind = PKG_WANT_END },
};

/* "acme-missiles-0.3@sha256:...,613": the version has no "-" */
static void read_hackage(struct bh_slice text, struct bh_package *p)
{
	struct bh_slice both, checksum;
	(void)bh_slice_cut(text, '@', &both, &checksum);
	size_t at = both.len;
	while (at && both.ptr[at - 1] != '-')
		at--;
	p->name = bh_slice_sub(both, 0, at ? at - 1 : 0);
	p->version = bh_slice_sub(both, at, both.len);
}

static int stack_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_yaml *doc;
	int rc = bh_yaml_parse(file->data, LOCK_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_yaml_node *packages = bh_yaml_get(bh_yaml_root(doc, 0), "packages");
	for (size_t i = 0; rc >= 0 && i < bh_yaml_len(packages); i++) {
		const struct bh_yaml_node *completed = bh_yaml_get(bh_yaml_at(packages, i), "completed");
		const struct bh_yaml_node *hackage = bh_yaml_get(completed, "hackage");
		struct bh_package p = {
			.type = BH_SLICE_LIT("hackage"),
			.name = bh_yaml_str(bh_yaml_get(completed, "name")),
			.version = bh_yaml_str(bh_yaml_get(completed, "version")),
			.at = { .line = bh_yaml_line(completed), .evidence = BH_EVIDENCE_LOCKFILE },
		};
		if (hackage)
			read_hackage(bh_yaml_str(hackage), &p);
		rc = pkg_give(&notes, &p, 0, err);
	}
	bh_yaml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_stack_lock = {
	.name = "stack_lock",
	.type = "hackage",
	.wants = stack_lock_wants,
	.max_bytes = LOCK_BYTES_MAX,
	.parse = stack_lock_parse,
};
