/* test_encoded.c: runs of base64 in texts, beside the plainest way to find them; and which of them are worth to be decoded. */
#include "secret/encoded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_BYTES 400u
#define RUN_MIN 24u

static bool is_of_alphabet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '-' || c == '_';
}

/* The next run from *at on, byte by byte. */
static bool plain_next(struct bh_slice text, size_t *at, struct bh_slice *ret)
{
	for (size_t from = *at; from < text.len; from++) {
		size_t to = from;
		while (to < text.len && is_of_alphabet(text.ptr[to]))
			to++;
		if (to - from >= RUN_MIN) {
			*ret = bh_slice_sub(text, from, to - from);
			*at = to;
			return true;
		}
		from = to;
	}
	*at = text.len;
	return false;
}

static void same_runs(struct bh_slice text)
{
	size_t ours = 0, plain = 0;
	struct bh_slice run, wanted;
	bool more;
	do {
		more = plain_next(text, &plain, &wanted);
		assert_int_equal(secret_next_base64(text, &ours, &run), more);
		assert_int_equal(ours, plain);
		assert_true(!more || (run.ptr == wanted.ptr && run.len == wanted.len));
	} while (more);
}

static void test_every_byte(void **state)
{
	uint8_t text[RUN_MIN];
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		size_t at = 0;
		struct bh_slice run;
		memset(text, (int)c, sizeof(text));
		assert_int_equal(secret_next_base64((struct bh_slice){ text, sizeof(text) }, &at, &run), is_of_alphabet((uint8_t)c));
	}
}

/* One run of every length at every place. */
static void test_places(void **state)
{
	uint8_t text[3 * 64 + 7];
	(void)state;
	for (size_t from = 0; from < sizeof(text); from++)
		for (size_t to = from; to <= sizeof(text); to++) {
			memset(text, ' ', sizeof(text));
			memset(text + from, 'x', to - from);
			same_runs((struct bh_slice){ text, sizeof(text) });
		}
}

/* Texts in which gaps are as rare as runs need them; a generator of Lehmer's. */
static void test_random(void **state)
{
	static const char letters[] = "AZaz09+/-_ .=\n\x80";
	uint8_t text[TEXT_BYTES];
	uint64_t seed = 1;
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t len = seed % TEXT_BYTES;
		unsigned rare = 1 + round % 40;
		for (size_t i = 0; i < len; i++) {
			seed = seed * 48271 % 2147483647;
			text[i] = (uint8_t)letters[seed / 8 % (seed % rare == 0 ? sizeof(letters) - 1 : 10)];
		}
		same_runs((struct bh_slice){ text, len });
		seed = seed * 48271 % 2147483647;
	}
}

static bool decodes(const char *run, const char *wanted)
{
	struct bh_buf out;
	bh_buf_init(&out, 4096);
	bool ok = secret_decode_base64(bh_slice_str(run), &out);
	assert_true(!ok || bh_slice_starts(bh_buf_slice(&out), bh_slice_str(wanted)));
	bh_buf_done(&out);
	return ok;
}

/* Encoded by coreutils' base64. */
static void test_worth(void **state)
{
	(void)state;
	assert_true(decodes("cGFzc3dvcmQ9aHVudGVyMjEyMzQ1", "password=hunter212345"));
	assert_true(decodes("w6TDtsO8IHBhc3N3b3JkPWh1bnRlcjI", "\xc3\xa4\xc3\xb6\xc3\xbc password=hunter2"));
	assert_true(decodes("MTIzNDU2Nzg5MDHDpCBwYXNzd29yZA", "12345678901\xc3\xa4 password")); /* the cut is in a character */
	assert_true(decodes("H4sIAAAAAAAAA0tMSk5JTQMACR4W", "\x1f\x8b"));
	assert_false(decodes("getElementsByClassNameOrSelector", ""));
	assert_false(decodes("AAECAwQFBgcICQoLDA0ODxAREhMU", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_worth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
