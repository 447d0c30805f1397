/*
 * code.c: see code.h. A place (folder, archive, file) is read once for all functions of a document that name it:
 *
 *   spec.code = {files: [{path, language}], calls: {getobject: "src/app.py:3"}, facts: [{kind, path, line, text}], isComplete}
 *
 * Dependencies (node_modules, installed Python packages, vendor/) give calls and no facts; the SDKs of clouds among them give neither, as they have all calls.
 */
#include "serverless/code.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "format/zip_map.h"
#include "serverless/code_scan.h"
#include "sys/files.h"

#define SOURCE_BYTES_MAX (2u << 20)    /* of one file: what is larger is generated */
#define ARCHIVE_BYTES_MAX (256u << 20) /* Lambda takes 250 MB, unpacked */
#define PLACE_BYTES_MAX (256u << 20)   /* of all sources of a place */
#define ALL_BYTES_MAX (1024u << 20)    /* of all places of a document */
#define PLACES_MAX 2000u               /* of a document */
#define FILES_MAX 50000u               /* sources of a place */
#define LISTED_MAX 5000u               /* own ones that spec.code.files names */
#define ENTRIES_MAX 1000000u          /* of an archive */
#define CALLS_MAX 200000u
#define FACTS_MAX 100u                 /* of one kind in a place */
#define KINDS_MAX 16u
#define PACKAGES_MAX 5000u             /* installed Python packages */
#define TEXT_BYTES_MAX 200u            /* of a line that a fact shows */
#define WHY_BYTES_MAX 512u

struct fn_code_place {
	struct fn_list files, facts;
	struct bh_map calls;       /* name -> place as a text of CEL's kind in the arena */
	bool is_complete, is_read; /* is_read: some source of its own was */
	char why[WHY_BYTES_MAX];   /* what is missing; empty: nothing */
	bool is_absent;            /* not there, or refused */
};

BH_VEC(place_vec, struct fn_code_place *)

/* Of a document: fn_doc.code. */
struct fn_code_memory {
	struct bh_map places; /* path and patterns -> struct fn_code_place * */
	struct place_vec all;
	struct code_scanner *scanner;
	uint64_t bytes;
};

struct reading {
	struct fn_doc *doc;
	struct fn_code_memory *memory;
	struct fn_code_place *place;
	struct cel_value patterns;
	struct bh_map packages;      /* first names of installed Python packages */
	struct bh_slice path;        /* of the file that is read, for the taker */
	bool is_dependency;
	size_t n_facts[KINDS_MAX];
	const char *kinds[KINDS_MAX];
	uint64_t bytes, n_sources, n_large, n_broken, n_other, long_lines, links, folders;
	bool is_cut, more_facts, more_calls;
	char broken[160];            /* the first that could not be read, and why */
};

/* ---- memory ---- */

static struct fn_code_memory *memory_of(struct fn_doc *doc)
{
	if (doc->code || doc->failed)
		return doc->code;
	struct bh_err why = { 0 };
	struct fn_code_memory *m = calloc(1, sizeof(*m));
	if (m && code_scanner_new(&m->scanner, &why) == 0) {
		bh_map_init(&m->places, PLACES_MAX);
		m->all.max = PLACES_MAX;
		doc->code = m;
		return m;
	}
	free(m);
	doc->failed = true;
	return NULL;
}

void fn_code_done(struct fn_doc *doc)
{
	struct fn_code_memory *m = doc->code;
	if (!m)
		return;
	for (size_t i = 0; i < m->all.len; i++)
		bh_map_done(&m->all.ptr[i]->calls);
	place_vec_done(&m->all);
	bh_map_done(&m->places);
	code_scanner_free(m->scanner);
	free(m);
	doc->code = NULL;
}

static struct fn_code_place *new_place(struct fn_doc *doc, struct fn_code_memory *m)
{
	struct fn_code_place *p = BH_ARENA_NEW(doc->arena, struct fn_code_place);
	if (!p || !place_vec_push(&m->all, p)) {
		doc->failed |= !p;
		return NULL;
	}
	p->files.doc = p->facts.doc = doc;
	bh_map_init(&p->calls, CALLS_MAX);
	p->is_complete = true;
	return p;
}

