/*
 * wordpress.c: WordPress itself, its plug-ins and themes.
 *
 *     wp-includes/version.php               $wp_version = '6.4.2';
 *     wp-content/plugins/SLUG/FILE.php      a comment in the first 8 KiB: "Plugin Name: Contact Form 7", "Version: 5.8.4"
 *     wp-content/plugins/SLUG.php           a plug-in of one file
 *     wp-content/themes/SLUG/style.css      "Theme Name: Twenty Twenty", "Version: 1.8"
 *
 * Headers are read as WordPress' get_file_data() does: blanks, "*", "#", "/" and "@" may stand in front. The slug is the name that
 * the plug-in has in advisories.
 */
#include "base/reader.h"
#include "pkg/entry.h"

#include <strings.h>

#define HEADER_BYTES 8192u              /* what WordPress looks at */
#define SCRIPT_BYTES_MAX (16u << 20)

static const struct pkg_want wordpress_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "wp-includes/version.php" },
	{ .kind = PKG_WANT_GLOB, .path = "wp-content/plugins/*/*.php" },
	{ .kind = PKG_WANT_GLOB, .path = "wp-content/plugins/*.php" },
	{ .kind = PKG_WANT_GLOB, .path = "wp-content/mu-plugins/*.php" },
	{ .kind = PKG_WANT_GLOB, .path = "wp-content/themes/*/style.css" },
	{ .kind = PKG_WANT_END },
};

static bool is_lead(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '/' || c == '*' || c == '#' || c == '@';
}

/* " * Version: 5.8.4" -> "5.8.4"; empty when the line has no such field. */
static struct bh_slice field(struct bh_slice line, const char *name)
{
	size_t at = 0, len = strlen(name);
	if (bh_slice_starts(bh_slice_trim(line), BH_SLICE_LIT("<?php")))
		line = bh_slice_sub(bh_slice_trim(line), 5, line.len);
	while (at < line.len && is_lead(line.ptr[at]))
		at++;
	line = bh_slice_sub(line, at, line.len);
	if (line.len <= len || strncasecmp((const char *)line.ptr, name, len) != 0 || line.ptr[len] != ':')
		return (struct bh_slice){ 0 };
	struct bh_slice value = bh_slice_trim(bh_slice_sub(line, len + 1, line.len));
	if (bh_slice_ends(value, BH_SLICE_LIT("*/")))
		value.len -= 2;
	return bh_slice_trim(value);
}

/* What a header says; a field counts where it first stands. */
struct header {
	struct bh_slice title, version, license;
	uint32_t line;
};

static void read_header(struct bh_slice text, const char *title_field, struct header *h)
{
	struct bh_reader r = bh_reader_of(bh_slice_sub(text, 0, HEADER_BYTES));
	struct bh_slice line, value;
	for (uint32_t number = 1; bh_take_line(&r, &line); number++) {
		if (h->title.len == 0 && (value = field(line, title_field)).len) {
			h->title = value;
			h->line = number;
		}
		if (h->version.len == 0)
			h->version = field(line, "Version");
		if (h->license.len == 0)
			h->license = field(line, "License");
	}
}

static int read_extension(const struct pkg_file *file, const char *type, const char *title_field, struct bh_slice slug, struct pkg_notes *notes,
			  struct bh_err *err)
{
	struct header h = { .line = 0 };
	read_header(file->data, title_field, &h);
	if (h.title.len == 0)
		return 0; /* one of the other scripts */
	struct bh_package p = {
		.type = bh_slice_str(type),
		.name = slug,
		.version = h.version,
		.license = h.license,
		.at = { .line = h.line },
	};
	return pkg_give(notes, &p, 0, err);
}

static int read_core(const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, variable, value;
	for (uint32_t number = 1; bh_take_line(&r, &line); number++) {
		if (!pkg_cut_trimmed(line, '=', &variable, &value) || !bh_slice_eq_str(variable, "$wp_version"))
			continue;
		if (value.len && value.ptr[value.len - 1] == ';')
			value = bh_slice_trim(bh_slice_sub(value, 0, value.len - 1));
		struct bh_package p = {
			.type = BH_SLICE_LIT("generic"),
			.name = BH_SLICE_LIT("wordpress"),
			.version = pkg_unquoted(value),
			.at = { .line = number },
		};
		return pkg_give(notes, &p, 0, err);
	}
	return pkg_note(notes, 0, err, "no $wp_version in %.*s", BH_SLICE_FMT(file->path));
}

/* ".../plugins/akismet/akismet.php" -> "akismet", ".../plugins/hello.php" -> "hello" */
static struct bh_slice slug_of(struct bh_slice path)
{
	struct bh_slice dir = bh_slice_base(bh_slice_folder(path)), file = bh_slice_base(path);
	if (!bh_slice_eq_str(dir, "plugins") && !bh_slice_eq_str(dir, "mu-plugins"))
		return dir;
	return bh_slice_sub(file, 0, file.len - strlen(".php"));
}

static int wordpress_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	if (bh_slice_ends(file->path, BH_SLICE_LIT("wp-includes/version.php")))
		return read_core(file, &notes, err);
	if (bh_slice_ends(file->path, BH_SLICE_LIT("/style.css")))
		return read_extension(file, "wordpress-theme", "Theme Name", bh_slice_base(bh_slice_folder(file->path)), &notes, err);
	return read_extension(file, "wordpress-plugin", "Plugin Name", slug_of(file->path), &notes, err);
}

const struct pkg_parser pkg_parser_wordpress = {
	.name = "wordpress",
	.type = "wordpress-plugin",
	.wants = wordpress_wants,
	.max_bytes = SCRIPT_BYTES_MAX,
	.parse = wordpress_parse,
};
