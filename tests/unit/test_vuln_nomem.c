/*
 * test_vuln_nomem.c: the advisory database when memory runs out: each allocation in turn fails, once alone and once with all
 * that follow. Whatever it is, the call says so and nothing leaks or crashes (the sanitizer build looks for both).
 */
#include "bkdb_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static long countdown; /* allocations until one fails; < 0: none does */
static bool for_good;  /* and all behind it */
static bool refused;   /* one did */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
	if (countdown < 0)
		return false;
	if (countdown == 0) {
		refused = true;
		countdown = for_good ? 0 : -1;
		return true;
	}
	countdown--;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

static const char facts[] = "source|a|20\nsource|b|30\nadvisory|a|CVE-2024-0001|GHSA-x|CVSS:3.1/x,CVSS:4.0/y|high||||||title\n"
			    "advisory|b|CVE-2024-0001|X-1|CVSS:3.0/z\nrow|a|E|p|GHSA-x|fixed|||1<2,0<1|1,2\nrow|b|E|p|X-1|fixed|||1<2\n"
			    "row|a|F|q|Y-1|affected|||<\nkev|a|CVE-2024-0001\nepss|a|CVE-2024-0001|1|2\nentry|a|t|k|v\n";

/* Makes a database, opens and verifies it, and makes another one of it. */
static int everything(struct bh_buf *out, struct bh_err *err)
{
	struct vuln_builder *b = NULL, *next = NULL;
	struct vuln_db *db = NULL;
	struct bh_buf again;
	bh_buf_init(&again, 1u << 20);
	int rc = vuln_builder_new(&b, err);
	rc = rc < 0 ? rc : bkdb_add_text(b, bh_slice_str(facts), err);
	rc = rc < 0 ? rc : vuln_builder_finish(b, out, err);
	rc = rc < 0 ? rc : vuln_db_open(bh_buf_slice(out), &db, err);
	rc = rc < 0 ? rc : vuln_db_verify(db, err);
	rc = rc < 0 ? rc : vuln_builder_new(&next, err);
	rc = rc < 0 ? rc : vuln_builder_merge(next, db, bh_slice_str("c"), err);
	rc = rc < 0 ? rc : vuln_builder_finish(next, &again, err);
	if (rc == 0)
		assert_true(bh_slice_eq(bh_buf_slice(out), bh_buf_slice(&again)));
	vuln_db_close(db);
	vuln_builder_free(b);
	vuln_builder_free(next);
	bh_buf_done(&again);
	return rc;
}

/* Fails the first, the second ... allocation until one run needs no more; returns how many runs failed. */
static long run_all(bool all_behind)
{
	long failed = 0;
	refused = true;
	for (long n = 0; refused; n++) {
		struct bh_err err = { 0 };
		struct bh_buf out;
		bh_buf_init(&out, 1u << 20);
		for_good = all_behind;
		refused = false;
		countdown = n;
		int rc = everything(&out, &err);
		countdown = -1;
		if (rc < 0)
			assert_true((rc == BH_ENOMEM || rc == BH_ELIMIT) && err.code == (enum bh_code)rc && err.text[0]);
		else
			assert_true(!refused || !all_behind);
		failed += rc < 0;
		bh_buf_done(&out);
	}
	return failed;
}

static void any_allocation_may_fail(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	struct bh_buf out;
	bh_buf_init(&out, 1u << 20);
	countdown = -1;
	assert_int_equal(everything(&out, &err), 0); /* what is made once per process is made now */
	bh_buf_done(&out);
	assert_true(run_all(false) > 100);
	assert_true(run_all(true) > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_allocation_may_fail) };
	countdown = -1;
	return cmocka_run_group_tests_name("vuln_nomem", tests, NULL, NULL);
}