/* A text of CEL's kind of any bytes: what is no UTF-8 becomes "?". */
static struct bh_slice clean(struct fn_doc *doc, struct bh_slice s, size_t max)
{
	struct bh_slice out = { 0 };
	uint8_t *copy = bh_arena_alloc(doc->arena, max + 1);
	size_t n = 0;
	uint32_t cp;
	if (!copy) {
		doc->failed = true;
		return out;
	}
	while (s.len && n < max) {
		size_t len = bh_utf8_next(s, &cp);
		if (n + (len ? len : 1) > max)
			break;
		if (len == 0 || cp < 0x20 || cp == 0x7f)
			copy[n++] = '?';
		else
			for (size_t i = 0; i < len; i++)
				copy[n++] = s.ptr[i];
		s = bh_slice_sub(s, len ? len : 1, s.len);
	}
	return (struct bh_slice){ copy, n };
}

/* ---- what a source says ---- */

static bool take_call(void *ctx, struct bh_slice name, uint32_t line)
{
	struct reading *r = ctx;
	struct bh_slice key;
	if (bh_map_get(&r->place->calls, name))
		return true;
	r->more_calls |= r->place->calls.len == CALLS_MAX;
	if (r->more_calls)
		return true;
	struct cel_value *at = BH_ARENA_NEW(r->doc->arena, struct cel_value);
	void **slot = at && bh_arena_copy(r->doc->arena, name, &key) ? bh_map_put(&r->place->calls, key) : NULL;
	if (!slot) {
		r->doc->failed = true;
		return false;
	}
	*at = fn_text(r->doc, "%.*s:%u", BH_SLICE_FMT(r->path), line);
	*slot = at;
	return !r->doc->failed;
}

/* Is there room for one more of the kind? */
static bool count_fact(struct reading *r, const char *kind)
{
	size_t i = 0;
	while (i < KINDS_MAX - 1 && r->kinds[i] && strcmp(r->kinds[i], kind) != 0)
		i++;
	r->kinds[i] = kind;
	r->more_facts |= r->n_facts[i] == FACTS_MAX;
	return r->n_facts[i] < FACTS_MAX && ++r->n_facts[i];
}

/* The line of a secret is not shown: it would be in reports then. */
static bool take_fact(void *ctx, const char *kind, uint32_t line, struct bh_slice text)
{
	struct reading *r = ctx;
	bool is_secret = strcmp(kind, "key") == 0 || strcmp(kind, "password") == 0;
	if (!count_fact(r, kind))
		return true;
	struct fn_map fact = fn_map_at(r->doc, (struct fn_from){ .value = cel_null() });
	fn_set(&fact, "kind", cel_string(bh_slice_str(kind)));
	fn_set(&fact, "path", cel_string(r->path));
	fn_set(&fact, "line", cel_int(line));
	if (!is_secret)
		fn_set(&fact, "text", cel_string(clean(r->doc, text, TEXT_BYTES_MAX)));
	fn_add(&r->place->facts, fn_map_end(&fact));
	return !r->doc->failed;
}

static bool scan(struct reading *r, struct bh_slice text, enum code_language language)
{
	const struct code_taker taker = { take_call, take_fact, r };
	if (!code_scan_calls(text, &taker))
		return false;
	if (r->is_dependency)
		return true;
	r->place->is_read = true;
	if (r->place->files.n < LISTED_MAX) {
		struct fn_map file = fn_map_at(r->doc, (struct fn_from){ .value = cel_null() });
		fn_set(&file, "path", cel_string(r->path));
		fn_set(&file, "language", cel_string(bh_slice_str(code_language_name(language))));
		fn_add(&r->place->files, fn_map_end(&file));
	}
	return code_scan_facts(r->memory->scanner, text, language, &taker, &r->long_lines);
}

/* ---- whose a file is ---- */

/* Is one of the folders of the path called so? "a/vendor/b" has "vendor", and "@aws-sdk/client" is two of them. */
static bool has_folder(struct bh_slice path, const char *folder)
{
	size_t len = strlen(folder);
	for (const uint8_t *at; (at = bh_slice_search(path, folder));) {
		size_t before = (size_t)(at - path.ptr);
		if ((before == 0 || at[-1] == '/') && path.len - before > len && at[len] == '/')
			return true;
		path = bh_slice_sub(path, before + 1, path.len);
	}
	return false;
}

