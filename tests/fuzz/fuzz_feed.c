/* fuzz_feed.c: one target per line of feeds.def: the program's first argument is "--NAME" (libFuzzer ignores such words). What a feed makes of the input must make a sound database. */
#include "pieces.h"
#include "vuln/feed.h"

#define PIECES_MAX 500u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vuln_feed *feed;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc > 1 && strncmp((*argv)[1], "--", 2) == 0)
		feed = vuln_feed_find(bh_slice_str((*argv)[1] + 2));
	if (!feed)
		abort(); /* no feed of that name */
	return 0;
}

const char *__lsan_default_suppressions(void);

/* The library loses some memory on texts that it refuses, see fuzz_yaml.c; imports run in a child that ends. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
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
	const struct bh_slice releases[] = { BH_SLICE_LIT("forky=Debian:14"), BH_SLICE_LIT("os=Wolfi") };
	const struct vuln_feed_options options = { .releases = releases, .n_releases = 2, .day = VULN_NO_DAY, .today = 20780 };
	struct vuln_feed_run run = { .options = &options, .document = BH_SLICE_LIT("input"), .newest_day = VULN_NO_DAY };
	struct vuln_source source = { .name = BH_SLICE_LIT("fuzz"), .feed = bh_slice_str(feed->name), .day = VULN_NO_DAY, .precedence = feed->precedence };
	size_t least = size / PIECES_MAX + 1; /* the last byte says how long the pieces are */
	struct pieces p = { .rest = { data, size }, .piece = size && data[size - 1] % 4 ? size : least };
	struct bh_err err = { 0 };
	(void)feed->sniff((struct bh_slice){ data, size < 512 ? size : 512 });
	bh_arena_init(&run.scratch, 64u << 20);
	if (vuln_builder_new(&run.builder, &err) < 0 || vuln_builder_source(run.builder, &source, &run.source, &err) < 0)
		abort();
	err = (struct bh_err){ 0 };
	int rc = feed->parse(&run, pieces_source(&p), &err);
	if (rc < 0 && (err.code != rc || err.text[0] == '\0'))
		abort(); /* a failure must say why */
	check(run.builder); /* a damaged document does not spoil what others brought */
	vuln_builder_free(run.builder);
	pieces_done(&p);
	bh_arena_done(&run.scratch);
	return 0;
}
