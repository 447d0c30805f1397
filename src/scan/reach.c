/* reach.c: see reach.h. Everything is code but what lies in folders of data and is called like data. */
#include "scan/reach.h"

static bool ends_with_any(struct bh_slice s, const char *const *ends)
{
	for (; *ends; ends++)
		if (bh_slice_ends(s, bh_slice_str(*ends)))
			return true;
	return false;
}

static bool starts_with_any(struct bh_slice s, const char *const *starts)
{
	for (; *starts; starts++)
		if (bh_slice_starts(s, bh_slice_str(*starts)))
			return true;
	return false;
}

/* What interpreters load, wherever it lies. */
static bool is_interpreted(struct bh_slice path)
{
	static const char *const ends[] = { ".py", ".pyc", ".rb", ".pl", ".pm", ".js", ".mjs", ".cjs", ".php", ".jar", ".war", ".class",
					    ".lua", ".tcl", ".R", ".wasm", ".sh", ".el", ".elc", ".ko", NULL };
	return ends_with_any(path, ends);
}

static bool is_data(struct bh_slice path)
{
	static const char *const folders[] = { "usr/share/", "usr/include/", "usr/src/", "etc/", "var/", "usr/local/share/", "usr/lib/debug/", NULL };
	static const char *const scripts[] = { "etc/init.d/", "etc/cron", "etc/rc", "etc/profile.d/", "etc/update-motd.d/", NULL };
	static const char *const ends[] = { ".a", ".o", ".la", ".pc", ".h", ".hpp", ".cmake", ".txt", ".md", ".gz", ".conf", ".service",
					    ".mo", ".gir", ".typelib", NULL };
	if (is_interpreted(path) || starts_with_any(path, scripts))
		return false;
	return starts_with_any(path, folders) || ends_with_any(path, ends);
}

static struct bh_slice without_slash(struct bh_slice path)
{
	return path.len && path.ptr[0] == '/' ? bh_slice_sub(path, 1, path.len) : path;
}

/* Lists that name folders name what is in them right behind. */
static bool is_folder(struct bh_slice path, struct bh_slice next)
{
	return path.len == 0 || bh_slice_eq_str(path, ".") || (next.len > path.len && bh_slice_starts(next, path) && next.ptr[path.len] == '/');
}

enum bh_reach reach_of_paths(struct bh_slice paths)
{
	bool any = false;
	while (paths.len) {
		struct bh_slice path, next, ignored;
		(void)bh_slice_cut(paths, '\0', &path, &paths);
		(void)bh_slice_cut(paths, '\0', &next, &ignored);
		path = without_slash(path);
		if (is_folder(path, without_slash(next)))
			continue;
		any = true;
		if (!is_data(path))
			return BH_REACH_CODE;
	}
	return any ? BH_REACH_NO_CODE : BH_REACH_METADATA;
}

enum bh_reach reach_join(enum bh_reach a, enum bh_reach b)
{
	if (a == BH_REACH_UNKNOWN || b == BH_REACH_UNKNOWN)
		return a == BH_REACH_UNKNOWN ? b : a;
	return a < b ? a : b; /* code before none, files before no files */
}