static bool has_one_of(struct bh_slice path, const char *const *folders)
{
	while (*folders && !has_folder(path, *folders))
		folders++;
	return *folders != NULL;
}

static bool is_dependency(const struct reading *r, struct bh_slice path)
{
	static const char *const folders[] = { "node_modules", "site-packages", "dist-packages", "vendor", "venv", "bower_components", "third_party", "gems", NULL };
	struct bh_slice first, rest;
	if (has_one_of(path, folders))
		return true;
	bool in_python = bh_slice_starts(path, BH_SLICE_LIT("python/")); /* as layers have it */
	(void)bh_slice_cut(in_python ? bh_slice_sub(path, 7, path.len) : path, '/', &first, &rest);
	return bh_map_get(&r->packages, first) != NULL;
}

/* They name every action there is. */
static bool is_sdk(struct bh_slice path)
{
	static const char *const folders[] = { "aws-sdk", "@aws-sdk", "@smithy", "boto3", "botocore", "s3transfer", "aiobotocore", "aws-sdk-php", "github.com/aws", "aws-sdk-core",
					       "@azure", "@google-cloud", NULL };
	return has_one_of(path, folders) || bh_slice_search(path, "/aws-sdk-") != NULL || bh_slice_search(path, "types_boto3") != NULL
	       || bh_slice_search(path, "mypy_boto3") != NULL;
}

