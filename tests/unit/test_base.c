/* test_base.c: the bottom room: slices, reader, arena, buffer, vector, map, errors. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "base/vec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void slices_split_and_trim(void **state)
{
	(void)state;
	struct bh_slice head, tail;
	assert_true(bh_slice_cut(BH_SLICE_LIT("key: value: x"), ':', &head, &tail));
	assert_true(bh_slice_eq_str(head, "key"));
	assert_true(bh_slice_eq_str(bh_slice_trim(tail), "value: x"));
	assert_false(bh_slice_cut(BH_SLICE_LIT("nothing"), ':', &head, &tail));
	assert_true(bh_slice_eq_str(head, "nothing"));
	assert_int_equal(tail.len, 0);
	assert_int_equal(bh_slice_sub(BH_SLICE_LIT("abc"), 2, 9).len, 1);
	assert_int_equal(bh_slice_sub(BH_SLICE_LIT("abc"), 9, 9).len, 0);
}

/* Beside a loop over single bytes, for every length and every place of a byte in a word of eight. */
static void bytes_are_counted(void **state)
{
	(void)state;
	uint8_t bytes[41];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 5 == 0 ? '\n' : i % 7 == 0 ? 0x0b : i % 3 == 0 ? 0x8a : 0x09); /* neighbours of a line feed, and it with the high bit */
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; from + n <= sizeof(bytes); n++) {
			size_t feeds = 0, high = 0;
			for (size_t i = from; i < from + n; i++) {
				feeds += bytes[i] == '\n';
				high += bytes[i] == 0x8a;
			}
			const struct bh_slice s = { bytes + from, n };
			assert_int_equal(bh_slice_count(s, '\n'), feeds);
			assert_int_equal(bh_slice_count(s, (char)0x8a), high);
		}
	uint8_t many[8 * 255 * 2 + 13]; /* more than the counters of a byte hold */
	memset(many, 'x', sizeof(many));
	for (size_t n = sizeof(many) - 40; n <= sizeof(many); n++)
		assert_int_equal(bh_slice_count((struct bh_slice){ many, n }, 'x'), n);
	assert_int_equal(bh_slice_count((struct bh_slice){ 0 }, 'x'), 0);
}

static void words_are_found_in_any_case(void **state)
{
	(void)state;
	const struct bh_slice text = BH_SLICE_LIT("a DataDog key");
	assert_true(bh_slice_has_nocase(text, BH_SLICE_LIT("datadog")));
	assert_true(bh_slice_has_nocase(text, BH_SLICE_LIT("KEY")));
	assert_true(bh_slice_has_nocase(text, BH_SLICE_LIT("a d")));
	assert_false(bh_slice_has_nocase(text, BH_SLICE_LIT("keys")));
	assert_false(bh_slice_has_nocase(text, (struct bh_slice){ 0 }));
	assert_false(bh_slice_has_nocase((struct bh_slice){ 0 }, BH_SLICE_LIT("a")));
}

