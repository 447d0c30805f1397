/* test_image.c: what the planner makes of manifests, platforms and names, on documents held in memory. */
#include "base/buf.h"
#include "crypto/digest.h"
#include "image/pathhash.h"
#include "image/plan.h"
#include "image/refname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- SipHash-2-4: vectors of the reference implementation (key 00..0f, message 00 01 02 ...) ---- */

static void test_path_hash(void **state)
{
	(void)state;
	static const uint8_t message[15] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };
	const struct image_key key = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
	assert_int_equal(image_path_hash(&key, (struct bh_slice){ message, 0 }), 0x726fdb47dd0e0e31u);
	assert_int_equal(image_path_hash(&key, (struct bh_slice){ message, 1 }), 0x74f839c593dc67fdu);
	assert_int_equal(image_path_hash(&key, (struct bh_slice){ message, 8 }), 0x93f5f5799a932462u);
	assert_int_equal(image_path_hash(&key, (struct bh_slice){ message, 15 }), 0xa129ca6149be45e5u); /* the paper's own */
}

/* ---- platforms: containerd/platforms, platforms_test.go and compare_test.go ---- */

static const struct {
	const char *text, *expected; /* NULL: refused */
} parse_cases[] = {
	{ "linux/amd64", "linux/amd64" },   { "linux/x86_64", "linux/amd64" },   { "LINUX/AMD64", "linux/amd64" }, { "linux/aarch64", "linux/arm64" },
	{ "linux/arm64/v8", "linux/arm64" }, { "linux/arm64/8", "linux/arm64" }, { "linux/arm", "linux/arm/v7" },  { "linux/arm/v6", "linux/arm/v6" },
	{ "linux/armhf", "linux/arm/v7" },  { "linux/armel", "linux/arm/v6" },   { "linux/i386", "linux/386" },    { "arm64", "linux/arm64" },
	{ "amd64/", NULL },                 { "/amd64", NULL },                  { "", NULL },                     { "linux/arm/v7/x", NULL },
	{ "linux/amd64/v3", "linux/amd64/v3" }, { "linux/amd64/v1", "linux/amd64" }, { "linux/a\x1b[31m", NULL },  { "windows/amd64", "windows/amd64" },
	{ "linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

static void test_platform_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		struct image_platform p;
		struct bh_err err = { 0 };
		char text[IMAGE_PLATFORM_TEXT_BYTES];
		int rc = image_platform_parse(parse_cases[i].text, &p, &err);
		if (!parse_cases[i].expected) {
			assert_int_equal(rc, BH_EUSAGE);
			assert_true(err.text[0]);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(image_platform_text(&p, text), parse_cases[i].expected);
	}
}

/* The first of the offered platforms that is expected to win; NULL: none serves. */
static const struct {
	const char *want;
	bool given;
	const char *offered[5], *winner;
} rank_cases[] = {
	{ "linux/amd64", false, { "linux/arm64", "linux/386", "linux/amd64" }, "linux/amd64" },
	{ "linux/amd64", false, { "linux/arm64", "linux/386" }, "linux/386" },
	{ "linux/amd64", false, { "linux/arm64", "windows/amd64" }, NULL },
	{ "linux/amd64", false, { "linux/amd64/v3", "linux/386" }, "linux/amd64/v3" },
	{ "linux/amd64/v3", true, { "linux/amd64", "linux/amd64/v2", "linux/amd64/v4" }, "linux/amd64/v2" },
	{ "linux/amd64/v2", true, { "linux/amd64/v3" }, NULL },
	{ "linux/arm/v7", true, { "linux/arm/v5", "linux/arm/v6", "linux/arm64" }, "linux/arm/v6" },
	{ "linux/arm/v6", true, { "linux/arm/v7" }, NULL },
	{ "linux/arm64", false, { "linux/arm/v7", "linux/arm/v6", "linux/arm64/v8" }, "linux/arm64" },
	{ "linux/arm64", false, { "linux/arm/v6", "linux/arm/v7" }, "linux/arm/v7" },
	{ "linux/s390x", true, { "linux/ppc64le", "linux/s390x" }, "linux/s390x" },
};

static void test_platform_rank(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rank_cases) / sizeof(rank_cases[0]); i++) {
		struct image_platform want, have;
		char best_text[IMAGE_PLATFORM_TEXT_BYTES] = "none";
		int best = -1;
		assert_int_equal(image_platform_parse(rank_cases[i].want, &want, NULL), 0);
		for (size_t n = 0; rank_cases[i].offered[n]; n++) {
			assert_int_equal(image_platform_parse(rank_cases[i].offered[n], &have, NULL), 0);
			int rank = image_platform_rank(&want, rank_cases[i].given, &have);
			if (rank >= 0 && (best < 0 || rank < best)) {
				best = rank;
				image_platform_text(&have, best_text);
			}
		}
		assert_string_equal(best_text, rank_cases[i].winner ? rank_cases[i].winner : "none");
	}
}

