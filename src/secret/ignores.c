/* ignores.c: see ignores.h. */
#include "secret/ignores.h"

#include "base/buf.h"
#include "base/limits.h"
#include "sys/files.h"

#define FILE_BYTES_MAX (16u << 20)
#define LINES_MAX 200000u
#define KEY_BYTES_MAX (2u * BH_PATH_BYTES_MAX)

void secret_ignores_init(struct secret_ignores *i)
{
	*i = (struct secret_ignores){ 0 };
	bh_arena_init(&i->arena, 4 * FILE_BYTES_MAX);
	bh_map_init(&i->lines, LINES_MAX);
}

void secret_ignores_done(struct secret_ignores *i)
{
	bh_map_done(&i->lines);
	bh_arena_done(&i->arena);
}

static int add(struct secret_ignores *i, struct bh_slice line, unsigned number, struct bh_err *err)
{
	struct bh_slice copy;
	line = bh_slice_trim(line);
	if (line.len == 0 || line.ptr[0] == '#')
		return 0;
	void **slot = bh_arena_copy(&i->arena, line, &copy) ? bh_map_put(&i->lines, copy) : NULL;
	if (!slot)
		return bh_fail(err, BH_ELIMIT, 0, "%s:%u: more lines than such a file may have", i->path, number);
	*slot = (void *)(uintptr_t)number;
	return 0;
}

int secret_ignores_read(struct secret_ignores *i, const char *path, struct bh_err *err)
{
	struct bh_buf text;
	i->path = path;
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = bh_read_file(path, FILE_BYTES_MAX, &text, err);
	struct bh_slice rest = bh_buf_slice(&text), line;
	for (unsigned number = 1; rc == 0 && rest.len; number++) {
		if (!bh_slice_cut(rest, '\n', &line, &rest)) {
			line = rest;
			rest.len = 0;
		}
		rc = add(i, line, number, err);
	}
	bh_buf_done(&text);
	return rc;
}

unsigned secret_ignores_find(const struct secret_ignores *i, struct bh_slice commit, struct bh_slice path, struct bh_slice rule, uint32_t line)
{
	struct bh_buf key;
	bh_buf_init(&key, KEY_BYTES_MAX);
	bh_buf_printf(&key, "%.*s:%.*s:%.*s:%u", BH_SLICE_FMT(commit), BH_SLICE_FMT(path), BH_SLICE_FMT(rule), line);
	struct bh_slice whole = bh_buf_slice(&key), without = bh_slice_sub(whole, commit.len + 1, whole.len);
	uintptr_t number = commit.len ? (uintptr_t)bh_map_get(&i->lines, whole) : 0;
	number = number ? number : (uintptr_t)bh_map_get(&i->lines, without);
	bh_buf_done(&key);
	return (unsigned)number;
}
