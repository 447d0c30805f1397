/*
 * test_walks.c: zip archives made by Python's zipfile (tests/corpus/zip, tests/corpus/feed.md) and damaged by hand: names and contents,
 * whatever the runs the bytes come in, and what is refused. And the walk over large JSON texts.
 */
#include "base/buf.h"
#include "format/json.h"
#include "format/json_walk.h"
#include "format/zip.h"
#include "sys/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define FILE_BYTES_MAX (1u << 20)

struct runs {
	struct bh_slice rest;
	size_t len;
};

static int read_run(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	(void)err;
	struct runs *r = ctx;
	*ret = bh_slice_sub(r->rest, 0, r->len);
	r->rest = bh_slice_sub(r->rest, ret->len, r->rest.len);
	return 0;
}

static void load(const char *folder, const char *name, struct bh_buf *out)
{
	char path[256];
	struct bh_err err = { 0 };
	(void)snprintf(path, sizeof(path), "tests/corpus/%s/%s", folder, name);
	bh_buf_init(out, FILE_BYTES_MAX);
	assert_int_equal(bh_read_file(path, FILE_BYTES_MAX, out, &err), 0);
}

/* ---- zip ---- */

/* "NAME:LENGTH:FIRST BYTES;" for every entry. */
static int list(struct bh_slice archive, size_t run, struct bh_buf *out, struct bh_err *err)
{
	struct runs runs = { archive, run };
	struct bh_zip *z;
	struct bh_slice name, got;
	assert_int_equal(bh_zip_new((struct bh_source){ .read = read_run, .ctx = &runs }, &z, err), 0);
	int rc;
	while ((rc = bh_zip_next(z, &name, err)) == 1) {
		struct bh_buf content;
		bh_buf_init(&content, FILE_BYTES_MAX);
		bh_buf_add(out, name);
		while ((rc = bh_zip_read(z, &got, err)) == 0 && got.len)
			bh_buf_add(&content, got);
		bh_buf_printf(out, ":%zu:%.*s;", content.len, BH_SLICE_FMT(bh_slice_sub(bh_buf_slice(&content), 0, 4)));
		bh_buf_done(&content);
		if (rc < 0)
			break;
	}
	bh_zip_free(z);
	return rc;
}

static void zip_gives(const char *name, int want, const char *text)
{
	static const size_t lengths[] = { 1, 2, 3, 7, 30, 64, 1000, FILE_BYTES_MAX };
	struct bh_buf archive;
	load("zip", name, &archive);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct bh_buf got;
		struct bh_err err = { 0 };
		bh_buf_init(&got, FILE_BYTES_MAX);
		assert_int_equal(list(bh_buf_slice(&archive), lengths[i], &got, &err), want);
		bh_buf_add_byte(&got, '\0');
		if (want == 0)
			assert_string_equal(got.ptr, text);
		else
			assert_non_null(strstr(err.text, text));
		bh_buf_done(&got);
	}
	bh_buf_done(&archive);
}

static void zip_entries(void **state)
{
	(void)state;
	zip_gives("deflated", 0, "a.json:460:{\"id;dir/:0:;dir/b.json:1:x;empty:0:;");
	zip_gives("streamed", 0, "a.json:460:{\"id;dir/:0:;dir/b.json:1:x;empty:0:;");
	zip_gives("stored", 0, "stored.json:460:{\"id;\xc3\xbc\xe4\xb8\xad.json:2:{};");
	zip_gives("zip64", 0, "big.json:460:{\"id;");
	zip_gives("zip64-streamed", 0, "big.json:460:{\"id;two.json:1:2;");
	zip_gives("comment-and-long-entry", 0, "a:70000:aaaa;");
	zip_gives("no-entries", 0, "");
}

static void zip_damage(void **state)
{
	(void)state;
	zip_gives("truncated", BH_ETRUNCATED, "ends too early, at byte");
	zip_gives("without-list", BH_ETRUNCATED, "ends too early, at byte");
	zip_gives("wrong-checksum", BH_EMALFORMED, "wrong checksum");
	zip_gives("encrypted", BH_EUNSUPPORTED, "encrypted entry");
	zip_gives("deflate64", BH_EUNSUPPORTED, "method other than deflate");
	zip_gives("list-too-short", BH_EMALFORMED, "another number of entries");
}

static void zip_sniff(void **state)
{
	(void)state;
	assert_true(bh_zip_sniff(BH_SLICE_LIT("PK\3\4 and more")));
	assert_true(bh_zip_sniff(BH_SLICE_LIT("PK\5\6")));
	assert_false(bh_zip_sniff(BH_SLICE_LIT("PK\3")));
	assert_false(bh_zip_sniff(BH_SLICE_LIT("{\"PK\": 1}")));
}

/* ---- JSON ---- */

static struct bh_json_walk *walk_over(struct runs *runs, size_t max)
{
	struct bh_json_walk *w;
	assert_int_equal(bh_json_walk_new((struct bh_source){ .read = read_run, .ctx = runs }, max, &w, NULL), 0);
	return w;
}