/* ---- names: distribution/reference, normalize_test.go ---- */

static const struct {
	const char *wanted, *recorded;
	int rank;
} name_cases[] = {
	{ "debian:12", "debian:12", 0 },
	{ "debian:12", "docker.io/library/debian:12", 1 },
	{ "docker.io/debian:12", "debian:12", 1 },
	{ "index.docker.io/library/debian", "debian:latest", 1 },
	{ "debian", "debian:latest", 1 },
	{ "user/app", "docker.io/user/app:latest", 1 },
	{ "library/user/app", "user/app", -1 },
	{ "localhost/debian:12", "debian:12", -1 },
	{ "localhost:5000/debian:12", "localhost:5000/debian:12", 0 },
	{ "ghcr.io/a/b:1", "ghcr.io/a/b:2", -1 },
	{ "12", "docker.io/library/debian:12", 2 },
	{ "debian:12", "12", 2 },
	{ "debian:12", "13", -1 },
	{ "", "debian:12", -1 },
	{ "debian:12", "", -1 },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		if (image_ref_rank(bh_slice_str(name_cases[i].wanted), bh_slice_str(name_cases[i].recorded)) != name_cases[i].rank)
			fail_msg("\"%s\" for \"%s\"", name_cases[i].recorded, name_cases[i].wanted);
	}
}

/* ---- plans ---- */

#define FILES_MAX 64

/* All texts of all tests. */
static struct bh_arena texts;

static char *print(const char *fmt, ...) BH_PRINTF(1, 2);
static char *print(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	va_start(ap, fmt);
	assert_true(vasprintf(&s, fmt, ap) >= 0);
	va_end(ap);
	char *kept = bh_arena_strdup(&texts, bh_slice_str(s));
	free(s);
	assert_non_null(kept);
	return kept;
}

struct files {
	size_t n;
	char *name[FILES_MAX], *text[FILES_MAX];
};

static int files_load(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	const struct files *f = ctx;
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->name[i], name) == 0) {
			assert_true(strlen(f->text[i]) <= max_bytes);
			assert_true(bh_buf_add_str(out, f->text[i]));
			return 0;
		}
	}
	return bh_fail(err, BH_ENOTFOUND, 0, "%s is not there", name);
}

static int files_locate(void *ctx, const char *name, struct image_place *ret, struct bh_err *err)
{
	const struct files *f = ctx;
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->name[i], name) == 0) {
			*ret = (struct image_place){ .kind = IMAGE_PLACE_BLOB, .length = strlen(f->text[i]) };
			return 0;
		}
	}
	return bh_fail(err, BH_ENOTFOUND, 0, "%s is not there", name);
}

static void put(struct files *f, const char *name, const char *text)
{
	assert_true(f->n < FILES_MAX);
	f->name[f->n] = print("%s", name);
	f->text[f->n++] = print("%s", text);
}

/* Adds a blob; returns its descriptor: {"mediaType":...,"digest":...,"size":...EXTRA}. */
static char *blob(struct files *f, const char *media_type, const char *text, const char *extra)
{
	struct bh_digest d;
	char digest[BH_DIGEST_TEXT_BYTES], name[200];
	assert_int_equal(bh_digest_of(BH_DIGEST_SHA256, bh_slice_str(text), &d, NULL), 0);
	bh_digest_text(&d, digest);
	snprintf(name, sizeof(name), "blobs/sha256/%s", digest + strlen("sha256:"));
	put(f, name, text);
	return print("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", media_type, digest, strlen(text), extra);
}

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar+gzip"
#define DIFF "sha256:0000000000000000000000000000000000000000000000000000000000000001"

