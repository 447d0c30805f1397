/* test_crypto.c: digests against the vectors of FIPS 180-4 / RFC 6234 and against coreutils. */
#include "bytes.h"
#include "crypto/lane.h"
#include "crypto/md5.h"

#include <unistd.h>

static const struct vector {
	enum bh_digest_kind kind;
	const char *message;
	size_t times;
	const char *digest;
} vectors[] = {
	/* RFC 6234 section 8.5: TEST1, TEST2, TEST3; the empty message from NIST's SHA test vectors */
	{ BH_DIGEST_SHA256, "", 1, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ BH_DIGEST_SHA256, "abc", 1, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ BH_DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ BH_DIGEST_SHA256, "a", 1000000, "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	{ BH_DIGEST_SHA512, "abc", 1,
	  "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca"
	  "49f" },
	{ BH_DIGEST_SHA512, "a", 1000000,
	  "sha512:e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc"
	  "09b" },
};

static void digests_match_the_standard(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct bh_hasher *h = NULL;
		struct bh_err err = { 0 };
		struct bh_digest got, want;
		assert_true(bh_digest_parse(bh_slice_str(v->digest), &want));
		assert_int_equal(bh_hasher_new(v->kind, &h, &err), 0);
		for (int round = 0; round < 2; round++) { /* a reset hasher is as good as a new one */
			for (size_t n = 0; n < v->times; n++)
				bh_hasher_update(h, bh_slice_str(v->message));
			bh_hasher_finish(h, &got);
			assert_true(bh_digest_eq(&got, &want));
			bh_hasher_reset(h);
		}
		bh_hasher_free(h);
		if (v->times == 1) {
			assert_int_equal(bh_digest_of(v->kind, bh_slice_str(v->message), &got, &err), 0);
			assert_true(bh_digest_eq(&got, &want));
		}
	}
	bh_hasher_free(NULL);
}

static void digests_match_coreutils(void **state)
{
	(void)state;
	static const struct {
		enum bh_digest_kind kind;
		const char *program;
	} tools[] = { { BH_DIGEST_SHA256, "sha256" }, { BH_DIGEST_SHA512, "sha512" } };
	for (size_t i = 0; i < 2; i++) {
		struct bh_buf bytes, line;
		char command[128];
		char text[BH_DIGEST_TEXT_BYTES], want[BH_DIGEST_TEXT_BYTES];
		struct bh_digest got;
		struct bh_err err = { 0 };
		assert_true(output_of("cat /bin/sh /etc/passwd", &bytes));
		snprintf(command, sizeof(command), "cat /bin/sh /etc/passwd | %ssum | cut -d' ' -f1", tools[i].program);
		assert_true(output_of(command, &line));
		assert_true(bytes.len > 50000);
		assert_int_equal(bh_digest_of(tools[i].kind, bh_buf_slice(&bytes), &got, &err), 0);
		snprintf(want, sizeof(want), "%s:%.*s", tools[i].program, BH_SLICE_FMT(bh_slice_trim(bh_buf_slice(&line))));
		assert_string_equal(bh_digest_text(&got, text), want);
		bh_buf_done(&bytes);
		bh_buf_done(&line);
	}
}

/* Two streams through one thread, in pieces of all sizes, against the same streams hashed at once. */
static void a_lane_hashes_the_same(void **state)
{
	(void)state;
	static uint8_t data[3u << 20];
	struct bh_err err = { 0 };
	struct bh_lane *lane;
	struct bh_hasher *a, *b;
	struct bh_digest got, want;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	assert_int_equal(bh_lane_new(&lane, &err), 0);
	assert_int_equal(bh_hasher_new(BH_DIGEST_SHA256, &a, &err), 0);
	assert_int_equal(bh_hasher_new(BH_DIGEST_SHA512, &b, &err), 0);
	const struct bh_slice all = { data, sizeof(data) };
	for (size_t at = 0, n = 0; at < sizeof(data); at += n, n = n * 3 % 200001 + 1) {
		bh_lane_update(lane, a, bh_slice_sub(all, at, n));
		bh_lane_update(lane, b, bh_slice_sub(all, at, n));
	}
	bh_lane_wait(lane);
	bh_hasher_finish(a, &got);
	assert_int_equal(bh_digest_of(BH_DIGEST_SHA256, all, &want, &err), 0);
	assert_true(bh_digest_eq(&got, &want));
	bh_hasher_finish(b, &got);
	assert_int_equal(bh_digest_of(BH_DIGEST_SHA512, all, &want, &err), 0);
	assert_true(bh_digest_eq(&got, &want));
	bh_lane_free(lane);
	bh_hasher_free(a);
	bh_hasher_free(b);
}

#define MD5_TEXTS 200u

/* One batch of texts, in all ways, against OpenSSL one by one. */
static void compare_md5(struct bh_sum *sum, const struct bh_slice *texts, size_t n)
{
	static struct bh_md5_text batch[MD5_TEXTS];
	static uint8_t got[MD5_TEXTS][BH_MD5_BYTES];
	uint8_t want[BH_SUM_BYTES_MAX];
	for (unsigned way = 0; way < 3; way++) {
		for (size_t i = 0; i < n; i++)
			batch[i] = (struct bh_md5_text){ texts[i], got[i] };
		memset(got, 0, sizeof(got));
		if (!bh_md5_many_by(way, batch, n)) {
			print_message("way %u: this processor can't\n", way);
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			bh_sum_reset(sum);
			bh_sum_update(sum, texts[i]);
			assert_true(bh_sum_finish(sum, want));
			assert_memory_equal(got[i], want, BH_MD5_BYTES);
		}
	}
}

/* Every length around the blocks, numbers of texts around those of lanes, one long among short ones. */
static void many_md5_are_those_of_openssl(void **state)
{
	static uint8_t data[1u << 20];
	struct bh_slice texts[MD5_TEXTS] = { 0 };
	struct bh_sum *sum = NULL;
	struct bh_err err = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 2654435761u >> 11);
	assert_int_equal(bh_sum_new(BH_SUM_MD5, &sum, &err), 0);
	for (size_t n = 0; n <= MD5_TEXTS; n += n < 40 ? 1 : 32) {
		for (size_t i = 0; i < n; i++)
			texts[i] = (struct bh_slice){ data + i, (i * 7 + n) % 200 };
		compare_md5(sum, texts, n);
		if (n > 3)
			texts[n - 3] = (struct bh_slice){ data + 1, sizeof(data) - 1 - n };
		compare_md5(sum, texts, n);
	}
	bh_sum_free(sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_match_the_standard),
		cmocka_unit_test(digests_match_coreutils),
		cmocka_unit_test(a_lane_hashes_the_same),
		cmocka_unit_test(many_md5_are_those_of_openssl),
	};
	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
