/*
 * align.c: history entries and a Dockerfile's instructions are two sequences in the same order, from both of which some are missing:
 * the base image's entries have no instruction, ARG may have no entry. The pairing with the highest sum of likeness is found as in
 * diff: best[i][k] is the best of the first i entries and k instructions.
 */
#include "policy/dockerfile.h"

#include "policy/instruction.h"
#include "sys/files.h"

#include <stdlib.h>

#define FILE_BYTES_MAX (4u << 20)
#define LIKE_EXACT 100
#define LIKE_PLACE 60  /* the same destination, sources hidden in digests */
#define LIKE_START 40  /* the same start, as the history was cut */
#define LIKE_WORD 10   /* the same keyword, for instructions that make no layer */
#define CUT_BYTES 1500u /* entries at least this long may have been cut */

/* An entry in the same form as an instruction. */
struct entry {
	struct bh_slice keyword, text;
};

static struct bh_slice next_word(struct bh_slice *s)
{
	struct bh_slice word;
	(void)bh_slice_cut(bh_slice_trim(*s), ' ', &word, s);
	return word;
}

static struct bh_slice last_word(struct bh_slice s)
{
	s = bh_slice_trim(s);
	size_t at = s.len;
	while (at && s.ptr[at - 1] != ' ')
		at--;
	return bh_slice_sub(s, at, s.len);
}

/* "--from=build --chown=x src dst": options left out. */
static struct bh_slice without_options(struct bh_slice s)
{
	for (;;) {
		struct bh_slice rest = s, word = next_word(&rest);
		if (!bh_slice_starts(word, BH_SLICE_LIT("--")))
			return bh_slice_trim(s);
		s = rest;
	}
}

/* Word by word; a word with a variable in it may be anything. */
static bool same_words(struct bh_slice entry, struct bh_slice text)
{
	while (entry.len || text.len) {
		struct bh_slice a = next_word(&entry), b = next_word(&text);
		if (!bh_slice_eq(a, b) && bh_slice_find(b, '$') == b.len)
			return false;
	}
	return true;
}

static struct bh_slice without_end_slash(struct bh_slice s)
{
	while (s.len > 1 && s.ptr[s.len - 1] == '/')
		s.len--;
	return s;
}

static int likeness_of_copy(struct bh_slice entry, struct bh_slice text)
{
	entry = without_options(entry);
	text = without_options(text);
	if (same_words(entry, text))
		return LIKE_EXACT;
	struct bh_slice to = without_end_slash(last_word(entry)), wanted = without_end_slash(last_word(text));
	bool variable = bh_slice_find(wanted, '$') < wanted.len, below_workdir = wanted.len && wanted.ptr[0] != '/';
	return bh_slice_eq(to, wanted) ? LIKE_PLACE : variable || below_workdir ? LIKE_WORD : 0;
}

static int likeness_of_run(struct bh_slice entry, struct bh_slice text)
{
	text = without_options(text);
	if (bh_slice_eq(entry, text))
		return LIKE_EXACT;
	return entry.len >= CUT_BYTES && bh_slice_starts(text, bh_slice_sub(entry, 0, CUT_BYTES)) ? LIKE_START : 0;
}

/* 0: not the same thing. */
static int likeness(const struct entry *e, const struct policy_instruction *i)
{
	if (!bh_slice_eq(e->keyword, i->keyword))
		return 0;
	if (bh_slice_eq_str(e->keyword, "RUN"))
		return likeness_of_run(e->text, i->text);
	if (bh_slice_eq_str(e->keyword, "COPY") || bh_slice_eq_str(e->keyword, "ADD"))
		return likeness_of_copy(e->text, i->text);
	return same_words(e->text, i->text) ? LIKE_EXACT : LIKE_WORD;
}

static struct entry entry_of(const struct bh_history *h, struct bh_arena *arena)
{
	struct entry e = { 0 };
	const char *text = policy_instruction_of(h->created_by, arena);
	e.text = bh_slice_str(text);
	e.keyword = next_word(&e.text);
	e.text = bh_slice_trim(e.text);
	return e;
}

