/*
 * cpan_installed.c: Perl distributions that were installed from CPAN.
 *
 *     ARCH/.meta/Mojolicious-9.28/MYMETA.json   written by cpanm and Carton: { "name": "Mojolicious", "version": "9.28", "license": ["artistic_2"] }
 *     perllocal.pod                             written by every `make install`, one section for each:
 *         =head2 Thu Nov 26 07:00:00 2026: C<Module> L<JSON::PP|JSON::PP>
 *         C<VERSION: 4.16>
 *
 * perllocal.pod names modules and is only ever appended to: of several sections the last one counts, and the distribution is taken to be
 * called as its module, "JSON-PP".
 */
#include "base/cleanup.h"
#include "base/map.h"
#include "base/reader.h"
#include "pkg/json_items.h"

#define META_BYTES_MAX (16u << 20)
#define LICENSE_BYTES_MAX (64u << 10)
#define MODULES_MAX 100000u

static const struct pkg_want cpan_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = ".meta/*/MYMETA.json" },
	{ .kind = PKG_WANT_GLOB, .path = "perllocal.pod" },
	{ .kind = PKG_WANT_END },
};

static int read_meta(const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf license = { 0 };
	struct bh_json *doc;
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	int rc = bh_json_parse(file->data, META_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_json_node *root = bh_json_root(doc);
	pkg_json_join(bh_json_get(root, "license"), " OR ", &license); /* CPAN::Meta::Spec: any of them */
	struct bh_package p = {
		.type = BH_SLICE_LIT("cpan"),
		.name = bh_json_str(bh_json_get(root, "name")),
		.version = bh_json_str(bh_json_get(root, "version")),
		.license = bh_slice_eq_str(bh_buf_slice(&license), "unknown") ? BH_SLICE_LIT("") : bh_buf_slice(&license),
	};
	rc = pkg_give(notes, &p, 0, err);
	bh_json_free(doc);
	return rc;
}

struct module {
	struct bh_package p;
	size_t offset;
};

/* "JSON::PP" -> "JSON-PP" */
static bool distribution_name(struct bh_slice module, struct bh_arena *a, struct bh_slice *ret)
{
	uint8_t *name = bh_arena_alloc(a, module.len + 1);
	size_t len = 0;
	for (size_t i = 0; name && i < module.len; i++) {
		bool colons = module.ptr[i] == ':' && i + 1 < module.len && module.ptr[i + 1] == ':';
		name[len++] = colons ? '-' : module.ptr[i];
		i += colons;
	}
	*ret = (struct bh_slice){ name, len };
	return name;
}

/* "=head2 ...: C<Module> L<JSON::PP|JSON::PP>": the section's module, new or seen before. */
static int begin_section(struct bh_slice line, uint32_t number, size_t offset, struct bh_map *modules, struct bh_arena *a, struct module **ret,
			 struct bh_err *err)
{
	struct bh_slice head, name, rest;
	*ret = NULL;
	if (!bh_slice_ends(line, BH_SLICE_LIT(">")) || !bh_slice_cut(line, '|', &head, &rest))
		return 0;
	while (bh_slice_cut(head, '<', &rest, &name))
		head = name;
	struct bh_slice distribution;
	if (!distribution_name(head, a, &distribution))
		return bh_fail(err, BH_ENOMEM, offset, "out of memory for modules");
	void **slot = bh_map_put(modules, distribution);
	if (!slot)
		return bh_fail(err, BH_ELIMIT, offset, "line %u: more than %u modules", number, MODULES_MAX);
	struct module *m = *slot ? *slot : BH_ARENA_NEW(a, struct module);
	if (!m)
		return bh_fail(err, BH_ENOMEM, offset, "out of memory for modules");
	*m = (struct module){ { .type = BH_SLICE_LIT("cpan"), .name = distribution, .at = { .line = number } }, offset };
	*slot = *ret = m;
	return 0;
}

static int read_local(const struct pkg_file *file, struct pkg_notes *notes, struct bh_arena *a, struct bh_err *err)
{
	BH_WITH(bh_map_done) struct bh_map modules = { 0 };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, version = BH_SLICE_LIT("C<VERSION: ");
	struct module *m = NULL;
	int rc = 0;
	bh_map_init(&modules, MODULES_MAX);
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		line = bh_slice_trim(line);
		if (bh_slice_starts(line, BH_SLICE_LIT("=head2 ")))
			rc = begin_section(line, number, offset, &modules, a, &m, err);
		else if (m && bh_slice_starts(line, version) && bh_slice_ends(line, BH_SLICE_LIT(">")))
			m->p.version = bh_slice_sub(line, version.len, line.len - version.len - 1);
	}
	for (size_t i = 0; rc >= 0 && i < modules.len; i++) {
		m = modules.entries[i].value;
		rc = pkg_give(notes, &m->p, m->offset, err);
	}
	return rc;
}

static int cpan_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct pkg_notes notes = { .sink = sink };
	bool local = bh_slice_ends(file->path, BH_SLICE_LIT(".pod"));
	int rc = local ? read_local(file, &notes, scratch, err) : read_meta(file, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_cpan_installed = {
	.name = "cpan_installed",
	.type = "cpan",
	.wants = cpan_installed_wants,
	.max_bytes = META_BYTES_MAX,
	.parse = cpan_installed_parse,
};
