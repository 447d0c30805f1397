/* packages.c: see packages.h. Whatever is no line of these formats is passed over, and stays where it is. */
#include "harden/packages.h"

#include "base/limits.h"

bool packages_walk_list(struct bh_slice text, struct bh_slice package, package_file *tell, void *ctx)
{
	struct bh_slice line;
	bool ok = true;
	while (ok && text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (line.len > 1 && line.ptr[0] == '/')
			ok = tell(ctx, package, bh_slice_sub(line, 1, line.len));
	}
	return ok;
}

static bool tell_joined(struct bh_slice package, struct bh_slice folder, struct bh_slice name, package_file *tell, void *ctx)
{
	struct bh_buf path;
	bh_buf_init(&path, BH_PATH_BYTES_MAX);
	bool joined = (folder.len == 0 || (bh_buf_add(&path, folder) && bh_buf_add_byte(&path, '/'))) && bh_buf_add(&path, name);
	bool ok = !joined || tell(ctx, package, bh_buf_slice(&path)); /* a path that is too long is none */
	bh_buf_done(&path);
	return ok;
}

bool packages_walk_apk(struct bh_slice text, package_file *tell, void *ctx)
{
	struct bh_slice line, package = { 0 }, folder = { 0 };
	bool ok = true;
	while (ok && text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		struct bh_slice value = bh_slice_sub(line, 2, line.len);
		if (line.len == 0)
			package = folder = (struct bh_slice){ 0 };
		else if (bh_slice_starts(line, BH_SLICE_LIT("P:")))
			package = value;
		else if (bh_slice_starts(line, BH_SLICE_LIT("F:")))
			folder = value;
		else if (bh_slice_starts(line, BH_SLICE_LIT("R:")) && package.len)
			ok = tell_joined(package, folder, value, tell, ctx);
	}
	return ok;
}

/* The paragraph at the beginning of text, with the empty line behind it; *name: what stands behind the key. */
static struct bh_slice take_paragraph(struct bh_slice *text, struct bh_slice key, struct bh_slice *name)
{
	struct bh_slice rest = *text, line;
	*name = (struct bh_slice){ 0 };
	do {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		if (bh_slice_starts(line, key))
			*name = bh_slice_trim(bh_slice_sub(line, key.len, line.len));
	} while (line.len && rest.len);
	struct bh_slice paragraph = bh_slice_sub(*text, 0, text->len - rest.len);
	*text = rest;
	return paragraph;
}

bool packages_without(struct bh_slice text, const char *key, const struct bh_map *packages, struct bh_buf *out)
{
	struct bh_slice name;
	while (text.len) {
		struct bh_slice paragraph = take_paragraph(&text, bh_slice_str(key), &name);
		if (!(name.len && bh_map_get(packages, name)) && !bh_buf_add(out, paragraph))
			return false;
	}
	return true;
}
