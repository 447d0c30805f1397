/* test_update.c: pieces, manifests and their signatures, names of sources, what is remembered of downloads. */
#include "update/chunk.h"
#include "update/manifest.h"
#include "update/sources.h"
#include "update/state.h"

#include "sys/files.h"
#include "vuln/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static const char ed25519[] = "-algorithm ed25519", p256[] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", x25519[] = "-algorithm X25519";

/* A temporary file, removed at the end. */
static void make_path(char path[64])
{
	(void)snprintf(path, 64, "/tmp/test_update.XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
}

/* A new key, as the manual says to make one. */
static void make_key(const char *kind, const char *path)
{
	char command[256];
	(void)snprintf(command, sizeof(command), "openssl genpkey %s -out %s 2>/dev/null", kind, path);
	if (system(command) != 0)
		fail_msg("openssl genpkey failed");
}

static struct bh_sign_key *load(const char *path, bool secret)
{
	struct bh_sign_key *key = NULL;
	struct bh_err err = { 0 };
	int rc = bh_sign_key_load(path, secret, &key, &err);
	if (rc < 0)
		assert_int_equal(rc, BH_EUSAGE);
	return key;
}

static struct bh_sign_key *new_key(const char *kind)
{
	char path[64];
	make_path(path);
	make_key(kind, path);
	struct bh_sign_key *key = load(path, true);
	(void)unlink(path);
	return key;
}

/* ---- pieces ---- */

static void fill(uint8_t *bytes, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (uint8_t)(seed >> 56);
	}
}

/* Ends of all pieces, from the end of the bytes. */
static size_t cuts(struct bh_slice bytes, size_t *ends, size_t max)
{
	struct update_cutter c;
	size_t n = 0;
	update_cutter_init(&c);
	while (bytes.len && n < max) {
		size_t len = update_cutter_next(&c, bytes);
		assert_true(len > 0 && len <= UPDATE_CHUNK_BYTES_MAX && (len >= UPDATE_CHUNK_BYTES_MIN || len == bytes.len));
		bytes = bh_slice_sub(bytes, len, bytes.len);
		ends[n++] = bytes.len;
	}
	return n;
}

static void what_is_inserted_moves_few_cuts(void **state)
{
	(void)state;
	enum { N = 4 << 20, MAX = 1000 };
	uint8_t *before = malloc(N), *after = malloc(N + 100);
	size_t a[MAX], b[MAX], shared = 0;
	assert_true(before && after);
	fill(before, N, 1);
	memcpy(after, before, N / 2);
	fill(after + N / 2, 100, 2);
	memcpy(after + N / 2 + 100, before + N / 2, N / 2);
	size_t n = cuts((struct bh_slice){ before, N }, a, MAX), m = cuts((struct bh_slice){ after, N + 100 }, b, MAX);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++)
			shared += a[i] < N / 2 && a[i] == b[k];
	size_t behind = 0;
	for (size_t i = 0; i < n; i++)
		behind += a[i] < N / 2;
	assert_true(n > 30 && n < 100 && shared + 3 >= behind);
	free(before);
	free(after);
}

/* ---- manifests ---- */

static void write_manifest(const struct bh_sign_key *key, struct bh_buf *out)
{
	struct update_manifest m;
	struct bh_err err = { 0 };
	update_manifest_init(&m);
	m.version = 7;
	m.created_day = 20000;
	m.expires_day = VULN_NO_DAY;
	m.bytes = 30;
	for (unsigned i = 0; i < 3; i++) {
		struct update_piece p = { .bytes = 10, .packed_bytes = 20 + i };
		memset(p.sha256, (int)i, 32);
		memset(p.packed_sha256, 0xa0 + (int)i, 32);
		assert_true(update_piece_vec_push(&m.pieces, p));
	}
	bh_buf_init(out, 1u << 20);
	assert_int_equal(update_manifest_write(&m, key, out, &err), 0);
	update_manifest_done(&m);
}

static void manifests_come_back(void **state)
{
	(void)state;
	const char *const kinds[] = { ed25519, p256 };
	for (size_t i = 0; i < 2; i++) {
		struct bh_sign_key *key = new_key(kinds[i]), *other = new_key(kinds[i]);
		struct update_manifest m;
		struct bh_buf text;
		struct bh_err err = { 0 };
		assert_true(key && other);
		write_manifest(key, &text);
		assert_int_equal(update_manifest_read(bh_buf_slice(&text), key, &m, &err), 0);
		assert_int_equal(m.version, 7);
		assert_int_equal(m.pieces.len, 3);
		assert_int_equal(m.pieces.ptr[2].packed_bytes, 22);
		assert_int_equal(m.pieces.ptr[2].packed_sha256[31], 0xa2);
		assert_int_equal(m.expires_day, VULN_NO_DAY);
		update_manifest_done(&m);
		assert_int_equal(update_manifest_read(bh_buf_slice(&text), other, &m, &err), BH_EMISMATCH);
		bh_buf_done(&text);
		bh_sign_key_free(key);
		bh_sign_key_free(other);
	}
}

