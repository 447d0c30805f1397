/*
 * patch.c: see patch.h. The instructions do by rules what harden did by names: thousands of paths would be no patch that somebody reads. One RUN, as its shell may be among
 * what goes: it lives until it ends. Words that come from the image are written only when they need no quoting; no real package or folder does.
 */
#include "harden/patch.h"

#include "base/cleanup.h"

#include <inttypes.h>

#define CONTEXT_LINES 3u
#define LINE "; \\\n    "
#define DANGLING "find . -xdev -type l ! -exec test -e {} ';' -print"

static bool is_plain(struct bh_slice word)
{
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !(c && strchr("_./+-:@*", c)))
			return false;
	}
	return word.len > 0;
}

static void put_names(const struct shrink *s, struct bh_buf *out)
{
	bool first = true;
	for (size_t i = 0; i < s->packages.len; i++) {
		struct bh_slice name = s->packages.entries[i].key;
		if (!is_plain(name))
			continue;
		bh_buf_add_str(out, first ? "" : " ");
		bh_buf_add(out, name);
		first = false;
	}
}

static bool has_database(const struct shrink *s, const char *path)
{
	return bh_map_get(&s->gather->by_path, bh_slice_str(path)) != NULL;
}

/* Files of packages into tmp/gone, and the database without them. A link that leads to a folder is one for test -d, and stays. */
static void put_packages(const struct shrink *s, struct bh_buf *out)
{
	bh_buf_add_str(out, "packages='");
	put_names(s, out);
	bh_buf_add_str(out, "'" LINE);
	if (has_database(s, "var/lib/dpkg/status"))
		bh_buf_add_str(out, "for p in $packages; do cat var/lib/dpkg/info/$p.list var/lib/dpkg/info/$p:*.list 2>/dev/null || :; done | while read -r f; do [ -d \"$f\" ] || echo \"$f\"; done >tmp/gone" LINE
				    "awk -v RS= -v ORS='\\n\\n' -v p=\" $packages \" '{ n = $0; sub(/\\n.*/, \"\", n); sub(/^Package: /, \"\", n); if (!index(p, \" \" n \" \")) print }' var/lib/dpkg/status >tmp/status" LINE
				    "cat tmp/status >var/lib/dpkg/status; rm tmp/status" LINE
				    "for p in $packages; do rm -f var/lib/dpkg/info/$p.* var/lib/dpkg/info/$p:*.*; done" LINE);
	if (has_database(s, gather_rpm_databases[0]) || has_database(s, gather_rpm_databases[1]))
		bh_buf_add_str(out, "rpm -ql $packages 2>/dev/null | while read -r f; do [ ! -e \"$f\" ] || [ -d \"$f\" ] || echo \"$f\"; done >tmp/gone" LINE
				    "rpm -e --justdb --nodeps --noscripts --notriggers --allmatches $packages" LINE);
	for (size_t i = 1; gather_databases[i]; i++)
		if (has_database(s, gather_databases[i]))
			bh_buf_printf(out,
				      "awk -v RS= -v p=\" $packages \" '{ n = split($0, l, \"\\n\"); w = 0; for (i = 1; i <= n; i++) if (l[i] ~ /^P:/) w = index(p, \" \" substr(l[i], 3) \" \"); "
				      "for (i = 1; w && i <= n; i++) if (l[i] ~ /^F:/) f = substr(l[i], 3); else if (l[i] ~ /^R:/) print f \"/\" substr(l[i], 3) }' %s >tmp/gone" LINE
				      "awk -v RS= -v ORS='\\n\\n' -v p=\" $packages \" '{ n = $0; sub(/^(.*\\n)?P:/, \"\", n); sub(/\\n.*/, \"\", n); if (!index(p, \" \" n \" \")) print }' %s >tmp/installed" LINE
				      "cat tmp/installed >%s; rm tmp/installed" LINE,
				      gather_databases[i], gather_databases[i], gather_databases[i]);
}

/* Paths of clutter as words; folders end with a slash. */
static void put_clutter(struct bh_buf *out)
{
	bh_buf_add_str(out, "find");
	for (size_t i = 0; removable_clutter_at(i); i++) {
		const char *path = removable_clutter_at(i);
		bh_buf_printf(out, " %s", path);
	}
	bh_buf_add_str(out, " ! -type d ! -path 'usr/share/doc/*/copyright' ! -path tmp/gone ! -path tmp/links -delete 2>/dev/null || :" LINE);
}

static void put_kept(const struct shrink *s, struct bh_buf *out)
{
	for (size_t i = 0; i < s->options->n_keep; i++) {
		struct bh_slice keep = bh_slice_str(s->options->keep[i] + (s->options->keep[i][0] == '/'));
		if (!is_plain(keep))
			continue;
		bool path = bh_slice_find(keep, '/') < keep.len;
		bh_buf_printf(out, " ! %s '%s%.*s'", path ? "-path" : "-name", path ? "./" : "", BH_SLICE_FMT(keep));
	}
}

