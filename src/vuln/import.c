/* import.c: the parent's half of an import: opens the files, collects and verifies what the child made of them. */
#include "vuln/import_child.h"

#include "crypto/digest.h"
#include "model/wire.h"

#include <string.h>

#define CHILD_MEMORY_BYTES (8ull << 30)
#define CHILD_STALL_SECONDS 600 /* finishing a database of millions of rows says nothing for a while */
#define TEXTS_BYTES_MAX (16u << 20)
#define SUFFIXES_MAX 64

const char *const *vuln_import_suffixes(const struct vuln_feed *feed)
{
	static const char *all[SUFFIXES_MAX];
	if (feed)
		return feed->suffixes;
	size_t n = 0;
	for (size_t i = 0; vuln_feeds[i]; i++) /* the same each time */
		for (const char *const *s = vuln_feeds[i]->suffixes; *s && n < SUFFIXES_MAX - 1; s++)
			all[n++] = *s;
	return all;
}

struct parent {
	const struct vuln_import_request *req;
	struct vuln_import_result *result;
	size_t next;
	bool summary;
	struct vuln_opened open; /* standard input must stay open until it is sent */
};

static int answer_next(struct parent *p, struct bh_child_reply *reply, struct bh_err *err)
{
	const struct vuln_inputs *in = p->req->inputs;
	if (p->next == in->files.len)
		return bh_wire_put_u8(reply->payload, 0) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	const char *name = in->files.ptr[p->next].name;
	int rc = vuln_inputs_open(in, p->next, &p->open, err);
	if (rc < 0)
		return rc == BH_EIO ? (int)(err->code = BH_EUSAGE) : rc; /* what the user named can't be read: not our failure */
	p->next++;
	bh_wire_put_u8(reply->payload, 1);
	bh_wire_put_slice(reply->payload, bh_slice_sub(bh_slice_str(name), 0, BH_PATH_BYTES_MAX));
	bh_wire_put_u64(reply->payload, (uint64_t)p->open.mtime_s);
	reply->fd = p->open.fd;
	reply->close_fd = p->open.owned;
	return 0;
}

static int damaged(struct bh_err *err)
{
	return bh_fail(err, BH_ECHILD, 0, "the importing child sent a damaged summary");
}

static bool take_text(struct vuln_import_result *result, struct bh_reader *r, struct bh_slice *ret)
{
	struct bh_slice s;
	return bh_wire_get_slice(r, VULN_IMPORT_TEXT_BYTES_MAX, &s) && bh_arena_copy(&result->arena, s, ret);
}

static int take_notes(struct vuln_import_result *result, struct bh_reader *r, struct bh_err *err)
{
	uint32_t n;
	if (!bh_take_u32le(r, &n) || n > VULN_FEED_NOTES_MAX)
		return damaged(err);
	for (uint32_t i = 0; i < n; i++) {
		struct vuln_import_note *note = &result->notes[i];
		uint8_t kind;
		if (!bh_take_u8(r, &kind) || kind > VULN_FEED_DAMAGED || !take_text(result, r, &note->what) || !take_text(result, r, &note->example) ||
		    !bh_take_u64le(r, &note->count))
			return damaged(err);
		note->kind = (enum vuln_feed_note_kind)kind;
	}
	result->n_notes = n;
	return 0;
}

