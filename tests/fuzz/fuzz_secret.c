/* fuzz_secret.c: any bytes as a file that is searched for secrets: in one run and in many it says the same, and never more of a secret than it may. */
#include "secret/scanner.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHOWN_MAX 4u

struct told {
	struct bh_buf text;
	unsigned n_left_out;
	struct bh_slice file;
};

static int on_found(void *ctx, const struct secret_found *f, struct bh_err *err)
{
	struct told *t = ctx;
	struct bh_buf frame;
	struct secret_found again;
	(void)err;
	bh_buf_init(&frame, 1u << 20);
	secret_found_put(&frame, f);
	struct bh_reader r = bh_reader_of(bh_buf_slice(&frame));
	if (frame.failed || !secret_found_get(&r, &again) || !bh_slice_eq(again.detector, f->detector))
		abort();
	const uint8_t *dots = bh_slice_search(f->shown, "...");
	if (!dots || (size_t)(dots - f->shown.ptr) > SHOWN_MAX || (f->inside.len == 0 && f->line > t->file.len + 1))
		abort();
	bh_buf_add(&t->text, bh_buf_slice(&frame));
	bh_buf_done(&frame);
	return 0;
}

static int on_incomplete(void *ctx, const char *reason, struct bh_err *err)
{
	struct told *t = ctx;
	(void)err;
	if (!reason[0])
		abort();
	t->n_left_out++;
	return 0;
}

static void search(struct secret_scanner *s, struct bh_slice file, size_t step, struct told *t)
{
	const struct secret_sink sink = { on_found, on_incomplete, t };
	struct bh_err err = { 0 };
	bh_buf_init(&t->text, 16u << 20);
	t->n_left_out = 0;
	t->file = file;
	secret_scanner_begin(s, BH_SLICE_LIT("etc/fuzz.env"), step ? 0 : file.len, &sink);
	for (size_t at = 0; at < file.len; at += step ? step : file.len)
		if (secret_scanner_bytes(s, bh_slice_sub(file, at, step ? step : file.len), &err) < 0)
			abort();
	if (secret_scanner_end(s, &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret_engine *engine;
	static struct secret_scanner *scanner;
	static const uint8_t key[SECRET_KEY_BYTES] = { 1 };
	struct bh_err err = { 0 };
	const struct secret_scanner_options options = { .key = key, .comments = true };
	if (!engine && (secret_engine_new(NULL, &engine, &err) < 0 || secret_scanner_new(engine, &options, &scanner, &err) < 0))
		abort();
	struct bh_slice file = { data, size };
	struct told once, again;
	search(scanner, file, 0, &once);
	search(scanner, file, size > 600 ? size / 2 + 1 : 0, &again); /* what a file is, is told by its first run */
	if (!bh_slice_eq(bh_buf_slice(&once.text), bh_buf_slice(&again.text)) || once.n_left_out != again.n_left_out)
		abort();
	bh_buf_done(&once.text);
	bh_buf_done(&again.text);
	return 0;
}
