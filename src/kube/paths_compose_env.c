/*
 * paths_compose_env.c: files of variables that services of docker-compose get (env_file): lines NAME=VALUE. The parent gives those that lie beside the files of
 * Compose (PATHS_ENV_ROLE); of others it is said that nobody read them.
 */
#include "kube/paths.h"
#include "kube/paths_compose.h"

/* "work/shop/" of "work/shop/compose.yaml" */
static struct bh_slice folder_of(struct bh_slice file)
{
	size_t n = file.len;
	while (n && file.ptr[n - 1] != '/')
		n--;
	return bh_slice_sub(file, 0, n);
}

static bool find_file(const struct compose_service *s, struct bh_slice path, struct bh_slice *ret_name, struct bh_slice *ret_text)
{
	struct bh_slice folder = folder_of(s->file->file);
	while (bh_slice_starts(path, BH_SLICE_LIT("./")))
		path = bh_slice_sub(path, 2, path.len);
	if (bh_slice_starts(path, BH_SLICE_LIT("/")))
		folder.len = 0;
	for (size_t i = 0; kube_asked_raw(s->c->asked, PATHS_ENV_ROLE, i, ret_name, ret_text); i++)
		if (ret_name->len == folder.len + path.len && bh_slice_starts(*ret_name, folder) && bh_slice_ends(*ret_name, path))
			return true;
	return false;
}

/* "export NAME=VALUE", too; what begins with # is none. */
static int look_at_line(const struct compose_service *s, struct bh_slice file, unsigned line, struct bh_slice text)
{
	struct bh_slice name, value;
	text = bh_slice_trim(text);
	if (bh_slice_starts(text, BH_SLICE_LIT("export ")))
		text = bh_slice_trim(bh_slice_sub(text, 7, text.len));
	if (bh_slice_starts(text, BH_SLICE_LIT("#")) || !bh_slice_cut(text, '=', &name, &value) || !compose_names_secret(bh_slice_trim(name), bh_slice_trim(value)))
		return 0;
	name = bh_slice_trim(name);
	const struct bh_slice arguments[] = { s->name, paths_name(s->c, s->file->name, name) };
	const char *place = bh_arena_printf(&s->c->f->arena, "%.*s:%u: %.*s", BH_SLICE_FMT(file), line, BH_SLICE_FMT(name));
	return place ? paths_give(s->c, "holds", arguments, 2, bh_slice_str(place)) : bh_fail(s->c->err, BH_ELIMIT, 0, "too many variables");
}

static int look_at_text(const struct compose_service *s, struct bh_slice file, struct bh_slice text)
{
	int rc = 0;
	for (unsigned line = 1; rc == 0 && text.len; line++) {
		struct bh_slice one;
		(void)bh_slice_cut(text, '\n', &one, &text);
		rc = look_at_line(s, file, line, one);
	}
	return rc;
}

static int say_unread(const struct compose_service *s, struct bh_slice path)
{
	struct bh_buf text;
	bh_buf_init(&text, 8192);
	uint32_t line = kube_tree_find(s->file->tree, s->value.map, BH_SLICE_LIT("env_file"), &text);
	bh_buf_printf(&text, ": %.*s was not read: secrets in it are not considered", BH_SLICE_FMT(path));
	int rc = kube_say_gap(s->c->asked, s->file->file, line, bh_buf_slice(&text), s->c->err);
	bh_buf_done(&text);
	return rc;
}

/* A path, or a map with one that may say required: false. */
static int look_at_entry(const struct compose_service *s, struct cel_value v)
{
	struct bh_slice path = compose_text(s, v.kind == CEL_MAP ? kube_get(v, "path") : v), name, text;
	struct cel_value required = v.kind == CEL_MAP ? kube_get(v, "required") : cel_null();
	if (path.len == 0)
		return 0;
	if (find_file(s, path, &name, &text))
		return look_at_text(s, name, text);
	return required.kind == CEL_BOOL && !required.boolean ? 0 : say_unread(s, path);
}

int compose_find_env_files(const struct compose_service *s)
{
	struct cel_value files = kube_get(s->value, "env_file");
	int rc = files.kind == CEL_LIST ? 0 : look_at_entry(s, files);
	for (size_t i = 0; rc == 0 && i < kube_length(files); i++)
		rc = look_at_entry(s, files.list->items[i]);
	return rc;
}
