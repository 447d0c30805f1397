/*
 * go_mod.c: go.mod of a main module (go.dev/ref/mod). One directive in a line, or several behind one word in parentheses:
 *
 *     go 1.22.0
 *     toolchain go1.22.3
 *     require (
 *         golang.org/x/net v0.23.0 // indirect
 *     )
 *     replace golang.org/x/net v0.23.0 => ./fork          version of the left side: optional; right side: folder, or module and version
 *
 * From "go 1.17" on a go.mod names every module that the build takes, at the version that it takes: as good as a lock. Older ones leave out
 * what the modules require themselves. "go" and "exclude" have had their effect on the versions already.
 */
#include "base/limits.h"
#include "base/map.h"
#include "base/reader.h"
#include "pkg/golang.h"

#define MOD_BYTES_MAX (16u << 20)
#define REPLACEMENTS_MAX 100000u
#define WORDS_MAX 6u /* "replace A V => B V" */

static const struct pkg_want go_mod_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "go.mod" },
	{ .kind = PKG_WANT_END },
};

/* A line as words: its directive (before it, or before the parenthesis that it stands in), and what follows. */
struct directive {
	struct bh_slice block;         /* word before an open parenthesis; empty outside */
	struct bh_slice word[WORDS_MAX];
	size_t n_words;
	uint32_t line;
	size_t offset;
};

static bool next_word(struct bh_slice *rest, struct bh_slice *ret)
{
	*rest = bh_slice_trim(*rest);
	if (rest->len == 0 || bh_slice_starts(*rest, BH_SLICE_LIT("//")))
		return false;
	uint8_t quote = rest->ptr[0];
	if (quote == '"' || quote == '`') {
		(void)bh_slice_cut(bh_slice_sub(*rest, 1, rest->len), (char)quote, ret, rest);
		return true;
	}
	size_t len = 0;
	while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t' && rest->ptr[len] != '\r')
		len++;
	*ret = bh_slice_sub(*rest, 0, len);
	*rest = bh_slice_sub(*rest, len, rest->len);
	return true;
}

static void split(struct directive *d, struct bh_slice line)
{
	d->n_words = 0;
	if (d->block.len)
		d->word[d->n_words++] = d->block;
	while (d->n_words < WORDS_MAX && next_word(&line, &d->word[d->n_words]))
		d->n_words++;
}

static bool is(const struct directive *d, size_t index, const char *word)
{
	return index < d->n_words && bh_slice_eq_str(d->word[index], word);
}

/* The next line that says something. */
static bool next(struct bh_reader *r, struct directive *d)
{
	struct bh_slice line;
	for (d->offset = r->pos; bh_take_line(r, &line); d->offset = r->pos) {
		d->line++;
		split(d, line);
		if (is(d, d->block.len ? 1 : 0, ")"))
			d->block = (struct bh_slice){ 0 };
		else if (d->block.len == 0 && is(d, 1, "("))
			d->block = d->word[0];
		else if (d->n_words > 1)
			return true;
	}
	return false;
}

struct go_mod {
	struct bh_map replacements;    /* "PATH" or "PATH VERSION" -> struct pkg_go_module */
	struct bh_location at;
	struct pkg_notes notes;
	struct bh_arena *scratch;
};

static struct bh_slice key_of(struct go_mod *g, struct bh_slice path, struct bh_slice version)
{
	if (version.len == 0)
		return path;
	return bh_slice_str(bh_arena_printf(g->scratch, "%.*s %.*s", BH_SLICE_FMT(path), BH_SLICE_FMT(version)));
}