static void put_modes(const struct shrink *s, struct bh_buf *out)
{
	bh_buf_add_str(out, "find . -xdev -type f -perm /6000");
	put_kept(s, out);
	bh_buf_add_str(out, " -exec chmod ug-s {} +" LINE "find . -xdev ! -type l ! -type c ! -type b -perm -0002 ! -perm -1000");
	put_kept(s, out);
	bh_buf_add_str(out, " -exec chmod o-w {} +" LINE);
	for (size_t i = 0; i < s->done.len; i++) { /* a copy has no capabilities */
		const struct shrink_done *d = &s->done.ptr[i];
		if (d->why & SHRINK_CAPABILITY && !d->dropped && is_plain(d->path))
			bh_buf_printf(out, "cp -p %.*s tmp/copy; mv -f tmp/copy %.*s" LINE, BH_SLICE_FMT(d->path), BH_SLICE_FMT(d->path));
	}
	for (size_t i = 0; i < s->n_owned; i++)
		if (is_plain(s->owned[i]))
			bh_buf_printf(out, "chown -R %" PRIu32 ":%" PRIu32 " %.*s" LINE, s->profile->uid, s->profile->gid, BH_SLICE_FMT(s->owned[i]));
	for (size_t i = 0; i < s->files.len; i++)
		if (s->files.ptr[i].folder && is_plain(s->files.ptr[i].path))
			bh_buf_printf(out, "mkdir -p %.*s; chown %" PRIu32 ":%" PRIu32 " %.*s" LINE, BH_SLICE_FMT(s->files.ptr[i].path), s->profile->uid, s->profile->gid,
				      BH_SLICE_FMT(s->files.ptr[i].path));
}

static void put_instructions(const struct shrink *s, struct bh_buf *out)
{
	bh_buf_add_str(out, "# bulkhead harden: without what the image needs not to run. Last in the file, as nothing can be installed behind it.\nUSER 0\nRUN set -e; cd /" LINE
			    DANGLING " | sort >tmp/links" LINE ": >tmp/gone" LINE);
	if (s->packages.len)
		put_packages(s, out);
	put_modes(s, out);
	put_clutter(out);
	if (s->n_trees)
		bh_buf_add_str(out, "rm -rf");
	for (size_t i = 0; i < s->n_trees; i++)
		bh_buf_printf(out, " %s", s->trees[i]->names);
	bh_buf_add_str(out, s->n_trees ? LINE : "");
	bh_buf_add_str(out, "xargs -r rm -f <tmp/gone" LINE DANGLING " | sort | comm -13 tmp/links - | xargs -r rm -f" LINE "rm -f tmp/gone tmp/links\n");
	bh_buf_printf(out, "USER %" PRIu32 ":%" PRIu32 "\n", s->profile->uid, s->profile->gid);
}

/* ---- the patch ---- */

static size_t count_lines(struct bh_slice text)
{
	return bh_slice_count(text, '\n') + (text.len && text.ptr[text.len - 1] != '\n');
}

/* The last lines of text. */
static struct bh_slice last_lines(struct bh_slice text, size_t n)
{
	size_t at = text.len - (text.len && text.ptr[text.len - 1] == '\n');
	while (at && n) {
		at--;
		n -= text.ptr[at] == '\n';
	}
	return bh_slice_sub(text, at + (n == 0 && text.len), text.len);
}

static void put_marked(struct bh_buf *out, char mark, struct bh_slice text)
{
	struct bh_slice line;
	while (text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		bh_buf_add_byte(out, (uint8_t)mark);
		bh_buf_add(out, line);
		bh_buf_add_byte(out, '\n');
	}
}

bool patch_write(const struct shrink *s, const char *name, struct bh_slice dockerfile, struct bh_buf *out)
{
	BH_WITH(bh_buf_done) struct bh_buf added = { 0 };
	bool open_end = dockerfile.len && dockerfile.ptr[dockerfile.len - 1] != '\n';
	size_t lines = count_lines(dockerfile), context = lines < CONTEXT_LINES ? lines : CONTEXT_LINES;
	bh_buf_init(&added, out->max_bytes);
	put_instructions(s, &added);
	size_t n_added = count_lines(bh_buf_slice(&added));
	struct bh_slice kept = last_lines(dockerfile, context);
	bh_buf_printf(out, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n", name, name, context ? lines - context + 1 : 0, context, context ? lines - context + 1 : 1, context + n_added);
	if (open_end) { /* its last line is another one with an end */
		struct bh_slice last = last_lines(kept, 1);
		put_marked(out, ' ', bh_slice_sub(kept, 0, kept.len - last.len));
		put_marked(out, '-', last);
		bh_buf_add_str(out, "\\ No newline at end of file\n");
		put_marked(out, '+', last);
	} else {
		put_marked(out, ' ', kept);
	}
	put_marked(out, '+', bh_buf_slice(&added));
	return !out->failed && !added.failed;
}