/* "*" is any text, slashes too; linear in text and pattern together for each start, so that no pattern takes for ever. */
static bool fits(struct bh_slice pattern, struct bh_slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == text.ptr[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

static bool is_left_out(const struct reading *r, struct bh_slice path)
{
	bool out = false;
	for (size_t i = 0; i < fn_len(r->patterns) && r->patterns.kind == CEL_LIST; i++) {
		struct cel_value v = r->patterns.list->items[i];
		struct bh_slice pattern = v.kind == CEL_STRING ? v.text : (struct bh_slice){ 0 };
		bool negated = bh_slice_starts(pattern, BH_SLICE_LIT("!"));
		pattern = bh_slice_sub(pattern, negated, pattern.len);
		if (bh_slice_starts(pattern, BH_SLICE_LIT("./")))
			pattern = bh_slice_sub(pattern, 2, pattern.len);
		if (pattern.len && fits(pattern, path))
			out = negated;
	}
	return out;
}

/* ---- files ---- */

static void note_broken(struct reading *r, struct bh_slice path, const char *why)
{
	if (r->n_broken++ == 0)
		(void)snprintf(r->broken, sizeof(r->broken), "%.*s: %s", (int)(path.len > 60 ? 60 : path.len), path.len ? (const char *)path.ptr : "", why);
}

/* A package that pip put there: what it is imported as. */
static void take_record(struct reading *r, struct bh_slice text)
{
	struct bh_slice line, name, rest, copy;
	while (text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		(void)bh_slice_cut(line, ',', &name, &rest);
		(void)bh_slice_cut(name, '/', &name, &rest);
		if (name.len == 0 || name.ptr[0] == '.' || bh_map_get(&r->packages, name))
			continue;
		void **at = r->packages.len < PACKAGES_MAX && bh_arena_copy(r->doc->arena, name, &copy) ? bh_map_put(&r->packages, copy) : NULL;
		if (at)
			*at = r;
	}
}

static bool is_record(struct bh_slice path)
{
	return bh_slice_ends(path, BH_SLICE_LIT(".dist-info/RECORD"));
}

/* Does the path name a source that has to be read? 0: no. */
static enum code_language wanted(struct reading *r, struct bh_slice path)
{
	enum code_language language = code_language_of(path);
	if (!language || is_left_out(r, path))
		return 0;
	r->is_dependency = is_dependency(r, path);
	if (r->is_dependency && is_sdk(path))
		return 0;
	r->is_cut |= r->n_sources >= FILES_MAX || r->bytes >= PLACE_BYTES_MAX || r->memory->bytes >= ALL_BYTES_MAX;
	return r->is_cut ? 0 : language;
}

static bool take_source(struct reading *r, struct bh_slice path, struct bh_slice text, enum code_language language)
{
	r->path = clean(r->doc, path, 1024);
	r->bytes += text.len;
	r->memory->bytes += text.len;
	r->n_sources++;
	return !r->doc->failed && scan(r, text, language);
}

/* Dependencies that are too large give no calls; what is said is about code of the function. */
static void note_large(struct reading *r)
{
	r->n_large += !r->is_dependency;
}

/* ---- archives ---- */

static bool read_entry(struct reading *r, const struct bh_zip_map *zip, const struct bh_zip_entry *e, struct bh_buf *buf, bool records)
{
	struct bh_slice text;
	struct bh_err why = { 0 };
	enum code_language language = records ? 0 : wanted(r, e->name);
	if (records ? !is_record(e->name) : !language)
		return true;
	if (e->plain > SOURCE_BYTES_MAX) {
		note_large(r);
		return true;
	}
	if (bh_zip_map_read(zip, e, buf, &text, &why) < 0) {
		note_broken(r, e->name, why.text);
		return true;
	}
	if (!records)
		return take_source(r, e->name, text, language);
	take_record(r, text);
	return true;
}

/* Twice: which packages were installed is known before anything is judged. */
static void read_archive(struct reading *r, struct bh_slice bytes)
{
	BH_WITH(bh_buf_done) struct bh_buf buf = { 0 };
	struct bh_err why = { 0 };
	bh_buf_init(&buf, SOURCE_BYTES_MAX);
	for (int pass = 0; pass < 2; pass++) {
		struct bh_zip_map zip;
		struct bh_zip_entry e;
		uint64_t n = 0;
		int rc = bh_zip_map_open(bytes, &zip, &why);
		while (rc >= 0 && n++ < ENTRIES_MAX && (rc = bh_zip_map_next(&zip, &e, &why)) == 1)
			if (!read_entry(r, &zip, &e, &buf, pass == 0))
				return;
		if (rc < 0 && pass == 1)
			note_broken(r, BH_SLICE_LIT("the archive"), why.text);
		r->is_cut |= rc == 1;
	}
}

static bool is_archive(struct bh_slice bytes)
{
	return bh_slice_starts(bytes, BH_SLICE_LIT("PK"));
}

/* An archive, or one source. */
static void read_file(struct reading *r, struct bh_slice path, int fd)
{
	BH_WITH(bh_buf_done) struct bh_buf bytes = { 0 };
	struct bh_err why = { 0 };
	bh_buf_init(&bytes, ARCHIVE_BYTES_MAX);
	if (bh_read_all(fd, ARCHIVE_BYTES_MAX, &bytes, &why) < 0) {
		note_broken(r, path, why.text);
		return;
	}
	enum code_language language = code_language_of(path);
	if (is_archive(bh_buf_slice(&bytes)))
		read_archive(r, bh_buf_slice(&bytes));
	else if (language && bytes.len <= SOURCE_BYTES_MAX)
		(void)take_source(r, path, bh_buf_slice(&bytes), language);
	else if (language)
		note_large(r);
	else
		r->n_other++;
}

/* ---- folders ---- */

static int read_folder_file(struct reading *r, const struct kube_opened_file *f, struct bh_buf *buf)
{
	const struct bh_slice path = { (const uint8_t *)f->name, f->name_len };
	struct bh_err why = { 0 };
	bool record = is_record(path);
	enum code_language language = record ? 0 : wanted(r, path);
	if (!record && !language)
		return 0;
	bh_buf_clear(buf);
	int rc = f->fd < 0 ? bh_fail(&why, BH_EIO, 0, "it can't be opened") : bh_read_all(f->fd, SOURCE_BYTES_MAX, buf, &why);
	if (rc == BH_ELIMIT)
		note_large(r);
	else if (rc < 0)
		note_broken(r, path, why.text);
	else if (record)
		take_record(r, bh_buf_slice(buf));
	else if (!take_source(r, path, bh_buf_slice(buf), language))
		return -1;
	return 0;
}

static int read_folder(struct reading *r, const struct kube_opener *opener, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf buf = { 0 };
	struct kube_opened_file f;
	int rc;
	bh_buf_init(&buf, SOURCE_BYTES_MAX + 1);
	while ((rc = opener->next(opener->ctx, &f, err)) == 1) {
		int stop = read_folder_file(r, &f, &buf);
		if (f.fd >= 0)
			(void)close(f.fd);
		if (stop < 0)
			return 0;
	}
	if (rc == 0) {
		r->links += f.links;
		r->folders += f.unreadable;
		r->is_cut |= f.is_cut;
	}
	return rc;
}

/* ---- places ---- */

static void append(struct bh_buf *b, const char *fmt, ...) BH_PRINTF(2, 3);
static void append(struct bh_buf *b, const char *fmt, ...)
{
	char text[300];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (b->len)
		bh_buf_add_str(b, "; ");
	bh_buf_add_str(b, text);
}

/* What of the place was not read, in a sentence. */
static void conclude(struct reading *r)
{
	struct fn_code_place *p = r->place;
	BH_WITH(bh_buf_done) struct bh_buf why = { 0 };
	bh_buf_init(&why, 4096);
	if (r->n_broken)
		append(&why, "%llu file%s could not be read (%s)", (unsigned long long)r->n_broken, r->n_broken == 1 ? "" : "s", r->broken);
	if (r->n_large)
		append(&why, "%llu source%s larger than %u MiB", (unsigned long long)r->n_large, r->n_large == 1 ? " is" : "s are", SOURCE_BYTES_MAX >> 20);
	if (r->is_cut)
		append(&why, "only the first %llu sources were read: a limit was reached", (unsigned long long)r->n_sources);
	if (r->folders)
		append(&why, "%llu folder%s could not be listed", (unsigned long long)r->folders, r->folders == 1 ? "" : "s");
	if (r->links)
		append(&why, "%llu symbolic link%s not followed", (unsigned long long)r->links, r->links == 1 ? " was" : "s were");
	if (r->long_lines)
		append(&why, "%llu line%s more than %u bytes long and not judged", (unsigned long long)r->long_lines, r->long_lines == 1 ? " is" : "s are", CODE_LINE_BYTES_MAX);
	if (r->more_facts || r->more_calls)
		append(&why, "it holds more than is told: the first %u findings of a kind, and the first %u names", FACTS_MAX, CALLS_MAX);
	if (!p->is_read && !p->is_absent)
		append(&why, "no source of a language that is known is in it");
	p->is_complete = !r->n_broken && !r->n_large && !r->is_cut && !r->folders && !r->more_calls;
	(void)snprintf(p->why, sizeof(p->why), "%.*s", BH_SLICE_FMT(bh_buf_slice(&why)));
}

static struct reading reading_of(struct fn_doc *doc, struct fn_code_memory *m, struct fn_code_place *p, struct cel_value patterns)
{
	struct reading r = { .doc = doc, .memory = m, .place = p, .patterns = patterns };
	bh_map_init(&r.packages, PACKAGES_MAX);
	return r;
}

static int read_opened(struct reading *r, const struct kube_opener *opener, struct bh_slice path, struct bh_err *err)
{
	struct kube_opened opened = { .fd = -1 };
	int rc = opener->open(opener->ctx, r->doc->d->file, path, ".dist-info/RECORD", &opened, err);
	if (rc == 0 && opened.is_folder) {
		rc = read_folder(r, opener, err);
		r->links = r->folders = 0;
		rc = rc < 0 ? rc : opener->open(opener->ctx, r->doc->d->file, path, code_suffixes, &opened, err);
		rc = rc < 0 ? rc : read_folder(r, opener, err);
	} else if (rc == 0) {
		read_file(r, path, opened.fd);
	}
	if (opened.fd >= 0)
		(void)close(opened.fd);
	return rc;
}

static void read_place(struct fn_doc *doc, struct fn_code_memory *m, struct fn_code_place *p, struct bh_slice path, struct cel_value patterns)
{
	const struct kube_opener *opener = kube_set_opens(doc->d->set);
	struct reading r = reading_of(doc, m, p, patterns);
	struct bh_err why = { 0 };
	int rc = read_opened(&r, opener, path, &why);
	p->is_absent = rc == BH_ENOTFOUND;
	doc->failed |= rc < 0 && !p->is_absent;
	conclude(&r);
	if (p->is_absent)
		(void)snprintf(p->why, sizeof(p->why), "%s", why.text);
	bh_map_done(&r.packages);
}

/* The place of a path, read when it is asked for the first time; NULL: too many, or no memory. */
static struct fn_code_place *place_of(struct fn_doc *doc, struct bh_slice path, struct cel_value patterns)
{
	struct fn_code_memory *m = memory_of(doc);
	BH_WITH(bh_buf_done) struct bh_buf key = { 0 };
	struct bh_slice copy;
	bh_buf_init(&key, 1u << 20);
	bh_buf_add(&key, path);
	for (size_t i = 0; i < fn_len(patterns) && patterns.kind == CEL_LIST; i++)
		if (patterns.list->items[i].kind == CEL_STRING) {
			bh_buf_add_byte(&key, '\0');
			bh_buf_add(&key, patterns.list->items[i].text);
		}
	struct fn_code_place *p = m && !key.failed ? bh_map_get(&m->places, bh_buf_slice(&key)) : NULL;
	if (p || !m || key.failed || m->places.len == PLACES_MAX)
		return p;
	void **at = (p = new_place(doc, m)) && bh_arena_copy(doc->arena, bh_buf_slice(&key), &copy) ? bh_map_put(&m->places, copy) : NULL;
	if (!at)
		return NULL;
	*at = p;
	read_place(doc, m, p, path, patterns);
	return p;
}

/* ---- functions ---- */

struct fn_code fn_code_of(struct fn_doc *doc, struct bh_slice function)
{
	return (struct fn_code){ .doc = doc, .function = function, .whole = { .value = cel_null() } };
}

static void add_place(struct fn_code *c, const struct fn_code_place *p, struct fn_from from)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->places[i] == p)
			return;
	if (c->n == FN_CODE_PLACES_MAX)
		return;
	if (c->n == 0)
		c->whole = from;
	c->places[c->n++] = p;
}

