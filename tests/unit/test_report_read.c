/*
 * test_report_read.c: reports that are read back. The golden report, which has every field, comes out of reader and writer as it went
 * in, byte by byte; what is no report is told from one that is damaged.
 */
#include "policy/report_read.h"

#include "report/writer.h"
#include "sys/files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES_MAX (1u << 20)

static void load(const char *path, struct bh_buf *text)
{
	struct bh_err err = { 0 };
	bh_buf_init(text, BYTES_MAX);
	if (bh_read_file(path, BYTES_MAX, text, &err) < 0)
		fail_msg("%s", err.text);
}

static int read_path(const char *path, struct bh_report *r, struct bh_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	bh_report_init(r);
	int rc = policy_report_read(fd, path, r, err);
	close(fd);
	return rc;
}

static int read_text(const char *text, struct bh_report *r, struct bh_err *err)
{
	char path[64];
	int fd = memfd_create("report", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(bh_write_all(fd, bh_slice_str(text), err), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int rc = read_path(path, r, err);
	close(fd);
	return rc;
}

static void comes_back(const char *path)
{
	struct bh_report r;
	struct bh_err err = { 0 };
	struct bh_buf before, after;
	struct report_style style = { .tool_version = "0.0.0" };
	load(path, &before);
	bh_buf_init(&after, BYTES_MAX);
	if (read_path(path, &r, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(report_writer_find(BH_SLICE_LIT("json"))->write(&r, &style, &after, &err), 0);
	if (!bh_slice_eq(bh_buf_slice(&before), bh_buf_slice(&after)))
		fail_msg("%s is another report when it is read and written:\n%.*s", path, (int)after.len, (const char *)after.ptr);
	bh_buf_done(&before);
	bh_buf_done(&after);
	bh_report_done(&r);
}

static void test_golden_comes_back(void **state)
{
	(void)state;
	comes_back("tests/golden/json.json");
	comes_back("tests/golden/json-empty.json");
}

static void test_no_report(void **state)
{
	(void)state;
	static const char *const others[] = { "", "{", "[]", "{\"bomFormat\": \"CycloneDX\"}", "{\"schema\": \"bulkhead.report/2\"}", "SPDXVersion: SPDX-2.3\n" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct bh_report r;
		struct bh_err err = { 0 };
		assert_int_equal(read_text(others[i], &r, &err), BH_EUNSUPPORTED);
		bh_report_done(&r);
	}
}

#define REPORT(sections) "{\"schema\": \"bulkhead.report/1\", " sections "}"

static void test_odd_values(void **state)
{
	(void)state;
	struct bh_report r;
	struct bh_err err = { 0 };
	assert_int_equal(read_text(REPORT("\"target\": 7, \"layers\": {}, \"packages\": [1, {\"purl\": \"pkg:deb/a@1\", \"name\": \"a\"}],"
					  "\"findings\": [{\"id\": \"CVE-1\", \"class\": \"new-class\", \"severity\": 5, \"state\": \"new\", \"package\": \"pkg:deb/a@1\","
					  "\"cvss\": {\"score\": 99}, \"layer\": \"sha256:12\"}, {\"id\": \"CVE-2\", \"package\": \"pkg:gone\", \"installed\": \"2\"}],"
					  "\"changes\": [{\"findings\": [0, 7, -1, \"x\", 1]}]"),
				   &r, &err),
			 0);
	assert_int_equal(r.packages.len, 2);
	assert_int_equal(r.findings.len, 2);
	assert_ptr_equal(r.findings.ptr[0].package, &r.packages.ptr[1]);
	assert_int_equal(r.findings.ptr[0].state, BH_STATE_UNDETERMINED);
	assert_int_equal(r.findings.ptr[0].severity, BH_SEV_UNKNOWN);
	assert_int_equal(r.findings.ptr[0].cvss.score_tenths, 0);
	assert_int_equal(r.findings.ptr[0].layer, BH_NO_LAYER);
	assert_true(bh_slice_eq_str(r.findings.ptr[1].package->version, "2"));
	assert_int_equal(r.changes.ptr[0].n_findings, 2);
	bh_report_done(&r);
}

static void test_places(void **state)
{
	(void)state;
	struct bh_report r;
	struct bh_err err = { 0 };
	assert_int_equal(read_text(REPORT("\"packages\": [{\"purl\": \"pkg:maven/a/b@1\", \"paths\": [\"x.war!/WEB-INF/b.jar!/c.jar\", \"y.jar\"], \"scope\": \"development\"}]"),
				   &r, &err),
			 0);
	const struct bh_package *p = &r.packages.ptr[0];
	assert_true(bh_slice_eq_str(p->at.path, "x.war"));
	assert_true(bh_slice_eq_str(p->at.inner, "WEB-INF/b.jar!/c.jar"));
	assert_int_equal(p->n_also, 1);
	assert_true(bh_slice_eq_str(p->also[0].path, "y.jar"));
	assert_int_equal(p->scope, BH_SCOPE_DEVELOPMENT);
	bh_report_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden_comes_back), cmocka_unit_test(test_no_report), cmocka_unit_test(test_odd_values),
					    cmocka_unit_test(test_places) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
