#include "comply/engines.h"

#define LIST_MAX 6u

enum how { TOGETHER, LAST, EACH };

static const struct engine {
	enum component component;
	enum how how;
	enum node_syntax syntax;
	const char *programs[LIST_MAX], *files[LIST_MAX];
} engines[] = {
#define LIST(...) { __VA_ARGS__ }
#define ENGINE(component, how, syntax, programs, files) { component, how, syntax, programs, files },
#include "engines.def"
#undef ENGINE
#undef LIST
};
#define N_ENGINES (sizeof(engines) / sizeof(engines[0]))

/* ---- the files there are ---- */

static bool push_path(struct node *n, struct engine_path_vec *out, struct bh_slice folder, struct bh_slice name)
{
	const char *path = bh_arena_printf(&n->arena, "%.*s/%.*s", BH_SLICE_FMT(folder), BH_SLICE_FMT(name));
	return path && engine_path_vec_push(out, bh_slice_str(path));
}

static bool fits(struct bh_slice pattern, struct bh_slice name)
{
	struct bh_slice head, tail;
	if (!bh_slice_cut(pattern, '*', &head, &tail))
		return bh_slice_eq(pattern, name);
	return name.len >= head.len + tail.len && bh_slice_starts(name, head) && bh_slice_ends(name, tail);
}

static int add_names(struct node *n, struct bh_slice folder, struct bh_slice pattern, struct bh_slice rest, struct engine_path_vec *out, struct bh_err *err)
{
	struct host_name_vec names = { .max = ENGINE_PATHS_MAX };
	int rc = node_list(n, folder, &names, err);
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const char *name = bh_arena_printf(&n->arena, "%.*s%s%.*s", BH_SLICE_FMT(names.ptr[i]), rest.len ? "/" : "", BH_SLICE_FMT(rest));
		if (fits(pattern, names.ptr[i]) && (!name || !push_path(n, out, folder, bh_slice_str(name))))
			rc = node_no_memory(err);
	}
	host_name_vec_done(&names);
	return rc;
}

int engines_expand(struct node *n, struct bh_slice pattern, struct engine_path_vec *out, struct bh_err *err)
{
	size_t star = bh_slice_find(pattern, '*');
	struct bh_slice head = bh_slice_sub(pattern, 0, star), tail = bh_slice_sub(pattern, star, pattern.len), part, rest = { 0 };
	if (star == pattern.len)
		return engine_path_vec_push(out, pattern) ? 0 : node_no_memory(err);
	struct bh_slice folder = bh_slice_folder(head);
	(void)bh_slice_cut(tail, '/', &part, &rest);
	const struct bh_slice name = { folder.ptr + folder.len + 1, (size_t)(part.ptr + part.len - folder.ptr) - folder.len - 1 };
	return add_names(n, folder, name, rest, out, err);
}

/* ---- configurations of an instance ---- */

static int note_config_problem(struct node *n, struct component_instance *in, const struct node_file *file, struct bh_err *err)
{
	const char *text = bh_arena_printf(&n->arena, "%.*s was not read: %.*s", BH_SLICE_FMT(file->path), BH_SLICE_FMT(file->problem));
	in->config_problem = bh_slice_str(text);
	return text ? 0 : node_no_memory(err);
}

static bool has_config(const struct component_instance *in, struct bh_slice path)
{
	for (size_t i = 0; i < in->configs.len; i++)
		if (bh_slice_eq(in->configs.ptr[i].file, path))
			return true;
	return false;
}

static int add_file(struct node *n, struct component_instance *in, struct bh_slice path, enum node_syntax syntax, bool must_be_there, struct bh_err *err)
{
	const struct node_file *file;
	int rc = node_config(n, path, syntax, &file, err);
	if (rc < 0)
		return rc;
	if (file->code < 0)
		return file->code == BH_ENOTFOUND && !must_be_there ? 0 : note_config_problem(n, in, file, err);
	return component_config_vec_push(&in->configs, file->config) ? 0 : node_no_memory(err);
}

/* The paths, or patterns, that containerd's configuration imports; those that do not begin with "/" lie beside it. */
static int list_imports(struct node *n, const struct component_config *config, struct engine_path_vec *out, struct bh_err *err)
{
	struct cel_value imports = kube_get(config->root, "imports");
	struct bh_slice folder = bh_slice_folder(config->file);
	int rc = 0;
	for (size_t i = 0; rc == 0 && imports.kind == CEL_LIST && i < imports.list->len; i++) {
		struct cel_value item = imports.list->items[i];
		if (item.kind != CEL_STRING || item.text.len == 0)
			continue;
		bool absolute = item.text.ptr[0] == '/';
		const char *path = bh_arena_printf(&n->arena, "%.*s%s%.*s", absolute ? 0 : (int)folder.len, (const char *)folder.ptr, absolute ? "" : "/", BH_SLICE_FMT(item.text));
		rc = path ? engines_expand(n, bh_slice_str(path), out, err) : node_no_memory(err);
	}
	return rc;
}