static int take_summary(struct parent *p, struct bh_slice payload, struct bh_err *err)
{
	struct vuln_import_result *result = p->result;
	struct vuln_feed_counts *c = &result->counts;
	uint64_t *const counts[] = { &c->documents, &c->records, &c->rows, &c->undetermined, &c->not_affected, &c->exploits, &c->enriched };
	struct bh_reader r = bh_reader_of(payload);
	uint32_t day;
	uint8_t of_file;
	if (p->summary || !take_text(result, &r, &result->feed) || !take_text(result, &r, &result->source) || !bh_take_u32le(&r, &day) ||
	    !bh_take_u8(&r, &of_file))
		return damaged(err);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (!bh_take_u64le(&r, counts[i]))
			return damaged(err);
	result->day = (int32_t)day;
	result->day_of_file = of_file != 0;
	p->summary = true;
	return take_notes(result, &r, err);
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	if (type == VULN_IMPORT_NEXT && is_request)
		return answer_next(p, reply, err);
	if (type == VULN_IMPORT_BYTES && !is_request)
		return bh_buf_add(&p->result->bytes, payload) ? 0 : bh_fail(err, BH_ELIMIT, 0, "the database becomes larger than %llu bytes", VULN_DB_BYTES_MAX);
	if (type == VULN_IMPORT_SUMMARY && !is_request)
		return take_summary(p, payload, err);
	return bh_fail(err, BH_ECHILD, 0, "the importing child sent a message nobody expects");
}

static void progress(void *ctx, uint64_t done_bytes)
{
	const struct parent *p = ctx;
	if (p->req->progress)
		p->req->progress(p->req->progress_ctx, done_bytes);
}

static int run_child(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct parent *p = ctx;
	return vuln_import_run(ch, p->req, err);
}

/* What came back is one sound database with the one source that was asked for. */
static int verify(const struct vuln_import_request *req, struct vuln_import_result *result, struct bh_err *err)
{
	struct vuln_db *db = NULL;
	struct vuln_db_totals totals;
	struct vuln_source source;
	int rc = vuln_db_open(bh_buf_slice(&result->bytes), &db, err);
	rc = rc < 0 ? rc : vuln_db_verify(db, err);
	if (rc == 0) {
		vuln_db_totals(db, &totals);
		rc = totals.sources == 1 ? vuln_db_source(db, 0, &source, err) : bh_fail(err, BH_EMALFORMED, 0, "%u sources instead of one", totals.sources);
	}
	const struct vuln_feed *feed = rc == 0 ? vuln_feed_find(source.feed) : NULL;
	if (rc == 0 && (!feed || (req->feed && feed != req->feed) ||
			!bh_slice_eq(source.name, req->source.len ? req->source : bh_slice_str(feed->source)) || !bh_slice_eq(source.name, result->source) ||
			!bh_slice_eq(source.feed, result->feed) || source.precedence > VULN_PREC_VENDOR || source.flags != feed->flags))
		rc = bh_fail(err, BH_EMALFORMED, 0, "another source than the one asked for");
	vuln_db_close(db);
	if (rc == 0 || rc == BH_ENOMEM)
		return rc;
	(void)bh_wrap(err, "the importing child made an unsound database");
	return err->code = BH_ECHILD, BH_ECHILD;
}

int vuln_import(const struct vuln_import_request *request, struct vuln_import_result *result, struct bh_err *err)
{
	*result = (struct vuln_import_result){ .day = VULN_NO_DAY };
	bh_arena_init(&result->arena, TEXTS_BYTES_MAX);
	bh_buf_init(&result->bytes, VULN_DB_BYTES_MAX);
	struct parent p = { .req = request, .result = result };
	struct bh_child_spec spec = {
		.name = "import",
		.run = run_child,
		.handle = handle,
		.progress = progress,
		.ctx = &p,
		.limits = { .memory_bytes = CHILD_MEMORY_BYTES, .stall_seconds = CHILD_STALL_SECONDS, .output_bytes = VULN_DB_BYTES_MAX + (64u << 20) },
	};
	int child = 0, rc = bh_crypto_init(err);
	struct bh_err why = { 0 };
	rc = rc < 0 ? rc : bh_children_run(&spec, 1, 1, &child, &why, err);
	if (rc < 0)
		return rc;
	if (child < 0) {
		*err = why;
		return child;
	}
	if (!p.summary)
		return bh_fail(err, BH_ECHILD, 0, "the importing child ended without a summary");
	return verify(request, result, err);
}

void vuln_import_done(struct vuln_import_result *result)
{
	bh_buf_done(&result->bytes);
	bh_arena_done(&result->arena);
}