/* Walks back through the table; a pair gives its layer the line. Returns how many RUN, COPY or ADD were found again. */
static size_t take_pairs(struct bh_report *r, const struct policy_dockerfile *d, const struct entry *entries, const int *best)
{
	size_t width = d->path.len + 1, i = r->history.len, k = d->path.len, found = 0;
	while (i && k) {
		int here = best[i * width + k], like = likeness(&entries[i - 1], &d->path.ptr[k - 1]);
		if (like && here == best[(i - 1) * width + k - 1] + like) {
			uint32_t layer = r->history.ptr[i - 1].layer;
			if (layer < r->layers.len)
				r->layers.ptr[layer].dockerfile_line = d->path.ptr[k - 1].line;
			found += layer < r->layers.len && like > LIKE_WORD;
			i--;
			k--;
		} else if (here == best[(i - 1) * width + k]) {
			i--;
		} else {
			k--;
		}
	}
	return found;
}

static void fill_table(const struct bh_report *r, const struct policy_dockerfile *d, const struct entry *entries, int *best)
{
	size_t width = d->path.len + 1;
	for (size_t i = 1; i <= r->history.len; i++)
		for (size_t k = 1; k <= d->path.len; k++) {
			int pair = likeness(&entries[i - 1], &d->path.ptr[k - 1]);
			int a = best[(i - 1) * width + k], b = best[i * width + k - 1], both = pair ? best[(i - 1) * width + k - 1] + pair : 0;
			best[i * width + k] = both > a && both > b ? both : a > b ? a : b;
		}
}

static int align(struct bh_report *r, const struct policy_dockerfile *d, size_t *ret_found, struct bh_err *err)
{
	struct bh_arena scratch;
	bh_arena_init(&scratch, 64u << 20);
	struct entry *entries = bh_arena_array(&scratch, r->history.len + 1, sizeof(entries[0]));
	int *best = calloc((r->history.len + 1) * (d->path.len + 1), sizeof(best[0]));
	if (entries && best) {
		for (size_t i = 0; i < r->history.len; i++)
			entries[i] = entry_of(&r->history.ptr[i], &scratch);
		fill_table(r, d, entries, best);
		*ret_found = take_pairs(r, d, entries, best);
	}
	bool ok = entries && best;
	free(best);
	bh_arena_done(&scratch);
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for %zu history entries and %zu instructions", r->history.len, d->path.len);
}

static int apply(const char *path, const struct policy_dockerfile *d, struct bh_report *r, struct bh_err *err)
{
	size_t found = 0;
	int rc = align(r, d, &found, err);
	if (rc < 0)
		return rc;
	if (!bh_arena_copy(&r->arena, bh_slice_str(path), &r->dockerfile) || !bh_arena_copy(&r->arena, d->base, &r->base.name))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	r->base.dockerfile_line = d->base_line;
	r->base.evidence = r->base.name.len ? BH_SLICE_LIT("dockerfile") : (struct bh_slice){ 0 };
	if (found == 0 && r->layers.len)
		bh_report_incomplete(r, "dockerfile", bh_slice_str(path), BH_NO_LAYER,
				     "none of its RUN, COPY and ADD instructions is in the image's history: is it the file this image was built from?");
	return 0;
}

int policy_dockerfile_apply(const char *path, struct bh_report *r, struct bh_err *err)
{
	struct bh_buf text;
	struct policy_dockerfile d;
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = bh_read_file(path, FILE_BYTES_MAX, &text, err);
	if (rc == 0) {
		rc = policy_dockerfile_parse(bh_buf_slice(&text), &d, err);
		if (rc < 0)
			rc = bh_wrap(err, "%s", path);
	}
	if (rc == 0) {
		rc = apply(path, &d, r, err);
		policy_dockerfile_done(&d);
	}
	bh_buf_done(&text);
	return rc;
}