/* An image of one layer, whose content is its architecture. */
static char *image(struct files *f, const char *arch, const char *variant, const char *extra)
{
	char *layer = blob(f, OCI_LAYER, arch, "");
	char *config = blob(f, OCI_CONFIG,
			    print("{\"os\":\"linux\",\"architecture\":\"%s\",\"variant\":\"%s\",\"created\":\"2024-01-02T03:04:05Z\",\"rootfs\":{\"type\":"
				  "\"layers\",\"diff_ids\":[\"" DIFF "\"]},\"history\":[{\"created_by\":\"ENV x\",\"empty_layer\":true},{\"created_by\":"
				  "\"COPY . /\",\"comment\":\"buildkit\"}],\"config\":{\"Labels\":{\"b\":\"2\",\"a\":\"1\"}}}",
				  arch, variant),
			    "");
	return blob(f, OCI_MANIFEST, print("{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s],\"annotations\":{\"b\":\"3\",\"c\":\"4\"}}", config, layer), extra);
}

static void index_json(struct files *f, const char *list)
{
	put(f, "index.json", print("{\"schemaVersion\":2,\"manifests\":[%s]}", list));
}

static char *platform(const char *arch, const char *variant)
{
	return print(",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\",\"variant\":\"%s\"}", arch, variant);
}

static char *named(const char *name)
{
	return print(",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}", name);
}

/* Plans and compares the platform (of the configuration) or the error's text. */
static void expect(const struct files *f, const char *reference, const char *wish_platform, const char *expected)
{
	struct image_wish wish = { .reference = reference, .platform_given = wish_platform != NULL };
	const struct image_store store = { files_load, files_locate, (void *)(uintptr_t)f };
	struct image_plan plan;
	struct bh_err err = { 0 };
	assert_int_equal(image_platform_parse(wish_platform ? wish_platform : "linux/amd64", &wish.platform, &err), 0);
	image_plan_init(&plan);
	int rc = image_plan_any(&store, &wish, &plan, &err);
	char got[600];
	if (rc == 0)
		snprintf(got, sizeof(got), "%.*s %.*s, %zu layers", BH_SLICE_FMT(plan.architecture), BH_SLICE_FMT(plan.variant), plan.layers.len);
	else
		snprintf(got, sizeof(got), "%s", err.text);
	if (!strstr(got, expected))
		fail_msg("got \"%s\" instead of \"%s\"", got, expected);
	assert_int_equal(rc, rc == 0 ? 0 : err.code);
	image_plan_done(&plan);
}

static void test_one_image(void **state)
{
	(void)state;
	struct files f = { 0 };
	index_json(&f, image(&f, "amd64", "", ""));
	expect(&f, NULL, NULL, "amd64 , 1 layers");
	expect(&f, NULL, "linux/amd64", "amd64 , 1 layers");
	expect(&f, NULL, "linux/arm64", "the image is for linux/amd64; linux/arm64 was asked for");
	expect(&f, "debian:12", NULL, "no image named \"debian:12\" inside");
}

