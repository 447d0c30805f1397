/*
 * test_dockerfile.c: instructions out of history entries as Docker's classic builder, BuildKit and Buildah write them; Dockerfiles; lines of
 * layers; the base image; what to change first.
 */
#include "policy/changes.h"
#include "policy/dockerfile.h"
#include "policy/instruction.h"
#include "policy/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define S(text) BH_SLICE_LIT(text)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void instructions(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "/bin/sh -c #(nop) ADD file:85e0 in / ", "ADD file:85e0 in /" },
		{ "/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]" },
		{ "/bin/sh -c apt-get update &&     apt-get install -y curl", "RUN apt-get update && apt-get install -y curl" },
		{ "|2 V=1 W=two words /bin/sh -c make V=$V", "RUN make V=$V" },
		{ "RUN /bin/sh -c apk add curl # buildkit", "RUN apk add curl" },
		{ "RUN |1 V=3 /bin/sh -c make # buildkit", "RUN make" },
		{ "RUN /bin/bash -o pipefail -c curl | sh # buildkit", "RUN curl | sh" },
		{ "RUN /bin/bash -euxo pipefail -c a\n\tb # buildkit", "RUN a b" },
		{ "COPY . /app # buildkit", "COPY . /app" },
		{ "ENV A=b", "ENV A=b" },
		{ "/bin/sh -c #(nop) COPY file:1 in /x ", "COPY file:1 in /x" },
		{ "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'", "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'" },
		{ "bazel build ...", "bazel build ..." },
		{ "RUN [\"/app\", \"-c\"] # buildkit", "RUN [\"/app\", \"-c\"]" },
		{ "", "" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_arena a;
		bh_arena_init(&a, 1u << 20);
		assert_string_equal(policy_instruction_of(bh_slice_str(cases[i][0]), &a), cases[i][1]);
		bh_arena_done(&a);
	}
}