static uint32_t line_of(struct fn_doc *doc, struct fn_from at)
{
	BH_WITH(bh_buf_done) struct bh_buf path = { 0 };
	bh_buf_init(&path, 4096);
	return at.map ? kube_tree_find(doc->d->tree, at.map, at.field, &path) : 0;
}

void fn_code_missing(struct fn_code *c, struct fn_from at, const char *fmt, ...)
{
	char why[WHY_BYTES_MAX], text[WHY_BYTES_MAX + 200];
	struct bh_err err;
	if (!kube_set_opens(c->doc->d->set))
		return;
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	(void)snprintf(text, sizeof(text), "the code of function %.*s: %s", (int)(c->function.len > 128 ? 128 : c->function.len),
		       c->function.len ? (const char *)c->function.ptr : "", why);
	if (kube_set_complain(c->doc->d, line_of(c->doc, at), text, &err) < 0)
		c->doc->failed = true;
}

void fn_code_text(struct fn_code *c, struct fn_from text, struct fn_from runtime)
{
	struct fn_code_memory *m = memory_of(c->doc);
	struct fn_code_place *p = m && text.value.kind == CEL_STRING ? new_place(c->doc, m) : NULL;
	if (!p)
		return;
	static const struct {
		enum code_language language;
		const char *name;
	} names[] = { { CODE_PYTHON, "index.py" }, { CODE_JAVASCRIPT, "index.js" }, { CODE_RUBY, "index.rb" }, { CODE_SHELL, "index.sh" } };
	struct reading r = reading_of(c->doc, m, p, cel_null());
	enum code_language language = runtime.value.kind == CEL_STRING ? code_language_of_runtime(runtime.value.text) : CODE_ANY;
	const char *name = "index";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].language == language)
			name = names[i].name;
	(void)take_source(&r, bh_slice_str(name), text.value.text, language);
	conclude(&r);
	bh_map_done(&r.packages);
	add_place(c, p, text);
}