/* Whatever byte is changed, left out or added: it is not read. */
static void no_byte_can_be_changed(void **state)
{
	(void)state;
	struct bh_sign_key *key = new_key(ed25519);
	struct update_manifest m;
	struct bh_buf text;
	struct bh_err err;
	assert_non_null(key);
	write_manifest(key, &text);
	for (size_t i = 0; i < text.len; i++) {
		text.ptr[i] ^= 1;
		if (update_manifest_read(bh_buf_slice(&text), key, &m, &err) == 0)
			fail_msg("byte %zu was changed and nobody saw it", i);
		text.ptr[i] ^= 1;
		assert_true(update_manifest_read(bh_slice_sub(bh_buf_slice(&text), 0, i), key, &m, &err) < 0);
	}
	bh_buf_add_byte(&text, '\n');
	assert_true(update_manifest_read(bh_buf_slice(&text), key, &m, &err) < 0);
	bh_buf_done(&text);
	bh_sign_key_free(key);
}

static void keys_that_are_none(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n" };
	char path[64];
	make_path(path);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(bh_write_file_atomic(path, bh_slice_str(texts[i]), 0600, NULL), 0);
		assert_null(load(path, false));
	}
	make_key(x25519, path); /* for agreeing on secrets, not for signing */
	assert_null(load(path, true));
	(void)unlink(path);
	assert_null(load(path, true));
}

/* ---- sources ---- */

static void sources_have_names(void **state)
{
	(void)state;
	static const char *const bad[] = { "nonsense", "x=osv", "x=nofeed:https://h/", "x=osv:ftp://h/", "=osv:https://h/", "a b=osv:https://h/", "../x=osv:https://h/" };
	struct bh_arena arena;
	struct update_source s, other;
	struct bh_err err = { 0 };
	bh_arena_init(&arena, 1u << 20);
	size_t n = 0;
	for (; update_source_at(n, &s); n++) {
		assert_non_null(s.feed);
		assert_int_equal(update_source_parse(s.name, &arena, &other, &err), 0);
		assert_string_equal(other.url, s.url);
	}
	assert_true(n > 25);
	assert_int_equal(update_source_parse("corp=csaf:https://h/x/", &arena, &s, &err), 0);
	assert_true(s.kind == UPDATE_CSAF && strcmp(s.source, "corp") == 0 && strcmp(s.url, "https://h/x/") == 0);
	assert_int_equal(update_source_parse("corp=csaf:https://h/x.json", &arena, &s, &err), 0);
	assert_int_equal(s.kind, UPDATE_FILES);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(update_source_parse(bad[i], &arena, &s, &err), BH_EUSAGE);
	bh_arena_done(&arena);
}

static void braces_stand_for_files(void **state)
{
	(void)state;
	static const struct {
		const char *url, *all;
	} cases[] = {
		{ "http://h/x", "http://h/x" },
		{ "http://h/{a,b}/{1..3}.json", "http://h/a/1.json http://h/a/2.json http://h/a/3.json http://h/b/1.json http://h/b/2.json http://h/b/3.json" },
		{ "{2024..2024}", "2024" },
		{ "a{x", NULL },
		{ "{1..9999}", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bh_arena arena;
		struct bh_err err = { 0 };
		const char *urls[UPDATE_URLS_MAX];
		char all[512] = "";
		size_t n = 0, len = 0;
		bh_arena_init(&arena, 1u << 20);
		int rc = update_expand(cases[i].url, &arena, urls, &n, &err);
		assert_int_equal(rc, cases[i].all ? 0 : BH_EUSAGE);
		for (size_t k = 0; rc == 0 && k < n; k++)
			len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", k ? " " : "", urls[k]);
		if (rc == 0)
			assert_string_equal(all, cases[i].all);
		bh_arena_done(&arena);
	}
}

static void downloads_are_remembered(void **state)
{
	(void)state;
	char folder[] = "/tmp/test_update.XXXXXX", path[64], file[80];
	struct update_state s, again;
	struct bh_err err = { 0 };
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/db", folder);
	(void)snprintf(file, sizeof(file), "%s.fetched", path);
	assert_int_equal(update_state_load(path, &s, &err), 0);
	assert_int_equal(update_state_set(&s, "one", "http://h/x", " etag", BH_SLICE_LIT("\"a\\b\""), &err), 0);
	assert_int_equal(update_state_set(&s, "two", "since", "", BH_SLICE_LIT("2026"), &err), 0);
	assert_int_equal(update_state_set(&s, "one", "since", "", BH_SLICE_LIT("2025"), &err), 0);
	assert_int_equal(update_state_save(path, &s, &err), 0);
	assert_int_equal(update_state_load(path, &again, &err), 0);
	assert_true(bh_slice_eq_str(update_state_get(&again, "one", "http://h/x", " etag"), "\"a\\b\""));
	assert_true(bh_slice_eq_str(update_state_get(&again, "one", "since", ""), "2025"));
	assert_true(bh_slice_eq_str(update_state_get(&again, "two", "since", ""), "2026"));
	assert_int_equal(update_state_get(&again, "three", "since", "").len, 0);
	update_state_done(&again);
	update_state_done(&s);
	assert_int_equal(bh_write_file_atomic(file, BH_SLICE_LIT("not JSON"), 0644, &err), 0);
	assert_int_equal(update_state_load(path, &s, &err), 0); /* begins anew */
	assert_int_equal(s.values.len, 0);
	update_state_done(&s);
	(void)unlink(file);
	(void)rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_inserted_moves_few_cuts), cmocka_unit_test(manifests_come_back), cmocka_unit_test(no_byte_can_be_changed),
		cmocka_unit_test(keys_that_are_none),              cmocka_unit_test(sources_have_names),  cmocka_unit_test(braces_stand_for_files),
		cmocka_unit_test(downloads_are_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
