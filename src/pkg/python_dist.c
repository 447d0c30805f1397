/*
 * python_dist.c: installed Python packages, from their core metadata (https://packaging.python.org/specifications/core-metadata/):
 *
 *     requests-2.25.1.dist-info/METADATA                     wheels
 *     six-1.16.0.egg-info/PKG-INFO, six-1.16.0.egg-info      setup.py install, distutils
 *     EGG-INFO/PKG-INFO                                      unpacked eggs
 *
 *     Name: requests                   headers as in mail; a line that starts with a blank continues one;
 *     License-Expression: Apache-2.0   the first empty line ends them
 */
#include "base/cleanup.h"
#include "base/reader.h"
#include "pkg/entry.h"

#define METADATA_BYTES_MAX (16u << 20) /* long descriptions follow the headers */
#define LICENSE_BYTES_MAX (64u << 10)
#define LICENSE_NAME_BYTES_MAX 120u    /* some put the whole text of the licence into License: */

static const struct pkg_want python_dist_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.dist-info/METADATA" },
	{ .kind = PKG_WANT_GLOB, .path = "*.egg-info/PKG-INFO" },
	{ .kind = PKG_WANT_GLOB, .path = "*.egg-info" },
	{ .kind = PKG_WANT_GLOB, .path = "EGG-INFO/PKG-INFO" },
	{ .kind = PKG_WANT_END },
};

struct metadata {
	struct bh_slice name, version, expression, license;
	struct bh_buf classifiers; /* "License :: OSI Approved :: MIT License" -> "MIT License"; several are a choice */
};

static bool is_header(struct bh_slice key, const char *name)
{
	if (key.len != strlen(name))
		return false;
	for (size_t i = 0; i < key.len; i++) {
		uint8_t c = key.ptr[i];
		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != (name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]))
			return false;
	}
	return true;
}

static void take_first(struct bh_slice *to, struct bh_slice value)
{
	if (to->len == 0)
		*to = value;
}

static void take_classifier(struct metadata *m, struct bh_slice value)
{
	struct bh_slice prefix = BH_SLICE_LIT("License ::"), name = value;
	if (!bh_slice_starts(value, prefix))
		return;
	for (size_t i = 0; i + 1 < value.len; i++)
		if (value.ptr[i] == ':' && value.ptr[i + 1] == ':')
			name = bh_slice_trim(bh_slice_sub(value, i + 2, value.len));
	if (!bh_slice_eq_str(name, "OSI Approved"))
		pkg_add_item(&m->classifiers, " OR ", name);
}

static void take_header(struct metadata *m, struct bh_slice key, struct bh_slice value)
{
	if (is_header(key, "Name"))
		take_first(&m->name, value);
	else if (is_header(key, "Version"))
		take_first(&m->version, value);
	else if (is_header(key, "License-Expression"))
		take_first(&m->expression, value);
	else if (is_header(key, "License"))
		take_first(&m->license, value);
	else if (is_header(key, "Classifier"))
		take_classifier(m, value);
}

/* The surest that is there; "UNKNOWN" is what setuptools wrote for none. */
static struct bh_slice license_of(const struct metadata *m)
{
	if (m->expression.len)
		return m->expression;
	bool named = m->license.len && m->license.len <= LICENSE_NAME_BYTES_MAX && !bh_slice_eq_str(m->license, "UNKNOWN");
	return named ? m->license : bh_buf_slice(&m->classifiers);
}

static void read_headers(struct bh_slice text, struct metadata *m)
{
	struct bh_reader r = bh_reader_of(text);
	struct bh_slice line, key, value;
	while (bh_take_line(&r, &line) && bh_slice_trim(line).len)
		if (line.ptr[0] != ' ' && line.ptr[0] != '\t' && pkg_cut_trimmed(line, ':', &key, &value))
			take_header(m, key, value);
}

/* setuptools and others bring made-up packages to test themselves with: .../site-packages/pkg_resources/tests/data/my_test_package... */
static bool is_fixture(struct bh_slice path)
{
	static const char *const homes[] = { "site-packages/", "dist-packages/" };
	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
		const uint8_t *home = bh_slice_search(path, homes[i]);
		if (home && bh_slice_search(bh_slice_sub(path, (size_t)(home - path.ptr), path.len), "/tests/"))
			return true;
	}
	return false;
}

static int python_dist_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	if (is_fixture(file->path))
		return 0;
	struct metadata m = { 0 };
	struct pkg_notes notes = { .sink = sink };
	bh_buf_init(&m.classifiers, LICENSE_BYTES_MAX);
	read_headers(pkg_without_bom(file->data), &m);
	struct bh_package p = { .type = BH_SLICE_LIT("pypi"), .name = m.name, .version = m.version, .license = license_of(&m) };
	int rc = m.name.len ? pkg_give(&notes, &p, 0, err) : pkg_note(&notes, 0, err, "no header Name:");
	bh_buf_done(&m.classifiers);
	return rc;
}

const struct pkg_parser pkg_parser_python_dist = {
	.name = "python_dist",
	.type = "pypi",
	.wants = python_dist_wants,
	.max_bytes = METADATA_BYTES_MAX,
	.parse = python_dist_parse,
};