/* What is imported says more than what imports it, and may import more. */
static int add_imports(struct node *n, struct component_instance *in, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < in->configs.len; i++) {
		struct engine_path_vec paths = { .max = ENGINE_PATHS_MAX };
		rc = list_imports(n, &in->configs.ptr[i], &paths, err);
		for (size_t k = 0; rc == 0 && k < paths.len; k++)
			if (in->configs.len == in->configs.max)
				in->config_problem = BH_SLICE_LIT("more files are imported than are read");
			else if (!has_config(in, paths.ptr[k]))
				rc = add_file(n, in, paths.ptr[k], NODE_TOML, false, err);
		engine_path_vec_done(&paths);
	}
	return rc;
}

static const struct component_argument *config_argument(const struct component_instance *in)
{
	const struct component_argument *a = component_argument(in, BH_SLICE_LIT("config"));
	return a ? a : component_argument(in, BH_SLICE_LIT("c"));
}

static int configure(struct node *n, struct component_instance *in, const struct engine *e, const struct engine_path_vec *paths, struct bh_err *err)
{
	const struct component_argument *a = config_argument(in);
	int rc = 0;
	if (a && a->value.len)
		rc = add_file(n, in, a->value, e->syntax, true, err);
	for (size_t i = a ? 1 : 0; rc == 0 && i < paths->len; i++) /* the option is there in place of the first one */
		rc = add_file(n, in, paths->ptr[i], e->syntax, false, err);
	if (e->how == LAST && in->configs.len > 1) {
		in->configs.ptr[0] = in->configs.ptr[in->configs.len - 1];
		in->configs.len = 1;
	}
	return rc < 0 || e->component != CONTAINERD ? rc : add_imports(n, in, err);
}

/* ---- engines ---- */

static int is_installed(struct node *n, const struct engine *e, bool *ret, struct bh_err *err)
{
	int rc = 0;
	*ret = false;
	for (size_t i = 0; rc == 0 && !*ret && i < LIST_MAX && e->programs[i]; i++) {
		struct host_stat st = { 0 };
		rc = n->host->stat(n->host->ctx, bh_slice_str(e->programs[i]), &st, err);
		*ret = rc == 0 && st.kind != HOST_ABSENT;
	}
	return rc;
}

/* Every file that is there is an instance. */
static int add_each(struct node *n, const struct engine *e, const struct engine_path_vec *paths, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < paths->len; i++) {
		const struct node_file *file;
		struct component_instance *in;
		rc = node_config(n, paths->ptr[i], e->syntax, &file, err);
		if (rc < 0 || file->code == BH_ENOTFOUND)
			continue;
		rc = component_add(n, e->component, paths->ptr[i], false, &in, err);
		rc = rc < 0 ? rc : add_file(n, in, paths->ptr[i], e->syntax, true, err);
	}
	return rc;
}

/* One that no process and no unit told of is known by its program. */
static int add_installed(struct node *n, const struct engine *e, struct bh_err *err)
{
	struct component_instance *in;
	bool installed = false;
	int rc = is_installed(n, e, &installed, err);
	if (rc < 0 || !installed)
		return rc;
	return component_add(n, e->component, bh_slice_str(e->files[0]), false, &in, err);
}

static int find_engine(struct node *n, const struct engine *e, const struct engine_path_vec *paths, struct bh_err *err)
{
	int rc = 0;
	if (e->how == EACH)
		return add_each(n, e, paths, err);
	if (!node_has_component(n, e->component))
		rc = add_installed(n, e, err);
	for (size_t i = 0; rc == 0 && i < n->instances.len; i++)
		if (n->instances.ptr[i].component == e->component)
			rc = configure(n, &n->instances.ptr[i], e, paths, err);
	return rc;
}

int engines_find(struct node *n, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < N_ENGINES; i++) {
		struct engine_path_vec paths = { .max = ENGINE_PATHS_MAX };
		for (size_t k = 0; rc == 0 && k < LIST_MAX && engines[i].files[k]; k++)
			rc = engines_expand(n, bh_slice_str(engines[i].files[k]), &paths, err);
		rc = rc < 0 ? rc : find_engine(n, &engines[i], &paths, err);
		engine_path_vec_done(&paths);
	}
	return rc;
}