static void test_plan_details(void **state)
{
	(void)state;
	struct files f = { 0 };
	index_json(&f, image(&f, "s390x", "", named("x:1")));
	const struct image_store store = { files_load, files_locate, &f };
	const struct image_wish wish = { 0 };
	struct image_plan plan, copy;
	struct bh_err err = { 0 };
	char text[BH_DIGEST_TEXT_BYTES];
	image_plan_init(&plan);
	image_plan_init(&copy);
	assert_int_equal(image_plan_any(&store, &wish, &plan, &err), 0); /* the only one, whatever this machine is */
	struct bh_buf frame;
	bh_buf_init(&frame, 1u << 20);
	assert_true(image_plan_put_layer(&frame, &plan.layers.ptr[0]));
	assert_true(image_plan_get_layer(bh_buf_slice(&frame), &copy));
	assert_int_equal(plan.history.len, 2);
	for (size_t i = 0; i < 2; i++) {
		bh_buf_clear(&frame);
		assert_true(image_plan_put_history(&frame, &plan.history.ptr[i]));
		assert_true(image_plan_get_history(bh_buf_slice(&frame), &copy));
	}
	assert_true(bh_slice_eq_str(copy.history.ptr[0].created_by, "ENV x"));
	assert_int_equal(copy.history.ptr[0].layer, BH_NO_LAYER);
	assert_int_equal(copy.history.ptr[1].layer, 0);
	assert_true(bh_slice_eq_str(copy.history.ptr[1].comment, "buildkit"));
	assert_int_equal(plan.labels.len, 3); /* a and b of the configuration, c of the manifest */
	assert_true(bh_slice_eq_str(plan.labels.ptr[0].value, "2") || bh_slice_eq_str(plan.labels.ptr[1].value, "2"));
	assert_true(bh_slice_eq_str(plan.labels.ptr[2].value, "4"));
	bh_buf_clear(&frame);
	assert_true(image_plan_put_label(&frame, &plan.labels.ptr[2]));
	assert_true(image_plan_get_label(bh_buf_slice(&frame), &copy));
	assert_true(bh_slice_eq_str(copy.labels.ptr[0].name, "c"));
	bh_buf_clear(&frame);
	assert_true(image_plan_put_head(&frame, &plan));
	assert_true(image_plan_get_head(bh_buf_slice(&frame), &copy));
	const struct image_plan_layer *l = &copy.layers.ptr[0];
	assert_true(bh_slice_eq_str(l->created_by, "COPY . /"));
	assert_true(bh_slice_eq_str(l->media_type, OCI_LAYER));
	assert_string_equal(bh_digest_text(&l->diff_id, text), DIFF);
	/* printf s390x | sha256sum */
	assert_string_equal(bh_digest_text(&l->digest, text), "sha256:77d3a5496288a2cd8724282d24f862ab1ea470f3aba13cadb9e3c105aaacf20b");
	assert_int_equal(l->size_bytes, 5);
	assert_true(bh_slice_eq_str(copy.created, "2024-01-02T03:04:05Z"));
	assert_true(bh_slice_eq_str(copy.os, "linux"));
	assert_true(bh_slice_eq_str(copy.reference, "x:1"));
	for (size_t cut = 0; cut < frame.len; cut++) { /* every shorter frame is refused */
		struct image_plan part;
		image_plan_init(&part);
		assert_false(image_plan_get_head(bh_slice_sub(bh_buf_slice(&frame), 0, cut), &part));
		image_plan_done(&part);
	}
	bh_buf_done(&frame);
	image_plan_done(&plan);
	image_plan_done(&copy);
}

static void test_names_in_layout(void **state)
{
	(void)state;
	struct files f = { 0 };
	index_json(&f, print("%s,%s,%s", image(&f, "amd64", "", named("debian:12")), image(&f, "arm64", "", named("docker.io/library/alpine:3.20")),
			     image(&f, "riscv64", "", ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"9\",\"io.containerd.image.name\":"
						      "\"docker.io/library/rocky:9\"}")));
	expect(&f, NULL, NULL, "several images inside; say which: debian:12, docker.io/library/alpine:3.20, docker.io/library/rocky:9");
	expect(&f, "debian:12", NULL, "amd64 , 1 layers");
	expect(&f, "alpine:3.20", NULL, "arm64 , 1 layers");
	expect(&f, "rocky:9", NULL, "riscv64 , 1 layers");
	expect(&f, "9", NULL, "riscv64 , 1 layers");
	expect(&f, "ubuntu", NULL, "no image named \"ubuntu\" inside; there is: debian:12, ");
}