static bool is_elsewhere(struct bh_slice path)
{
	return bh_slice_search(path, "://") != NULL;
}

bool fn_code_path(struct fn_code *c, struct fn_from path, struct cel_value patterns)
{
	if (!kube_set_opens(c->doc->d->set) || !fn_has(path))
		return true;
	struct bh_slice text = path.value.kind == CEL_STRING ? path.value.text : (struct bh_slice){ 0 };
	if (text.len == 0 || bh_slice_search(text, "${")) {
		fn_code_missing(c, path, "not read: where it lies depends on what is not known here");
		return true;
	}
	if (is_elsewhere(text)) {
		fn_code_missing(c, path, "not read: it lies elsewhere, at %.*s", (int)(text.len > 200 ? 200 : text.len), (const char *)text.ptr);
		return true;
	}
	const struct fn_code_place *p = place_of(c->doc, text, patterns);
	if (!p) {
		fn_code_missing(c, path, "not read: the document names more than %u folders and archives, or longer ones than there is memory for", PLACES_MAX);
		return true;
	}
	if (p->is_absent && strcmp(p->why, "it is not there") == 0)
		return false;
	if (p->why[0])
		fn_code_missing(c, path, "%s%.*s: %s", p->is_read ? "" : "not read: ", (int)(text.len > 200 ? 200 : text.len), (const char *)text.ptr, p->why);
	if (p->is_read || p->calls.len)
		add_place(c, p, path);
	return true;
}