/* "3 RUN make|4 COPY a b|" and the base. */
static void parse_case(const char *text, const char *wanted, const char *base)
{
	struct policy_dockerfile d;
	struct bh_err err = { 0 };
	char got[1000] = "";
	size_t n = 0;
	if (policy_dockerfile_parse(bh_slice_str(text), &d, &err) < 0) {
		assert_string_equal(err.text, wanted);
		return;
	}
	for (size_t i = 0; i < d.path.len; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%u %.*s %.*s|", d.path.ptr[i].line, BH_SLICE_FMT(d.path.ptr[i].keyword), BH_SLICE_FMT(d.path.ptr[i].text));
	assert_string_equal(got, wanted);
	assert_true(bh_slice_eq_str(d.base, base));
	policy_dockerfile_done(&d);
}

static void dockerfiles(void **state)
{
	(void)state;
	parse_case("FROM debian:12\nrun  make\n\n# x\nCOPY a  b\n", "2 RUN make|5 COPY a b|", "debian:12");
	parse_case("FROM a\nRUN x && \\\n  # comment\n\n  y \\\n  z\nCMD c", "2 RUN x && y z|7 CMD c|", "a");
	parse_case("# escape=`\nFROM a\nRUN x `\n y\\\nCMD c", "3 RUN x y\\|5 CMD c|", "a");
	parse_case("FROM a\nRUN <<EOF\nset -e\nmake\nEOF\nCMD c\n", "2 RUN set -e make|6 CMD c|", "a");
	parse_case("FROM a\nRUN <<-EOT bash\n\tmake\n\tEOT\nCOPY <<x <<\"y\" /d/\n1\nx\n2\ny\nCMD c\n", "2 RUN <<-EOT bash make EOT|5 COPY <<x <<\"y\" /d/ 1 x 2 y|10 CMD c|", "a");
	parse_case("FROM a\nRUN echo $((1<<2))\nCMD c\n", "2 RUN echo $((1<<2))|3 CMD c|", "a"); /* a shift, no here-document */
	parse_case("FROM a\nRUN cat 3<<2\nx\n2\nCMD c\n", "2 RUN cat 3<<2 x 2|5 CMD c|", "a"); /* the descriptor has a number, and so has the name */
	parse_case("ARG V=12\nARG R=\"reg.io\"\nFROM ${R}/debian:$V AS b\nRUN x\n", "4 RUN x|", "reg.io/debian:12");
	parse_case("ARG V\nFROM debian:${V:-11}\n", "", "debian:11");
	parse_case("ARG V\nFROM debian:${V}\nRUN x", "3 RUN x|", "");
	parse_case("FROM go AS build\nRUN go build\nFROM scratch AS base\nCOPY l /\nFROM --platform=x BASE\nCOPY --from=build a b\nCMD c",
		   "4 COPY l /|6 COPY --from=build a b|7 CMD c|", "scratch");
	parse_case("RUN x\n", "no FROM in it", "");
	parse_case("FROM a AS a\nFROM a as b\nFROM b\nRUN x", "4 RUN x|", "a"); /* stages may have an image's name */
	parse_case("\xef\xbb\xbf"
		   "FROM a\n",
		   "", "a");
}

static void add_history(struct bh_report *r, const char *created_by, bool layer)
{
	struct bh_history h = { .created_by = bh_slice_str(created_by), .layer = layer ? (uint32_t)r->layers.len : BH_NO_LAYER };
	assert_true(bh_history_vec_push(&r->history, h));
	if (layer) {
		struct bh_layer l = { .diff_id = { .kind = BH_DIGEST_SHA256, .bytes = { (uint8_t)r->layers.len } } };
		assert_true(bh_layer_vec_push(&r->layers, l));
	}
}

/* Debian, then what a Dockerfile added. */
static void fill(struct bh_report *r)
{
	bh_report_init(r);
	add_history(r, "# debian.sh --arch 'amd64' out/ 'bookworm'", true);
	add_history(r, "CMD [\"bash\"]", false);
	add_history(r, "ARG V=1", false);
	add_history(r, "RUN |1 V=1 /bin/sh -c apt-get update && apt-get install -y libssl3 # buildkit", true);
	add_history(r, "WORKDIR /srv", true);
	add_history(r, "COPY package-lock.json ./ # buildkit", true);
	add_history(r, "COPY /out /srv/bin # buildkit", true);
	add_history(r, "CMD [\"./shop\"]", false);
}

static char *write_file(const char *text)
{
	static char path[] = "/tmp/bulkhead-dockerfile-XXXXXX";
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	return path;
}

static void expect_lines(const char *dockerfile, const uint32_t lines[5], uint32_t n_base, const char *base)
{
	struct bh_report r;
	struct bh_err err = { 0 };
	fill(&r);
	char *path = write_file(dockerfile);
	assert_int_equal(policy_instructions(&r, &err), 0);
	if (policy_dockerfile_apply(path, &r, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(policy_base_image(&r, NULL, &err), 0);
	for (size_t i = 0; i < 5; i++)
		if (r.layers.ptr[i].dockerfile_line != lines[i])
			fail_msg("layer %zu: line %u instead of %u", i, r.layers.ptr[i].dockerfile_line, lines[i]);
	assert_int_equal(r.base.n_layers, n_base);
	assert_true(bh_slice_eq_str(r.base.name, base));
	(void)unlink(path);
	bh_report_done(&r);
}

static void lines_of_layers(void **state)
{
	(void)state;
	expect_lines("FROM node AS build\nRUN make\n\nFROM debian:12\nARG V\nRUN apt-get update \\\n && apt-get install -y libssl3\nWORKDIR /srv\nCOPY package-lock.json ./\n"
		     "COPY --from=build --chown=1 /out /srv/bin\nCMD [\"./shop\"]\n",
		     (const uint32_t[]){ 0, 6, 8, 9, 10 }, 1, "debian:12");
	/* variables in copies, a line that has changed since */
	expect_lines("FROM debian:12\nRUN apt-get update && apt-get install -y libssl1.1\nWORKDIR $HOME\nCOPY package-lock.json ./\nCOPY $OUT /srv/$DIR\n",
		     (const uint32_t[]){ 0, 0, 3, 4, 5 }, 2, "debian:12");
}

static void another_dockerfile(void **state)
{
	(void)state;
	struct bh_report r;
	struct bh_err err = { 0 };
	fill(&r);
	char *path = write_file("FROM alpine\nRUN apk add x\n");
	assert_int_equal(policy_dockerfile_apply(path, &r, &err), 0);
	assert_int_equal(r.incomplete.len, 1);
	(void)unlink(path);
	bh_report_done(&r);
}

static void base_images(void **state)
{
	(void)state;
	struct bh_report r, base;
	struct bh_err err = { 0 };
	fill(&r);
	assert_int_equal(policy_base_image(&r, NULL, &err), 0);
	assert_int_equal(r.base.n_layers, 1); /* below the first CMD: the last one has nothing above it */
	assert_true(bh_slice_eq_str(r.base.evidence, "history") && r.layers.ptr[0].base && !r.layers.ptr[1].base);
	bh_report_done(&r);
	/* labels name it */
	fill(&r);
	assert_true(bh_label_vec_push(&r.labels, (struct bh_label){ S("org.opencontainers.image.base.name"), S("debian:12") }));
	assert_int_equal(policy_base_image(&r, NULL, &err), 0);
	assert_true(bh_slice_eq_str(r.base.name, "debian:12") && bh_slice_eq_str(r.base.evidence, "label"));
	assert_int_equal(r.base.n_layers, 1);
	bh_report_done(&r);
	/* Buildah wrote down what FROM named, and ids of what lies between */
	fill(&r);
	r.history.ptr[3].comment = S("FROM docker.io/library/python:3");
	r.history.ptr[4].comment = S("FROM d8c1c5d1171b");
	r.layers.ptr[0].base = false;
	assert_int_equal(policy_base_image(&r, NULL, &err), 0);
	assert_true(bh_slice_eq_str(r.base.name, "docker.io/library/python:3") && bh_slice_eq_str(r.base.evidence, "history"));
	assert_int_equal(r.base.n_layers, 1);
	bh_report_done(&r);
	/* an image that was given shares two layers */
	fill(&r);
	bh_report_init(&base);
	base.target.text = S("oci:b");
	for (size_t i = 0; i < 2; i++)
		assert_true(bh_layer_vec_push(&base.layers, r.layers.ptr[i]));
	assert_int_equal(policy_base_image(&r, &base, &err), 0);
	assert_int_equal(r.base.n_layers, 2);
	assert_true(bh_slice_eq_str(r.base.name, "oci:b") && bh_slice_eq_str(r.base.evidence, "shared layers"));
	bh_report_done(&r);
	/* one that is not below this one: the history tells */
	fill(&r);
	base.layers.ptr[1].diff_id.bytes[0] = 99;
	assert_int_equal(policy_base_image(&r, &base, &err), 0);
	assert_int_equal(r.base.n_layers, 1);
	bh_report_done(&r);
	bh_report_done(&base);
}

/* ---- what to change ---- */

static bool by_length(struct bh_slice type, struct bh_slice a, struct bh_slice b, int *ret)
{
	(void)type;
	*ret = a.len != b.len ? (a.len > b.len ? 1 : -1) : bh_slice_cmp(a, b);
	return true;
}

static const struct bh_package packages[] = {
	{ .type = S("deb"), .name = S("libc6"), .version = S("2.36"), .source_name = S("glibc"), .at.layer = 0 },
	{ .type = S("deb"), .name = S("libssl3"), .version = S("3.0"), .source_name = S("openssl"), .at.layer = 1 },
	{ .type = S("deb"), .name = S("openssl"), .version = S("3.0"), .at.layer = 1 },
	{ .type = S("npm"), .name = S("lodash"), .version = S("4.17.15"), .at = { .path = S("srv/package-lock.json"), .line = 33, .layer = 3, .evidence = BH_EVIDENCE_LOCKFILE } },
	{ .type = S("npm"), .name = S("lodash"), .version = S("4.17.15"), .at = { .path = S("srv/node_modules/lodash/package.json"), .layer = 4 } },
};
static struct bh_slice low[] = { S("9.1") }, high[] = { S("9.10") };

static void add(struct bh_report *r, const char *id, size_t package, enum bh_severity severity, struct bh_slice *fixed, bool kev)
{
	struct bh_finding f = { .id = bh_slice_str(id), .severity = severity, .state = fixed ? BH_STATE_FIXED : BH_STATE_AFFECTED, .package = &packages[package],
				.fixed = fixed, .n_fixed = fixed != NULL, .layer = packages[package].at.layer, .kev = kev };
	assert_true(bh_finding_vec_push(&r->findings, f));
}

static void fix_first(void **state)
{
	(void)state;
	struct bh_report r;
	struct bh_err err = { 0 };
	fill(&r);
	add(&r, "A", 0, BH_SEV_HIGH, low, false);
	add(&r, "B", 0, BH_SEV_CRITICAL, NULL, false); /* nothing to be done */
	add(&r, "C", 1, BH_SEV_HIGH, low, false);
	add(&r, "C", 2, BH_SEV_HIGH, low, false);
	add(&r, "D", 1, BH_SEV_UNKNOWN, high, false);
	add(&r, "E", 3, BH_SEV_LOW, high, true);
	add(&r, "E", 4, BH_SEV_LOW, high, false);
	struct bh_finding eol = { .class = BH_CLASS_END_OF_LIFE, .id = S("eol"), .severity = BH_SEV_HIGH, .layer = BH_NO_LAYER, .fix = S("rebuild on 13") };
	assert_true(bh_finding_vec_push(&r.findings, eol));
	struct policy_options o = { .min_severity = BH_SEV_NEGLIGIBLE, .fail_on = BH_SEV_HIGH, .compare_versions = by_length };
	assert_int_equal(policy_judge(&o, &r, &err), 0);
	static const char *const wanted[] = {
		"change lodash 4.17.15 to 9.10 [srv/package-lock.json:33] 1 kev 1",
		"upgrade openssl 3.0 to 9.10 [:0] 3 kev 0",
		"rebuild on a newer base image [:0] 2 kev 0",
		"upgrade lodash 4.17.15 to 9.10 [srv/node_modules/lodash/package.json:0] 1 kev 0",
	};
	assert_int_equal(r.changes.len, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		const struct bh_change *c = &r.changes.ptr[i];
		char got[300];
		(void)snprintf(got, sizeof(got), "%.*s [%.*s:%u] %zu kev %llu", BH_SLICE_FMT(c->action), BH_SLICE_FMT(c->path), c->line, c->n_findings, (unsigned long long)c->kev);
		assert_string_equal(got, wanted[i]);
		for (size_t k = 0; k < c->n_findings; k++)
			assert_true(c->findings[k] < r.findings.len);
	}
	bh_report_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions), cmocka_unit_test(dockerfiles), cmocka_unit_test(lines_of_layers),
		cmocka_unit_test(another_dockerfile), cmocka_unit_test(base_images), cmocka_unit_test(fix_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