static void numbers_have_a_maximum(void **state)
{
	(void)state;
	uint64_t v = 7;
	assert_true(bh_slice_u64(BH_SLICE_LIT("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(bh_slice_u64(BH_SLICE_LIT("18446744073709551616"), UINT64_MAX, &v));
	assert_false(bh_slice_u64(BH_SLICE_LIT("101"), 100, &v));
	assert_false(bh_slice_u64(BH_SLICE_LIT(""), 100, &v));
	assert_false(bh_slice_u64(BH_SLICE_LIT("-1"), 100, &v));
	assert_true(v == UINT64_MAX); /* untouched by failures */
}

static void reader_never_passes_the_end(void **state)
{
	(void)state;
	struct bh_reader r = bh_reader_of(BH_SLICE_LIT("\x01\x02\x03\x04\x05"));
	uint32_t v = 0;
	struct bh_slice s;
	assert_true(bh_take_u32le(&r, &v));
	assert_int_equal(v, 0x04030201u);
	assert_false(bh_take_u32be(&r, &v));
	assert_false(bh_take(&r, SIZE_MAX, &s));
	assert_true(bh_take(&r, 1, &s));
	assert_false(bh_take(&r, 1, &s));
	assert_true(bh_take(&r, 0, &s));
	r = bh_reader_of(BH_SLICE_LIT("a\n\nb"));
	size_t lines = 0;
	while (bh_take_line(&r, &s))
		lines++;
	assert_int_equal(lines, 3);
}

static void arena_is_zero_after_a_clear(void **state)
{
	(void)state;
	struct bh_arena a;
	bh_arena_init(&a, 1u << 20);
	for (unsigned round = 0; round < 3; round++) {
		uint8_t *large = bh_arena_alloc(&a, 300000), *small = bh_arena_alloc(&a, 5000);
		assert_non_null(large);
		assert_non_null(small);
		for (size_t i = 0; i < 5000; i++) {
			assert_int_equal(small[i], 0);
			small[i] = 0xff;
		}
		memset(large, 0xff, 300000);
		bh_arena_clear(&a);
		assert_int_equal(a.used_bytes, 0);
	}
	bh_arena_done(&a);
}

static void arena_respects_its_maximum(void **state)
{
	(void)state;
	struct bh_arena a;
	bh_arena_init(&a, 100000);
	uint8_t *p = bh_arena_alloc(&a, 70000);
	assert_non_null(p);
	assert_int_equal(p[69999], 0);
	assert_null(bh_arena_alloc(&a, 70000));
	assert_null(bh_arena_array(&a, SIZE_MAX / 2, 3));
	assert_non_null(bh_arena_alloc(&a, 1000));
	assert_string_equal(bh_arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	bh_arena_done(&a);
}

static void buffer_fails_beyond_its_maximum_and_stays_whole(void **state)
{
	(void)state;
	struct bh_buf b;
	bh_buf_init(&b, 10);
	assert_true(bh_buf_add_str(&b, "12345678"));
	assert_false(bh_buf_add_str(&b, "9abc"));
	assert_true(b.failed);
	assert_int_equal(b.len, 8);
	bh_buf_done(&b);
}

static void escaping_makes_terminals_safe(void **state)
{
	(void)state;
	struct bh_buf b;
	bh_buf_init(&b, 1000);
	bh_buf_add_escaped(&b, BH_SLICE_LIT("a\x1b[31m\xc2\x9b\xff\n\\\xc3\xa9"));
	assert_true(bh_slice_eq_str(bh_buf_slice(&b), "a\\x1b[31m\\xc2\\x9b\\xff\\n\\\\\xc3\xa9"));
	bh_buf_clear(&b);
	bh_buf_add_escaped(&b, BH_SLICE_LIT("a\xe2\x80\xae""b\xef\xbb\xbf")); /* right-to-left override, zero-width no-break space */
	assert_true(bh_slice_eq_str(bh_buf_slice(&b), "a\\xe2\\x80\\xaeb\\xef\\xbb\\xbf"));
	bh_buf_clear(&b);
	bh_buf_add_json(&b, BH_SLICE_LIT("\"\x01\xff\t"));
	assert_true(bh_slice_eq_str(bh_buf_slice(&b), "\"\\\"\\u0001\xef\xbf\xbd\\t\""));
	bh_buf_done(&b);
}

static void utf8_is_strict(void **state)
{
	(void)state;
	uint32_t cp;
	assert_int_equal(bh_utf8_next(BH_SLICE_LIT("\xc0\x80"), &cp), 0);         /* overlong */
	assert_int_equal(bh_utf8_next(BH_SLICE_LIT("\xed\xa0\x80"), &cp), 0);     /* surrogate */
	assert_int_equal(bh_utf8_next(BH_SLICE_LIT("\xf4\x90\x80\x80"), &cp), 0); /* above U+10FFFF */
	assert_int_equal(bh_utf8_next(BH_SLICE_LIT("\xe2\x82"), &cp), 0);         /* cut short */
	assert_int_equal(bh_utf8_next(BH_SLICE_LIT("\xf0\x9f\x9a\xa2"), &cp), 4);
	assert_int_equal(cp, 0x1f6a2);
	assert_int_equal(bh_utf8_width(BH_SLICE_LIT("e\xcc\x81\xe4\xb8\xad")), 3);
}

BH_VEC(int_vec, int)

static void vector_grows_to_its_maximum(void **state)
{
	(void)state;
	struct int_vec v = { .max = 20 };
	for (int i = 0; i < 20; i++)
		assert_true(int_vec_push(&v, i));
	assert_false(int_vec_push(&v, 20));
	assert_int_equal(v.len, 20);
	assert_int_equal(v.ptr[19], 19);
	int_vec_done(&v);
}

static void map_finds_what_was_put(void **state)
{
	(void)state;
	enum { N = 5000 };
	static char keys[N][16];
	struct bh_map m;
	bh_map_init(&m, N);
	for (uintptr_t i = 0; i < N; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key-%zu", (size_t)i);
		void **at = bh_map_put(&m, bh_slice_str(keys[i]));
		assert_non_null(at);
		*at = (void *)(i + 1);
	}
	assert_null(bh_map_put(&m, BH_SLICE_LIT("one too many")));
	assert_int_equal((uintptr_t)bh_map_get(&m, BH_SLICE_LIT("key-4321")), 4322);
	assert_null(bh_map_get(&m, BH_SLICE_LIT("key-5000")));
	assert_int_equal(m.len, N);
	bh_map_done(&m);
}

static void errors_wrap_with_context(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	assert_int_equal(bh_fail(&err, BH_ETRUNCATED, 12, "ends after %d bytes", 12), BH_ETRUNCATED);
	assert_int_equal(bh_wrap(&err, "layer %d", 3), BH_ETRUNCATED);
	assert_string_equal(err.text, "layer 3: ends after 12 bytes");
	assert_int_equal(bh_fail_errno(&err, ENOENT, "%s", "x"), BH_EIO);
	assert_string_equal(err.text, "x: No such file or directory");
	assert_int_equal(bh_fail(NULL, BH_EIO, 0, "nobody listens"), BH_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_split_and_trim),
		cmocka_unit_test(bytes_are_counted),
		cmocka_unit_test(words_are_found_in_any_case),
		cmocka_unit_test(numbers_have_a_maximum),
		cmocka_unit_test(reader_never_passes_the_end),
		cmocka_unit_test(arena_respects_its_maximum),
		cmocka_unit_test(arena_is_zero_after_a_clear),
		cmocka_unit_test(buffer_fails_beyond_its_maximum_and_stays_whole),
		cmocka_unit_test(escaping_makes_terminals_safe),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(vector_grows_to_its_maximum),
		cmocka_unit_test(map_finds_what_was_put),
		cmocka_unit_test(errors_wrap_with_context),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
