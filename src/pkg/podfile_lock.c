/*
 * podfile_lock.c: CocoaPods' Podfile.lock, and Pods/Manifest.lock, which says the same of what is installed:
 *
 *     PODS:
 *       - Alamofire (5.6.2)
 *       - Firebase/Core (8.9.0):          a part of a pod; parts follow each other and have the pod's version
 *         - Firebase/CoreOnly
 */
#include "format/yaml.h"
#include "pkg/entry.h"

#define PODFILE_BYTES_MAX (64u << 20)

static const struct pkg_want podfile_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "Podfile.lock" },
	{ .kind = PKG_WANT_GLOB, .path = "Pods/Manifest.lock" },
	{ .kind = PKG_WANT_END },
};

/* An item is text, or a mapping of one text to its dependencies. */
static const struct bh_yaml_node *title_of(const struct bh_yaml_node *item)
{
	const struct bh_yaml_node *key = NULL, *value;
	return bh_yaml_pair(item, 0, &key, &value) ? key : item;
}

/* "Firebase/Core (8.9.0)" */
static void read_title(struct bh_slice title, struct bh_package *p)
{
	struct bh_slice name, rest, part;
	(void)pkg_cut_trimmed(title, '(', &name, &rest);
	(void)bh_slice_cut(name, '/', &p->name, &part);
	(void)bh_slice_cut(rest, ')', &p->version, &part);
}

static int podfile_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_slice last = { 0 };
	struct bh_yaml *doc;
	int rc = bh_yaml_parse(file->data, PODFILE_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_yaml_node *pods = bh_yaml_get(bh_yaml_root(doc, 0), "PODS");
	for (size_t i = 0; rc >= 0 && i < bh_yaml_len(pods); i++) {
		const struct bh_yaml_node *title = title_of(bh_yaml_at(pods, i));
		struct bh_package p = { .type = BH_SLICE_LIT("cocoapods"), .at = { .line = bh_yaml_line(title), .evidence = BH_EVIDENCE_LOCKFILE } };
		read_title(bh_yaml_str(title), &p);
		if (p.name.len == 0 || !bh_slice_eq(p.name, last))
			rc = pkg_give(&notes, &p, 0, err);
		last = p.name;
	}
	bh_yaml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_podfile_lock = {
	.name = "podfile_lock",
	.type = "cocoapods",
	.wants = podfile_lock_wants,
	.max_bytes = PODFILE_BYTES_MAX,
	.parse = podfile_lock_parse,
};
