/* state.c: see state.h. { "NAME": { "URL etag": "\"abc\"", "URL date": "Mon, ...", "since": "2026-..." } } */
#include "update/state.h"

#include "base/buf.h"
#include "base/limits.h"
#include "format/json.h"
#include "sys/files.h"

#include <stdio.h>

#define FILE_BYTES_MAX (16u << 20)
#define VALUES_MAX 100000u
#define FILE_MODE 0644u

static bool path_of(const char *database, char out[BH_PATH_BYTES_MAX])
{
	int n = snprintf(out, BH_PATH_BYTES_MAX, "%s.fetched", database);
	return n > 0 && n < (int)BH_PATH_BYTES_MAX;
}

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "too much is remembered of downloads");
}

static int put(struct update_state *s, struct bh_slice source, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	char *name = bh_arena_printf(&s->arena, "%.*s\n%.*s", BH_SLICE_FMT(source), BH_SLICE_FMT(key));
	struct bh_slice *kept = BH_ARENA_NEW(&s->arena, struct bh_slice);
	void **slot = name && kept && bh_arena_copy(&s->arena, value, kept) ? bh_map_put(&s->values, bh_slice_str(name)) : NULL;
	if (!slot)
		return full(err);
	*slot = kept;
	return 0;
}

static int read_source(struct update_state *s, struct bh_slice name, const struct bh_json_node *values, struct bh_err *err)
{
	void *iter = NULL;
	struct bh_slice key;
	const struct bh_json_node *value;
	int rc = 0;
	while (rc == 0 && bh_json_next(values, &iter, &key, &value))
		rc = put(s, name, key, bh_json_str(value), err);
	return rc;
}

int update_state_load(const char *database, struct update_state *ret, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf text;
	struct bh_json *doc = NULL;
	void *iter = NULL;
	struct bh_slice name;
	const struct bh_json_node *values;
	int rc = 0;
	bh_arena_init(&ret->arena, 64u << 20);
	bh_map_init(&ret->values, VALUES_MAX);
	bh_buf_init(&text, FILE_BYTES_MAX);
	if (path_of(database, path) && bh_read_file(path, FILE_BYTES_MAX, &text, NULL) == 0 &&
	    bh_json_parse(bh_buf_slice(&text), FILE_BYTES_MAX, &doc, NULL) == 0)
		while (rc == 0 && bh_json_next(bh_json_root(doc), &iter, &name, &values))
			rc = read_source(ret, name, values, err);
	bh_json_free(doc);
	bh_buf_done(&text);
	return rc;
}

void update_state_done(struct update_state *s)
{
	bh_map_done(&s->values);
	bh_arena_done(&s->arena);
}

/* Entries of one source stand together or not: JSON does not mind, the last of equal names would win; so they are gathered. */
static void add_source(struct bh_buf *out, const struct update_state *s, struct bh_slice source)
{
	bool first = true;
	for (size_t i = 0; i < s->values.len; i++) {
		struct bh_slice name, key;
		const struct bh_slice *value = s->values.entries[i].value;
		(void)bh_slice_cut(s->values.entries[i].key, '\n', &name, &key);
		if (!bh_slice_eq(name, source) || value->len == 0)
			continue;
		bh_buf_add_str(out, first ? "\n    " : ",\n    ");
		bh_buf_add_json(out, key);
		bh_buf_add_str(out, ": ");
		bh_buf_add_json(out, *value);
		first = false;
	}
}

static void write_sources(struct bh_buf *out, const struct update_state *s)
{
	struct bh_map done;
	bh_map_init(&done, VALUES_MAX);
	bh_buf_add_byte(out, '{');
	for (size_t i = 0; i < s->values.len; i++) {
		struct bh_slice name, key;
		(void)bh_slice_cut(s->values.entries[i].key, '\n', &name, &key);
		void **slot = bh_map_put(&done, name);
		if (!slot || *slot)
			continue;
		*slot = &done;
		bh_buf_add_str(out, done.len > 1 ? ",\n  " : "\n  ");
		bh_buf_add_json(out, name);
		bh_buf_add_str(out, ": {");
		add_source(out, s, name);
		bh_buf_add_str(out, "\n  }");
	}
	bh_buf_add_str(out, "\n}\n");
	bh_map_done(&done);
}

int update_state_save(const char *database, const struct update_state *s, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf out;
	bh_buf_init(&out, FILE_BYTES_MAX);
	write_sources(&out, s);
	int rc = out.failed || !path_of(database, path) ? full(err) : bh_write_file_atomic(path, bh_buf_slice(&out), FILE_MODE, err);
	bh_buf_done(&out);
	return rc;
}

struct bh_slice update_state_get(const struct update_state *s, const char *source, const char *key, const char *part)
{
	char name[BH_PATH_BYTES_MAX];
	int n = snprintf(name, sizeof(name), "%s\n%s%s", source, key, part);
	const struct bh_slice *value = n > 0 && n < (int)sizeof(name) ? bh_map_get(&s->values, (struct bh_slice){ (const uint8_t *)name, (size_t)n }) : NULL;
	return value ? *value : (struct bh_slice){ 0 };
}

int update_state_set(struct update_state *s, const char *source, const char *key, const char *part, struct bh_slice value, struct bh_err *err)
{
	char name[BH_PATH_BYTES_MAX];
	int n = snprintf(name, sizeof(name), "%s%s", key, part);
	if (n < 0 || n >= (int)sizeof(name))
		return full(err);
	return put(s, bh_slice_str(source), (struct bh_slice){ (const uint8_t *)name, (size_t)n }, value, err);
}