static void walk_members(void **state)
{
	(void)state;
	for (size_t len = 1; len < 20; len++) {
		struct runs runs = { BH_SLICE_LIT(" {\"a\": {\"x\": [1, \"]\"]}, \"k\\u00e9y\" : \"v\\\"\",\"skipped\":[{}],\n\"n\":-1.5e3 } "), len };
		struct bh_json_walk *w = walk_over(&runs, 100);
		struct bh_slice key, text;
		enum bh_json_kind kind;
		assert_int_equal(bh_json_walk_peek(w, &kind, NULL), 0);
		assert_int_equal(kind, BH_JSON_OBJECT);
		assert_int_equal(bh_json_walk_enter(w, NULL), 0);
		assert_int_equal(bh_json_walk_item(w, &key, NULL), 1);
		assert_true(bh_slice_eq_str(key, "a"));
		assert_int_equal(bh_json_walk_value(w, &text, NULL), 0);
		assert_true(bh_slice_eq_str(text, "{\"x\": [1, \"]\"]}"));
		assert_int_equal(bh_json_walk_item(w, &key, NULL), 1);
		assert_true(bh_slice_eq_str(key, "k\xc3\xa9y"));
		assert_int_equal(bh_json_walk_value(w, &text, NULL), 0);
		assert_true(bh_slice_eq_str(text, "\"v\\\"\""));
		assert_int_equal(bh_json_walk_item(w, &key, NULL), 1);
		assert_int_equal(bh_json_walk_item(w, &key, NULL), 1);
		assert_true(bh_slice_eq_str(key, "n"));
		assert_int_equal(bh_json_walk_value(w, &text, NULL), 0);
		assert_true(bh_slice_eq_str(text, "-1.5e3"));
		assert_int_equal(bh_json_walk_item(w, &key, NULL), 0);
		assert_int_equal(bh_json_walk_peek(w, &kind, NULL), 0);
		assert_int_equal(kind, BH_JSON_NOTHING);
		bh_json_walk_free(w);
	}
}

/* All values at the top, and in the container when there is only one. */
static int drain(struct bh_json_walk *w, struct bh_err *err)
{
	enum bh_json_kind kind;
	struct bh_slice key, text;
	int rc;
	while ((rc = bh_json_walk_peek(w, &kind, err)) == 0 && kind != BH_JSON_NOTHING) {
		if (kind == BH_JSON_SCALAR) {
			rc = bh_json_walk_value(w, &text, err);
		} else {
			rc = bh_json_walk_enter(w, err);
			while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1)
				rc = 0;
		}
		if (rc < 0)
			break;
	}
	return rc;
}

static void walk_damage(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
		enum bh_code code;
	} cases[] = {
		{ "[1, 2", "ends too early, at byte 5", BH_ETRUNCATED },
		{ "{\"a\": \"x", "ends too early", BH_ETRUNCATED },
		{ "{\"a\"", "ends too early", BH_ETRUNCATED },
		{ "[1 2]", "byte 3: a comma was expected", BH_EMALFORMED },
		{ "[1, ]", "byte 4: a value was expected", BH_EMALFORMED },
		{ "{\"a\" 1}", "a colon was expected", BH_EMALFORMED },
		{ "{1: 2}", "a key was expected", BH_EMALFORMED },
		{ "[1] ]", "nothing opened", BH_EMALFORMED },
		{ "[1}", "a comma was expected", BH_EMALFORMED },
		{ "[\"123456789012345678901234567890\", 1]", NULL, BH_OK }, /* skipped values may be long */
		{ "\"1234567890123456789012\"", "a value of more than 20 bytes", BH_ELIMIT },
		{ "{\"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested deeper", BH_ELIMIT },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t len = 1; len < 40; len += 3) {
			struct runs runs = { bh_slice_str(cases[i].text), len };
			struct bh_json_walk *w = walk_over(&runs, 20);
			struct bh_err err = { 0 };
			assert_int_equal(drain(w, &err), cases[i].code);
			if (cases[i].says)
				assert_non_null(strstr(err.text, cases[i].says));
			bh_json_walk_free(w);
		}
}

static void walk_lines(void **state)
{
	(void)state;
	struct bh_buf text;
	load("json_walk", "lines", &text);
	struct runs runs = { bh_buf_slice(&text), 5 };
	struct bh_json_walk *w = walk_over(&runs, 100);
	struct bh_slice value;
	static const char *const want[] = { "{\"id\": 1}", "{\"id\": 2}", "[3]", "\"4\"", "5", "true" };
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(bh_json_walk_value(w, &value, NULL), 0);
		assert_true(bh_slice_eq_str(value, want[i]));
	}
	bh_json_walk_free(w);
	bh_buf_done(&text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(zip_entries),  cmocka_unit_test(zip_damage),  cmocka_unit_test(zip_sniff),
		cmocka_unit_test(walk_members), cmocka_unit_test(walk_damage), cmocka_unit_test(walk_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
