#include "kube/origin.h"

#include "base/limits.h"
#include "kube/objects.h"
#include "kube/render.h"

#define SEPARATOR BH_SLICE_LIT("---")
#define COMMENT BH_SLICE_LIT("# Source: ")

bool kube_is_rendered(struct bh_slice file, struct bh_slice *ret)
{
	const struct bh_slice suffix = BH_SLICE_LIT(KUBE_RENDERED);
	bool is = bh_slice_ends(file, suffix);
	*ret = is ? bh_slice_sub(file, 0, file.len - suffix.len) : file;
	return is;
}

bool kube_is_rendered_evidence(struct bh_slice evidence)
{
	return bh_slice_ends(evidence, BH_SLICE_LIT(")")) && bh_slice_search(evidence, " (rendered line ") != NULL;
}

/* The bytes before the last slash, with it. */
static struct bh_slice folder_of(struct bh_slice path)
{
	size_t n = path.len;
	while (n > 0 && path.ptr[n - 1] != '/')
		n--;
	return bh_slice_sub(path, 0, n);
}

static bool is_of_kustomize(struct bh_slice written)
{
	size_t at = folder_of(written).len;
	return kube_is_kustomization((const char *)written.ptr + at, written.len - at);
}

/* ---- helm ---- */

static struct bh_slice take_line(struct bh_slice *rest)
{
	struct bh_slice line;
	if (!bh_slice_cut(*rest, '\n', &line, rest))
		*rest = (struct bh_slice){ 0 };
	return line;
}

bool kube_origins_read(struct bh_slice file, struct bh_slice text, struct kube_origin_vec *ret)
{
	struct bh_slice written, before = { 0 };
	if (!kube_is_rendered(file, &written) || is_of_kustomize(written))
		return true;
	/* Right behind a separator only: a template could hold such a comment itself, but not there, since helm cuts at separators. */
	for (uint32_t number = 1; text.len; number++) {
		struct bh_slice line = take_line(&text);
		struct kube_origin o = { .line = number - 1 };
		if (bh_slice_eq(before, SEPARATOR) && bh_slice_starts(line, COMMENT)) {
			o.template = bh_slice_trim(bh_slice_sub(line, COMMENT.len, line.len));
			if (o.template.len < BH_PATH_BYTES_MAX && !kube_origin_vec_push(ret, o))
				return false;
		}
		before = line;
	}
	return true;
}

static bool name_it(struct bh_arena *arena, struct bh_slice folder, struct bh_slice path, struct bh_slice *ret)
{
	bool slash = folder.len && folder.ptr[folder.len - 1] != '/';
	const char *name = bh_arena_printf(arena, "%.*s%s%.*s" KUBE_RENDERED, BH_SLICE_FMT(folder), slash ? "/" : "", BH_SLICE_FMT(path));
	*ret = bh_slice_str(name);
	return name != NULL;
}

bool kube_origin_at(const struct kube_origin_vec *origins, struct bh_slice file, uint32_t line, struct bh_arena *arena, struct bh_slice *ret)
{
	struct bh_slice chart, path, written;
	size_t low = 0, high = origins->len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (origins->ptr[middle].line <= line)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = file;
	/* "shop/templates/web.yaml": the first name is the chart's, which its folder need not have. */
	if (low == 0 || !bh_slice_cut(origins->ptr[low - 1].template, '/', &chart, &path) || !kube_is_rendered(file, &written))
		return true;
	return name_it(arena, written, path, ret);
}

/* ---- Kustomize ---- */

/* The value behind "path: " in the lines of an annotation. */
static struct bh_slice field_of(struct bh_slice lines, struct bh_slice field)
{
	while (lines.len) {
		struct bh_slice line = take_line(&lines);
		if (bh_slice_starts(line, field))
			return bh_slice_trim(bh_slice_sub(line, field.len, line.len));
	}
	return (struct bh_slice){ 0 };
}

/* "../base/web.yaml" seen from "overlays/prod/": "overlays/base/web.yaml". */
static void join(struct bh_slice *folder, struct bh_slice *path)
{
	while (bh_slice_starts(*path, BH_SLICE_LIT("../")) && folder->len > 1) {
		struct bh_slice up = folder_of(bh_slice_sub(*folder, 0, folder->len - 1));
		struct bh_slice last = bh_slice_sub(*folder, up.len, folder->len - up.len);
		if (bh_slice_eq_str(last, "../") || bh_slice_eq_str(last, "./"))
			return;
		*folder = up;
		*path = bh_slice_sub(*path, 3, path->len);
	}
}

bool kube_origin_of(struct cel_value object, struct bh_slice file, struct bh_arena *arena, struct bh_slice *ret)
{
	struct bh_slice written;
	*ret = file;
	if (!kube_is_rendered(file, &written) || !is_of_kustomize(written))
		return true;
	const struct bh_slice origin = kube_text(kube_get(kube_path(object, "metadata.annotations"), "config.kubernetes.io/origin"), "");
	struct bh_slice path = field_of(origin, BH_SLICE_LIT("path: ")), folder = folder_of(written);
	if (path.len == 0) /* a generator's or transformer's work: the file that configured it */
		path = field_of(origin, BH_SLICE_LIT("configuredIn: "));
	if (path.len == 0 || path.len > BH_PATH_BYTES_MAX || field_of(origin, BH_SLICE_LIT("repo: ")).len)
		return true;
	join(&folder, &path);
	return name_it(arena, folder, path, ret);
}