/* replace PATH [VERSION] => NEW-PATH [VERSION] */
static int on_replace(struct go_mod *g, const struct directive *d, struct bh_err *err)
{
	size_t arrow = is(d, 2, "=>") ? 2 : 3;
	if (!is(d, arrow, "=>") || d->n_words < arrow + 2)
		return pkg_note(&g->notes, d->offset, err, "line %u: a replacement that can't be read", d->line);
	struct pkg_go_module *m = BH_ARENA_NEW(g->scratch, struct pkg_go_module);
	struct bh_slice key = key_of(g, d->word[1], arrow == 3 ? d->word[2] : (struct bh_slice){ 0 });
	void **slot = m && key.len ? bh_map_put(&g->replacements, key) : NULL;
	if (!slot)
		return bh_fail(err, BH_ELIMIT, d->offset, "more replacements than memory limits allow");
	*m = (struct pkg_go_module){ .new_path = d->word[arrow + 1] };
	if (d->n_words > arrow + 2)
		m->new_version = d->word[arrow + 2];
	*slot = m;
	return 0;
}

static int on_require(struct go_mod *g, const struct directive *d, struct bh_err *err)
{
	if (d->n_words < 3)
		return pkg_note(&g->notes, d->offset, err, "line %u: a requirement without a version", d->line);
	struct pkg_go_module m = { .path = d->word[1], .version = d->word[2] };
	const struct pkg_go_module *other = bh_map_get(&g->replacements, key_of(g, m.path, m.version));
	if (!other)
		other = bh_map_get(&g->replacements, m.path);
	if (other) {
		m.new_path = other->new_path;
		m.new_version = other->new_version;
	}
	g->at.line = d->line;
	return pkg_go_module(&m, &g->at, d->offset, &g->notes, err);
}

/* go 1.17 and later */
static bool names_all(struct bh_slice version)
{
	struct bh_slice major, minor, rest;
	uint64_t first = 0, second = 0;
	(void)bh_slice_cut(version, '.', &major, &rest);
	(void)bh_slice_cut(rest, '.', &minor, &rest);
	size_t digits = 0;
	while (digits < minor.len && minor.ptr[digits] >= '0' && minor.ptr[digits] <= '9') /* "22rc1" */
		digits++;
	return bh_slice_u64(major, 1000, &first) && bh_slice_u64(bh_slice_sub(minor, 0, digits), 1000, &second) && (first > 1 || second >= 17);
}

static int read_replacements(struct go_mod *g, struct bh_slice text, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(text);
	struct directive d = { .line = 0 };
	int rc = 0;
	while (rc == 0 && next(&r, &d)) {
		if (is(&d, 0, "replace"))
			rc = on_replace(g, &d, err);
		else if (is(&d, 0, "go") && names_all(d.word[1]))
			g->at.evidence = BH_EVIDENCE_LOCKFILE;
	}
	return rc;
}

static int read_requirements(struct go_mod *g, struct bh_slice text, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(text);
	struct directive d = { .line = 0 };
	int rc = 0;
	while (rc == 0 && next(&r, &d)) {
		struct bh_location at = { .line = d.line, .evidence = BH_EVIDENCE_MANIFEST };
		if (is(&d, 0, "require"))
			rc = on_require(g, &d, err);
		else if (is(&d, 0, "toolchain") && bh_slice_starts(d.word[1], BH_SLICE_LIT("go1")))
			rc = pkg_go_stdlib(d.word[1], &at, &g->notes, err);
	}
	return rc;
}

static int go_mod_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	if (bh_slice_search(file->path, "/pkg/mod/"))
		return 0; /* a downloaded module's own wishes: the go.mod of who uses it says what was taken */
	struct go_mod g = { .at.evidence = BH_EVIDENCE_MANIFEST, .notes.sink = sink, .scratch = scratch };
	bh_map_init(&g.replacements, REPLACEMENTS_MAX);
	int rc = read_replacements(&g, file->data, err);
	rc = rc < 0 ? rc : read_requirements(&g, file->data, err);
	bh_map_done(&g.replacements);
	return rc < 0 ? rc : pkg_notes_end(&g.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_go_mod = {
	.name = "go_mod",
	.type = "golang",
	.wants = go_mod_wants,
	.max_bytes = MOD_BYTES_MAX,
	.parse = go_mod_parse,
};
