/*
 * fuzz_image_plan.c: index.json, manifest.json and what they point at. The input is documents separated by the byte 0x1e, the
 * first of them index.json, or manifest.json when it starts with "[". "@N" in a document becomes "digest":...,"size":... of
 * document N (one behind it), so that the fuzzer needs no SHA-256 of its own. Members of a docker-archive are named "N".
 */
#include "base/buf.h"
#include "crypto/digest.h"
#include "image/plan.h"

#include <stdio.h>
#include <stdlib.h>

#define DOCUMENTS_MAX 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct documents {
	size_t n;
	struct bh_buf text[DOCUMENTS_MAX];
	struct bh_digest digest[DOCUMENTS_MAX];
};

static const struct bh_buf *find(const struct documents *d, const char *name)
{
	bool docker = d->text[0].len && d->text[0].ptr[0] == '[';
	if (strcmp(name, docker ? "manifest.json" : "index.json") == 0)
		return &d->text[0];
	if (name[0] >= '0' && name[0] <= '9' && name[1] == '\0' && (size_t)(name[0] - '0') < d->n)
		return &d->text[name[0] - '0'];
	for (size_t i = 0; i < d->n; i++) {
		char text[BH_DIGEST_TEXT_BYTES];
		bh_digest_text(&d->digest[i], text);
		if (strncmp(name, "blobs/sha256/", 13) == 0 && strcmp(name + 13, text + 7) == 0)
			return &d->text[i];
	}
	return NULL;
}

static int load(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	const struct bh_buf *b = find(ctx, name);
	if (!b)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not there", name);
	if (b->len > max_bytes || !bh_buf_add(out, bh_buf_slice(b)))
		return bh_fail(err, BH_ELIMIT, 0, "%s is too large", name);
	return 0;
}

static int locate(void *ctx, const char *name, struct image_place *ret, struct bh_err *err)
{
	const struct bh_buf *b = find(ctx, name);
	if (!b)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not there", name);
	*ret = (struct image_place){ .kind = IMAGE_PLACE_BLOB, .length = b->len };
	return 0;
}

/* From the last document to the first: each points only at later ones. */
static void expand(struct documents *d, size_t at, struct bh_slice raw)
{
	for (size_t i = 0; i < raw.len; i++) {
		size_t n = raw.ptr[i] == '@' && i + 1 < raw.len ? (size_t)(raw.ptr[i + 1] - '0') : DOCUMENTS_MAX;
		if (n <= at || n >= d->n) {
			bh_buf_add_byte(&d->text[at], raw.ptr[i]);
			continue;
		}
		char text[BH_DIGEST_TEXT_BYTES];
		bh_buf_printf(&d->text[at], "\"digest\":\"%s\",\"size\":%zu", bh_digest_text(&d->digest[n], text), d->text[n].len);
		i++;
	}
	if (bh_digest_of(BH_DIGEST_SHA256, bh_buf_slice(&d->text[at]), &d->digest[at], NULL) < 0)
		abort();
}

/* A plan that was made crosses the pipe unharmed. */
static void check(const struct image_plan *plan)
{
	struct image_plan copy;
	struct bh_buf b;
	bh_buf_init(&b, 1u << 20);
	image_plan_init(&copy);
	for (size_t i = 0; i < plan->layers.len; i++) {
		bh_buf_clear(&b);
		if (!image_plan_put_layer(&b, &plan->layers.ptr[i]) || !image_plan_get_layer(bh_buf_slice(&b), &copy))
			abort();
	}
	for (size_t i = 0; i < plan->history.len; i++) {
		bh_buf_clear(&b);
		if (!image_plan_put_history(&b, &plan->history.ptr[i]) || !image_plan_get_history(bh_buf_slice(&b), &copy))
			abort();
	}
	for (size_t i = 0; i < plan->labels.len; i++) {
		bh_buf_clear(&b);
		if (!image_plan_put_label(&b, &plan->labels.ptr[i]) || !image_plan_get_label(bh_buf_slice(&b), &copy))
			abort();
	}
	bh_buf_clear(&b);
	if (!image_plan_put_head(&b, plan) || !image_plan_get_head(bh_buf_slice(&b), &copy) || !bh_digest_eq(&copy.digest, &plan->digest))
		abort();
	bh_buf_done(&b);
	image_plan_done(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct documents d = { 0 };
	struct bh_slice raw[DOCUMENTS_MAX], rest = { data, size };
	bool more = true;
	while (more && d.n < DOCUMENTS_MAX) {
		more = bh_slice_cut(rest, '\x1e', &raw[d.n], &rest);
		bh_buf_init(&d.text[d.n++], 1u << 20);
	}
	for (size_t i = d.n; i-- > 0;)
		expand(&d, i, raw[i]);
	const struct image_store store = { load, locate, &d };
	const char *const references[] = { NULL, "debian:12" };
	const char *const platforms[] = { NULL, "linux/arm64" };
	for (int i = 0; i < 4; i++) {
		struct image_wish wish = { .reference = references[i & 1], .platform_given = platforms[i >> 1] != NULL };
		struct image_plan plan;
		struct bh_err err = { 0 };
		if (image_platform_parse(wish.platform_given ? platforms[i >> 1] : "linux/amd64", &wish.platform, &err) < 0)
			abort();
		image_plan_init(&plan);
		int rc = image_plan_any(&store, &wish, &plan, &err);
		if (rc < 0 && (err.code != rc || err.text[0] == '\0'))
			abort();
		if (rc == 0)
			check(&plan);
		image_plan_done(&plan);
	}
	for (size_t i = 0; i < d.n; i++)
		bh_buf_done(&d.text[i]);
	return 0;
}