static void test_platforms_in_index(void **state)
{
	(void)state;
	struct files f = { 0 };
	char *list = print("%s,%s,%s,%s", image(&f, "arm64", "v8", platform("arm64", "v8")), image(&f, "amd64", "", platform("amd64", "")),
			   image(&f, "arm", "v7", platform("arm", "v7")),
			   blob(&f, OCI_MANIFEST, "{}", ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"));
	char *nested = blob(&f, OCI_INDEX, print("{\"schemaVersion\":2,\"manifests\":[%s]}", list), named("multi:1"));
	char *twice = blob(&f, OCI_INDEX, print("{\"schemaVersion\":2,\"manifests\":[%s]}", nested), named("multi:1"));
	index_json(&f, twice);
	expect(&f, NULL, NULL, "amd64 , 1 layers");
	expect(&f, "multi:1", "linux/arm64", "arm64 v8, 1 layers");
	expect(&f, NULL, "linux/arm/v7", "arm v7, 1 layers");
	expect(&f, NULL, "linux/s390x", "no image for linux/s390x inside; there is: linux/arm64, linux/amd64, linux/arm/v7");
}

static void test_platforms_without_index(void **state)
{
	(void)state;
	struct files f = { 0 };
	index_json(&f, print("%s,%s", image(&f, "arm64", "", ""), image(&f, "amd64", "", "")));
	expect(&f, NULL, NULL, "amd64 , 1 layers"); /* learned from the configurations */
	expect(&f, NULL, "linux/arm64", "arm64 , 1 layers");
}

static void test_absent_platform(void **state)
{
	(void)state;
	struct files f = { 0 };
	char *absent = print("{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":10%s}", DIFF, platform("amd64", ""));
	char *nested = blob(&f, OCI_INDEX, print("{\"manifests\":[%s,%s]}", absent, image(&f, "arm64", "", platform("arm64", ""))), "");
	index_json(&f, nested);
	expect(&f, NULL, NULL, "arm64 , 1 layers"); /* `docker save` of one platform: the only one at hand */
	expect(&f, NULL, "linux/amd64", "no image for linux/amd64 inside; there is: linux/arm64");
	struct files g = { 0 };
	index_json(&g, absent);
	expect(&g, NULL, NULL, "manifest " DIFF " is listed but not inside");
}

static void test_layers_without_blob(void **state)
{
	(void)state;
	struct files f = { 0 };
	char *layers = print("{\"mediaType\":\"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"digest\":\"%s\",\"size\":10,\"urls\":[\"x\"]},"
			     "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip+encrypted\",\"digest\":\"%s\",\"size\":10}",
			     DIFF, DIFF);
	char *config = blob(&f, OCI_CONFIG, "{\"os\":\"windows\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[\"" DIFF "\",\"" DIFF "\"]}}", "");
	index_json(&f, blob(&f, OCI_MANIFEST, print("{\"config\":%s,\"layers\":[%s]}", config, layers), ""));
	const struct image_store store = { files_load, files_locate, &f };
	const struct image_wish wish = { 0 };
	struct image_plan plan;
	image_plan_init(&plan);
	assert_int_equal(image_plan_any(&store, &wish, &plan, NULL), 0);
	assert_int_equal(plan.layers.len, 2);
	assert_int_equal(plan.layers.ptr[0].place.kind, IMAGE_PLACE_NONE);
	assert_non_null(strstr((const char *)plan.layers.ptr[0].skip.ptr, "foreign"));
	assert_non_null(strstr((const char *)plan.layers.ptr[1].skip.ptr, "encrypted"));
	image_plan_done(&plan);
}

static void test_not_images(void **state)
{
	(void)state;
	struct files f = { 0 };
	expect(&f, NULL, NULL, "not an image archive: neither index.json (OCI) nor manifest.json (docker save) is inside");
	put(&f, "repositories", "{}");
	expect(&f, NULL, NULL, "an archive of Docker before 1.10");

	struct files empty = { 0 };
	index_json(&empty, "");
	expect(&empty, NULL, NULL, "there is no image inside");

	struct files helm = { 0 };
	char *config = blob(&helm, "application/vnd.cncf.helm.config.v1+json", "{\"name\":\"chart\"}", "");
	index_json(&helm, blob(&helm, OCI_MANIFEST, print("{\"config\":%s,\"layers\":[]}", config), ""));
	expect(&helm, NULL, NULL, "this is an artifact of type \"application/vnd.cncf.helm.config.v1+json\", not a container image");

	struct files old = { 0 };
	index_json(&old, blob(&old, "application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1,\"fsLayers\":[]}", ""));
	expect(&old, NULL, NULL, "a Docker schema 1 manifest");
}

static void test_damaged_documents(void **state)
{
	(void)state;
	struct files f = { 0 };
	put(&f, "index.json", "");
	expect(&f, NULL, NULL, "index.json is empty");
	struct files g = { 0 };
	put(&g, "index.json", "{\"manifests\":{}}");
	expect(&g, NULL, NULL, "index.json has no list of manifests");
	struct files h = { 0 };
	put(&h, "index.json", "{\"manifests\":[{\"digest\":\"sha256:../../../etc/passwd\",\"size\":1}]}");
	expect(&h, NULL, NULL, "index.json: manifests[0]: digest \"sha256:../../../etc/passwd\" is not sha256 or sha512");
	struct files i = { 0 };
	index_json(&i, image(&i, "amd64", "", ""));
	i.text[i.n - 2][5] ^= 1; /* the manifest: blobs are put before what points to them */
	expect(&i, NULL, NULL, "its digest is sha256:");
	struct files k = { 0 };
	char *config = blob(&k, OCI_CONFIG, "{\"rootfs\":{\"diff_ids\":[\"" DIFF "\"]}}", "");
	index_json(&k, blob(&k, OCI_MANIFEST, print("{\"config\":%s,\"layers\":[]}", config), ""));
	expect(&k, NULL, NULL, "the manifest has 0 layers but the configuration lists 1 diff_ids");
}

static void test_nesting(void **state)
{
	(void)state;
	struct files f = { 0 };
	char *inner = image(&f, "amd64", "", "");
	for (int depth = 0; depth < 12; depth++)
		inner = blob(&f, OCI_INDEX, print("{\"manifests\":[%s]}", inner), "");
	index_json(&f, inner);
	expect(&f, NULL, NULL, "indexes nested more than 8 deep");

	/* Each index lists the one below 60 times: without a limit that is 60^7 visits. */
	struct files g = { 0 };
	inner = image(&g, "amd64", "", "");
	for (int depth = 0; depth < 7; depth++) {
		struct bh_buf list;
		bh_buf_init(&list, 1u << 20);
		for (int i = 0; i < 60; i++)
			bh_buf_printf(&list, "%s%s", i ? "," : "", inner);
		inner = blob(&g, OCI_INDEX, print("{\"manifests\":[%.*s]}", (int)list.len, (char *)list.ptr), "");
		bh_buf_done(&list);
	}
	index_json(&g, inner);
	expect(&g, NULL, NULL, "more than 4096 manifests in the image's indexes");

	struct files h = { 0 };
	char *deep = malloc(200001);
	memset(deep, '[', 200000);
	deep[200000] = '\0';
	put(&h, "index.json", deep);
	expect(&h, NULL, NULL, "index.json");
	free(deep);
}

static void test_docker_archive(void **state)
{
	(void)state;
	struct files f = { 0 };
	put(&f, "a/layer.tar", "layer a");
	put(&f, "a.json", "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[\"" DIFF "\"]}}");
	put(&f, "b.json", "{\"os\":\"linux\",\"architecture\":\"arm64\",\"rootfs\":{\"diff_ids\":[\"" DIFF "\",\"" DIFF "\"]}}");
	put(&f, "manifest.json",
	    "[{\"Config\":\"a.json\",\"RepoTags\":[\"debian:12\",\"debian:bookworm\"],\"Layers\":[\"a/layer.tar\"]},"
	    "{\"Config\":\"b.json\",\"RepoTags\":null,\"Layers\":[\"a/layer.tar\",\"b/layer.tar\"]}]");
	expect(&f, NULL, NULL, "several images inside; say which: debian:12, debian:bookworm, b.json");
	expect(&f, "docker.io/library/debian:bookworm", NULL, "amd64 , 1 layers");
	expect(&f, "debian:12", "linux/arm64", "the image is for linux/amd64; linux/arm64 was asked for");
	expect(&f, "alpine", NULL, "no image named \"alpine\" inside; there is: debian:12, debian:bookworm, b.json");

	struct files g = { 0 };
	put(&g, "0000000000000000000000000000000000000000000000000000000000000001.json", "{}");
	put(&g, "manifest.json", "[{\"Config\":\"0000000000000000000000000000000000000000000000000000000000000001.json\",\"Layers\":[]}]");
	/* printf '{}' | sha256sum */
	expect(&g, NULL, NULL, "its digest is sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a but " DIFF " was expected");

	struct files h = { 0 };
	put(&h, "manifest.json", "[]");
	expect(&h, NULL, NULL, "manifest.json lists no image");
	struct files i = { 0 };
	put(&i, "manifest.json", "[{\"Config\":\"missing.json\",\"Layers\":[]}]");
	expect(&i, NULL, NULL, "configuration: missing.json is not there");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_hash),        cmocka_unit_test(test_platform_parse),
		cmocka_unit_test(test_platform_rank),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_one_image),        cmocka_unit_test(test_plan_details),
		cmocka_unit_test(test_names_in_layout),  cmocka_unit_test(test_platforms_in_index),
		cmocka_unit_test(test_platforms_without_index), cmocka_unit_test(test_absent_platform),
		cmocka_unit_test(test_layers_without_blob), cmocka_unit_test(test_not_images),
		cmocka_unit_test(test_damaged_documents), cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_docker_archive),
	};
	bh_arena_init(&texts, 64u << 20);
	int failed = cmocka_run_group_tests_name("image", tests, NULL, NULL);
	bh_arena_done(&texts);
	return failed;
}
