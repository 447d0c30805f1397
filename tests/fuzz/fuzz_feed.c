/* fuzz_feed.c: one target per line of feeds.def; built with -DFEED=name. What a feed makes of the input must make a sound database. */
#include "vuln/feed.h"

#include <stdlib.h>

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)

extern const struct vuln_feed CAT(vuln_feed_, FEED);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input in runs of the length that its last byte says, so that values lie over their ends. */
struct pieces {
	struct bh_slice rest;
	size_t len;
};

static int read_piece(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	(void)err;
	struct pieces *p = ctx;
	*ret = bh_slice_sub(p->rest, 0, p->len);
	p->rest = bh_slice_sub(p->rest, ret->len, p->rest.len);
	return 0;
}

/* Everything that was added comes out again, and nothing is broken. */
static void check(struct vuln_builder *b)
{
	struct bh_err err = { 0 };
	struct bh_buf out;
	struct vuln_db *db;
	bh_buf_init(&out, 256u << 20);
	if (vuln_builder_finish(b, &out, &err) < 0 || vuln_db_open(bh_buf_slice(&out), &db, &err) < 0 || vuln_db_verify(db, &err) < 0)
		abort();
	vuln_db_close(db);
	bh_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vuln_feed *feed = &CAT(vuln_feed_, FEED);
	const struct bh_slice releases[] = { BH_SLICE_LIT("forky=Debian:14"), BH_SLICE_LIT("os=Wolfi") };
	const struct vuln_feed_options options = { .releases = releases, .n_releases = 2, .day = VULN_NO_DAY, .today = 20780 };
	struct vuln_feed_run run = { .options = &options, .document = BH_SLICE_LIT("input"), .newest_day = VULN_NO_DAY };
	struct vuln_source source = { .name = BH_SLICE_LIT("fuzz"), .feed = bh_slice_str(feed->name), .day = VULN_NO_DAY, .precedence = feed->precedence };
	size_t len = size && data[size - 1] < 64 ? data[size - 1] + 1u : size;
	struct pieces p = { { data, size }, len ? len : 1 };
	struct bh_err err = { 0 };
	(void)feed->sniff((struct bh_slice){ data, size < 512 ? size : 512 });
	bh_arena_init(&run.scratch, 64u << 20);
	if (vuln_builder_new(&run.builder, &err) < 0 || vuln_builder_source(run.builder, &source, &run.source, &err) < 0)
		abort();
	err = (struct bh_err){ 0 };
	int rc = feed->parse(&run, (struct bh_source){ .read = read_piece, .ctx = &p }, &err);
	if (rc < 0 && (err.code != rc || err.text[0] == '\0'))
		abort(); /* a failure must say why */
	check(run.builder); /* a damaged document does not spoil what others brought */
	vuln_builder_free(run.builder);
	bh_arena_done(&run.scratch);
	return 0;
}
