/* sources.c: see sources.h. */
#include "update/sources.h"

static const struct {
	const char *name, *source, *feed;
	enum update_kind kind;
	const char *url;
	bool vendor;
	const char *summary;
} table[] = {
#define SOURCE(name, source, feed, kind, url, vendor, summary) { name, source, #feed, UPDATE_##kind, url, vendor, summary },
#include "update/sources.def"
#undef SOURCE
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool update_source_at(size_t i, struct update_source *ret)
{
	if (i >= COUNT(table))
		return false;
	*ret = (struct update_source){ .name = table[i].name, .source = table[i].source, .feed = vuln_feed_find(bh_slice_str(table[i].feed)),
				       .kind = table[i].kind, .url = table[i].url, .vendor = table[i].vendor, .summary = table[i].summary };
	return true;
}

/* What a folder of that feed looks like. */
static enum update_kind kind_of(const struct vuln_feed *feed, struct bh_slice url)
{
	if (!bh_slice_ends(url, BH_SLICE_LIT("/")))
		return UPDATE_FILES;
	if (strcmp(feed->name, "osv") == 0)
		return UPDATE_OSV;
	if (strcmp(feed->name, "csaf") == 0)
		return UPDATE_CSAF;
	return strcmp(feed->name, "updateinfo") == 0 ? UPDATE_REPO : UPDATE_FILES;
}

static bool is_name(struct bh_slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] == '/' || name.ptr[i] >= 0x7f)
			return false;
	return name.len > 0 && name.len <= 100 && name.ptr[0] != '.';
}

static int parse_own(const char *word, struct bh_arena *arena, struct update_source *ret, struct bh_err *err)
{
	struct bh_slice name, rest, feed, url = { 0 };
	bool whole = bh_slice_cut(bh_slice_str(word), '=', &name, &rest) && bh_slice_cut(rest, ':', &feed, &url);
	bool web = bh_slice_starts(url, BH_SLICE_LIT("https://")) || bh_slice_starts(url, BH_SLICE_LIT("http://"));
	if (!whole || !is_name(name) || !web)
		return bh_fail(err, BH_EUSAGE, 0, "%s: neither the name of a source (db update --list shows them) nor NAME=FEED:URL", word);
	const struct vuln_feed *f = vuln_feed_find(feed);
	if (!f)
		return bh_fail(err, BH_EUSAGE, 0, "%s: there is no feed %.*s; bulkhead-db(1) lists them", word, BH_SLICE_FMT(feed));
	const char *own = bh_arena_strdup(arena, name), *place = bh_arena_strdup(arena, url);
	if (!own || !place)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	*ret = (struct update_source){ .name = own, .source = own, .feed = f, .kind = kind_of(f, url), .url = place, .summary = "" };
	return 0;
}

int update_source_parse(const char *word, struct bh_arena *arena, struct update_source *ret, struct bh_err *err)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (strcmp(word, table[i].name) == 0) {
			(void)update_source_at(i, ret);
			return 0;
		}
	return parse_own(word, arena, ret, err);
}

/* ---- several files by one URL ---- */

struct expansion {
	struct bh_arena *arena;
	const char **ret;
	size_t n;
};

static int expand(struct expansion *e, struct bh_slice before, struct bh_slice rest, struct bh_err *err);

/* One word of a brace, then what follows it. */
static int expand_word(struct expansion *e, struct bh_slice before, struct bh_slice word, struct bh_slice after, struct bh_err *err)
{
	char *text = bh_arena_printf(e->arena, "%.*s%.*s", BH_SLICE_FMT(before), BH_SLICE_FMT(word));
	return text ? expand(e, bh_slice_str(text), after, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* "2002..2026" */
static bool is_range(struct bh_slice words, uint64_t *from, uint64_t *to)
{
	struct bh_slice first, last;
	return bh_slice_cut(words, '.', &first, &last) && bh_slice_starts(last, BH_SLICE_LIT(".")) && bh_slice_u64(first, 99999, from) &&
	       bh_slice_u64(bh_slice_sub(last, 1, last.len), 99999, to);
}

static int expand_range(struct expansion *e, struct bh_slice before, uint64_t from, uint64_t to, struct bh_slice after, struct bh_err *err)
{
	int rc = 0;
	for (uint64_t i = from; rc == 0 && i <= to; i++) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)i);
		rc = expand_word(e, before, bh_slice_str(number), after, err);
	}
	return rc;
}

/* As deep as there are braces; each doubles the files at least or is a mistake, and files are limited. */
static int expand(struct expansion *e, struct bh_slice before, struct bh_slice rest, struct bh_err *err)
{
	struct bh_slice plain, words, word, after;
	uint64_t from, to;
	int rc = 0;
	if (e->n == UPDATE_URLS_MAX)
		return bh_fail(err, BH_EUSAGE, 0, "%.*s: more than %u files", BH_SLICE_FMT(before), UPDATE_URLS_MAX);
	if (!bh_slice_cut(rest, '{', &plain, &words)) {
		char *text = bh_arena_printf(e->arena, "%.*s%.*s", BH_SLICE_FMT(before), BH_SLICE_FMT(rest));
		if (!text)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
		e->ret[e->n++] = text;
		return 0;
	}
	char *start = bh_arena_printf(e->arena, "%.*s%.*s", BH_SLICE_FMT(before), BH_SLICE_FMT(plain));
	if (!start)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (!bh_slice_cut(words, '}', &words, &after))
		return bh_fail(err, BH_EUSAGE, 0, "%s{...: the brace is not closed", start);
	if (is_range(words, &from, &to))
		return expand_range(e, bh_slice_str(start), from, to, after, err);
	while (rc == 0 && words.len) {
		(void)bh_slice_cut(words, ',', &word, &words);
		rc = expand_word(e, bh_slice_str(start), word, after, err);
	}
	return rc;
}

int update_expand(const char *url, struct bh_arena *arena, const char *ret[UPDATE_URLS_MAX], size_t *ret_n, struct bh_err *err)
{
	struct expansion e = { .arena = arena, .ret = ret };
	int rc = expand(&e, (struct bh_slice){ 0 }, bh_slice_str(url), err);
	*ret_n = e.n;
	return rc;
}