static struct cel_value calls_of(struct fn_code *c)
{
	size_t most = 0, n = 0;
	for (size_t i = 0; i < c->n; i++)
		most += c->places[i]->calls.len;
	struct cel_entry *entries = bh_arena_array(c->doc->arena, most + 1, sizeof(*entries));
	c->doc->failed |= !entries;
	for (size_t i = 0; entries && i < c->n; i++)
		for (size_t k = 0; k < c->places[i]->calls.len; k++) {
			const struct bh_map_entry *e = &c->places[i]->calls.entries[k];
			bool seen = false;
			for (size_t before = 0; before < i && !seen; before++)
				seen = bh_map_get(&c->places[before]->calls, e->key) != NULL;
			if (!seen)
				entries[n++] = (struct cel_entry){ cel_string(e->key), *(const struct cel_value *)e->value };
		}
	return entries ? cel_map_of(c->doc->arena, entries, n) : cel_null();
}

void fn_code_put(struct fn_code *c, struct fn_map *spec)
{
	struct fn_map code = fn_map_at(c->doc, c->whole);
	struct fn_list files = { .doc = c->doc }, facts = { .doc = c->doc };
	bool is_complete = true, is_read = false;
	for (size_t i = 0; i < c->n; i++) {
		const struct fn_code_place *p = c->places[i];
		for (size_t k = 0; k < p->files.n; k++)
			fn_add(&files, p->files.items[k]);
		for (size_t k = 0; k < p->facts.n; k++)
			fn_add(&facts, p->facts.items[k]);
		is_complete &= p->is_complete;
		is_read |= p->is_read;
	}
	if (!is_read)
		return;
	fn_set(&code, "files", fn_list_end(&files));
	fn_set(&code, "facts", fn_list_end(&facts));
	fn_set(&code, "calls", calls_of(c));
	fn_set(&code, "isComplete", cel_bool(is_complete));
	fn_put_as(spec, "code", fn_map_end(&code), c->whole);
}

struct cel_value fn_code_archive(struct fn_doc *doc, struct bh_slice bytes)
{
	struct fn_code_memory *m = memory_of(doc);
	struct fn_code_place *p = m ? new_place(doc, m) : NULL;
	struct fn_code c = fn_code_of(doc, (struct bh_slice){ 0 });
	struct fn_map spec = fn_map_at(doc, c.whole);
	if (!p)
		return cel_null();
	struct reading r = reading_of(doc, m, p, cel_null());
	read_archive(&r, bytes);
	conclude(&r);
	bh_map_done(&r.packages);
	add_place(&c, p, c.whole);
	fn_code_put(&c, &spec);
	return kube_get(fn_map_end(&spec), "code");
}
