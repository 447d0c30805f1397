/*
 * test_sandboxed.c: everything that format/ and crypto/ do for hostile bytes works inside the sandbox: no file is opened, no
 * thread started. What needs files (OpenSSL's providers) was loaded before the fork by bh_crypto_init.
 */
#include "bytes.h"
#include "crypto/digest.h"
#include "format/json.h"
#include "format/tar.h"
#include "sys/child.h"

static const char *const commands[] = { "cat", "gzip", "zstd -qc", "zstd -qc --ultra -22", "xz -c9", "bzip2 -c" };
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct bh_buf archives[COMMANDS]; /* one tar, compressed in all ways */
static struct bh_digest plain_digest;

static int stream_read(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	return bh_stream_read(ctx, ret, err);
}

static int count_entries(struct bh_slice raw, size_t *ret_entries, struct bh_err *err)
{
	struct pieces p = { raw, 5000, NULL };
	struct bh_stream *s = NULL;
	struct bh_tar *t = NULL;
	struct bh_tar_entry e;
	struct bh_slice got;
	int rc = bh_stream_new(pieces_source(&p), NULL, NULL, NULL, &s, err);
	if (rc == 0)
		rc = bh_tar_new((struct bh_source){ stream_read, s }, &t, err);
	*ret_entries = 0;
	while (rc == 0 && (rc = bh_tar_next(t, &e, err)) == 1) {
		++*ret_entries;
		while ((rc = bh_tar_read(t, &got, err)) == 0 && got.len)
			;
	}
	bh_tar_free(t);
	bh_stream_free(s);
	pieces_done(&p);
	return rc;
}

static int check_hashing(struct bh_err *err)
{
	struct bh_digest d;
	int rc = bh_digest_of(BH_DIGEST_SHA512, BH_SLICE_LIT("abc"), &d, err);
	if (rc == 0)
		rc = bh_digest_of(BH_DIGEST_SHA256, bh_buf_slice(&archives[0]), &d, err);
	if (rc == 0 && !bh_digest_eq(&d, &plain_digest))
		return bh_fail(err, BH_EMISMATCH, 0, "another digest in the sandbox");
	return rc;
}

static int check_json(struct bh_err *err)
{
	struct bh_json *doc = NULL;
	struct bh_err wanted = { 0 };
	if (bh_json_parse(BH_SLICE_LIT("{\"a\":[1.5,}"), 100, &doc, &wanted) != BH_EMALFORMED)
		return bh_fail(err, BH_EMALFORMED, 0, "bad JSON accepted");
	int rc = bh_json_parse(BH_SLICE_LIT("{\"a\":[1.5,\"\\u00e9\"],\"b\":{}}"), 100, &doc, err);
	if (rc == 0 && bh_json_len(bh_json_root(doc)) != 2)
		rc = bh_fail(err, BH_EMALFORMED, 0, "JSON misread");
	bh_json_free(doc);
	return rc;
}

static int in_child(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx;
	size_t entries, want = 0;
	int rc = check_hashing(err);
	if (rc == 0)
		rc = check_json(err);
	for (size_t i = 0; rc == 0 && i < COMMANDS; i++) {
		rc = count_entries(bh_buf_slice(&archives[i]), &entries, err);
		want = i ? want : entries;
		if (rc == 0 && (entries != want || entries < 50))
			rc = bh_fail(err, BH_EMALFORMED, 0, "%s: %zu entries", commands[i], entries);
		/* Errors too: their texts come from the libraries. */
		struct bh_err wanted = { 0 };
		int cut = rc == 0 ? count_entries(bh_slice_sub(bh_buf_slice(&archives[i]), 0, archives[i].len / 2), &entries, &wanted) : 0;
		if (rc == 0 && cut != BH_ETRUNCATED)
			rc = bh_fail(err, BH_EMALFORMED, 0, "%s: half of it reads as %d", commands[i], cut);
	}
	return rc;
}

static int no_messages(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	(void)ctx, (void)is_request, (void)payload, (void)reply;
	return bh_fail(err, BH_ECHILD, 0, "unexpected message %u", type);
}

static void hostile_bytes_are_read_in_the_sandbox(void **state)
{
	(void)state;
	struct bh_err err = { 0 }, child_err = { 0 };
	int result = 1;
	for (size_t i = 0; i < COMMANDS; i++) {
		char command[200];
		snprintf(command, sizeof(command), "tar --format=posix -cf - /etc/default /etc/init.d /etc/*.d /usr/share/doc/lib*1 2>/dev/null | %s",
			 commands[i]);
		assert_true(output_of(command, &archives[i]));
	}
	assert_int_equal(bh_crypto_init(&err), 0);
	assert_int_equal(bh_digest_of(BH_DIGEST_SHA256, bh_buf_slice(&archives[0]), &plain_digest, &err), 0);
	struct bh_child_spec spec = { .name = "formats", .run = in_child, .handle = no_messages };
	int rc = bh_children_run(&spec, 1, 1, &result, &child_err, &err);
	if (rc < 0 || result < 0)
		fail_msg("%s%s", err.text, child_err.text);
	for (size_t i = 0; i < COMMANDS; i++)
		bh_buf_done(&archives[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_bytes_are_read_in_the_sandbox),
	};
	return cmocka_run_group_tests_name("sandboxed", tests, NULL, NULL);
}
