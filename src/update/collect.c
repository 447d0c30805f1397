/* collect.c: see collect.h. One function for each kind of source. */
#include "update/collect.h"

#include "crypto/digest.h"
#include "sys/files.h"
#include "update/fetch.h"
#include "update/index.h"
#include "update/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700u
#define FILE_MODE 0600u
#define CHANGED_MAX 3000u /* more single files than this: the archive is fetched anew, which is one request */
#define ARCHIVE_BYTES_MAX (64ull << 30)

struct job {
	struct update_collector *c;
	const struct update_source *s;
	struct update_files *f;
	const char *folder, *changed; /* of the source; of newer files */
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static struct bh_slice state_of(const struct job *j, const char *key)
{
	return update_state_get(j->c->state, j->s->name, key, "");
}

static int set_state(const struct job *j, const char *key, struct bh_slice value, struct bh_err *err)
{
	return update_state_set(j->c->state, j->s->name, key, "", value, err);
}

/* The last part of a URL's path, with a number before it: two files of one source may be called the same. */
static const char *file_for(const struct job *j, const char *url, size_t number)
{
	struct bh_slice path, rest = bh_slice_str(url), name = rest;
	(void)bh_slice_cut(rest, '?', &path, &rest);
	while (bh_slice_cut(path, '/', &name, &path))
		;
	name = bh_slice_sub(name, 0, 100);
	char *file = bh_arena_printf(&j->f->arena, "%s/%zu-%.*s", j->folder, number, BH_SLICE_FMT(name));
	for (char *p = file ? file + strlen(j->folder) + 1 : NULL; p && *p; p++)
		if (*p == '/' || *p == '%' || *p == '\\')
			*p = '_';
	return file;
}

enum memory { REMEMBER, FORGET };

static int fetch_as(struct job *j, const char *url, const char *path, enum memory memory, bool may_be_missing, enum update_fetched *ret,
		    struct bh_err *err)
{
	bool answered = false;
	const struct update_fetch f = { .session = j->c->session, .state = j->c->state, .source = memory == REMEMBER ? j->s->name : NULL,
					.url = url, .path = path,
					.may_be_missing = may_be_missing, .progress = j->c->progress, .ctx = j->c->ctx };
	int rc = path ? update_fetch(&f, ret, &answered, err) : no_memory(err);
	j->c->answered |= answered;
	if (rc == 0 && *ret == UPDATE_NEW)
		j->f->fetched++;
	return rc;
}

static int fetch(struct job *j, const char *url, const char *path, bool may_be_missing, enum update_fetched *ret, struct bh_err *err)
{
	return fetch_as(j, url, path, REMEMBER, may_be_missing, ret, err);
}

/* Data, not an index: what was fetched is to be imported. */
static int fetch_data(struct job *j, const char *url, const char *path, struct bh_err *err)
{
	enum update_fetched got = UPDATE_SAME;
	int rc = fetch(j, url, path, false, &got, err);
	return rc == 0 && got == UPDATE_NEW ? set_state(j, "pending", BH_SLICE_LIT("yes"), err) : rc;
}

static const char *url_below(const struct job *j, struct bh_slice base, struct bh_slice name)
{
	struct bh_buf b;
	bh_buf_init(&b, NET_URL_BYTES);
	bh_buf_add(&b, base);
	bool good = net_escape(&b, name, true);
	char *url = good && !b.failed ? bh_arena_strdup(&j->f->arena, bh_buf_slice(&b)) : NULL;
	bh_buf_done(&b);
	return url;
}

static bool is_file(const char *path)
{
	struct stat st;
	return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int check_sha256(const char *path, struct bh_slice digits, struct bh_err *err)
{
	struct bh_slice bytes = { 0 };
	struct bh_digest digest = { 0 };
	uint8_t want[32];
	if (!update_unhex(digits, want, 32))
		return 0; /* another digest than SHA-256: nothing that could be compared */
	int rc = bh_map_file(path, ARCHIVE_BYTES_MAX, &bytes, err);
	rc = rc < 0 ? rc : bh_digest_of(BH_DIGEST_SHA256, bytes, &digest, err);
	bh_unmap(bytes);
	if (rc < 0 || memcmp(digest.bytes, want, 32) == 0)
		return rc;
	(void)unlink(path);
	return bh_fail(err, BH_EMISMATCH, 0, "%s is not the file that its publisher's SHA-256 speaks of; it was thrown away", path);
}

/* ---- the folder of newer files ---- */

/* How many there are; all of them are removed when `empty`. */
static size_t walk_changed(const struct job *j, bool empty)
{
	DIR *dir = opendir(j->changed);
	struct dirent *e;
	size_t n = 0;
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (empty)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
	return n;
}

static const char *changed_file(const struct job *j, struct bh_slice name, const char *suffix)
{
	return bh_arena_printf(&j->f->arena, "%s/%.*s%s", j->changed, BH_SLICE_FMT(bh_slice_base(name)), suffix);
}

static int fetch_changed(struct job *j, const struct update_index *x, const char *suffix, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < x->entries.len; i++) {
		struct bh_slice name = x->entries.ptr[i].name;
		const char *path = changed_file(j, name, suffix), *url = url_below(j, bh_slice_str(j->s->url), name);
		char *whole = url ? bh_arena_printf(&j->f->arena, "%s%s", url, suffix) : NULL;
		enum update_fetched got = UPDATE_SAME;
		if (!path || !whole)
			return no_memory(err);
		(void)unlink(path); /* the list says that it changed: no need to ask */
		rc = fetch_as(j, whole, path, FORGET, true, &got, err);
		if (rc == 0 && got == UPDATE_MISSING) /* gone meanwhile */
			rc = bh_write_file_atomic(path, (struct bh_slice){ 0 }, FILE_MODE, err);
	}
	return rc < 0 || x->entries.len == 0 ? rc : set_state(j, "pending", BH_SLICE_LIT("yes"), err);
}

static int use_archive(struct job *j, const char *archive, struct bh_err *err)
{
	if (!archive)
		return no_memory(err);
	j->f->incremental = walk_changed(j, false) > 0;
	if (j->f->incremental)
		j->f->paths[j->f->n++] = j->changed;
	j->f->paths[j->f->n++] = archive;
	return 0;
}

/* ---- the kinds ---- */

static int collect_files(struct job *j, struct bh_err *err)
{
	const char *urls[UPDATE_URLS_MAX];
	size_t n = 0;
	int rc = update_expand(j->s->url, &j->f->arena, urls, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *path = file_for(j, urls[i], i);
		rc = fetch_data(j, urls[i], path, err);
		j->f->paths[j->f->n++] = path;
	}
	return rc;
}

/* all.zip, and since then the records that modified_id.csv names. The list is read first: what changes meanwhile comes the next time. */
static int collect_osv(struct job *j, struct bh_err *err)
{
	const struct bh_slice base = bh_slice_str(j->s->url);
	const char *list_url = url_below(j, base, BH_SLICE_LIT("modified_id.csv")), *zip_url = url_below(j, base, BH_SLICE_LIT("all.zip"));
	const char *list = bh_arena_printf(&j->f->arena, "%s/modified_id.csv", j->folder), *zip = file_for(j, zip_url ? zip_url : "", 0);
	struct bh_slice since = is_file(zip) ? state_of(j, "since") : (struct bh_slice){ 0 };
	struct update_index x = { 0 };
	enum update_fetched got = UPDATE_SAME;
	int rc = list_url && zip_url && list && zip ? fetch(j, list_url, list, false, &got, err) : no_memory(err);
	rc = rc < 0 ? rc : update_index_read(UPDATE_INDEX_OSV, list, since, &x, err);
	if (rc == 0 && (since.len == 0 || x.more || x.entries.len + walk_changed(j, false) > CHANGED_MAX)) {
		rc = fetch_data(j, zip_url, zip, err);
		if (rc == 0)
			(void)walk_changed(j, true);
	} else if (rc == 0) {
		rc = fetch_changed(j, &x, ".json", err);
	}
	if (rc == 0 && x.newest.len)
		rc = set_state(j, "since", x.newest, err);
	update_index_done(&x);
	return rc < 0 ? rc : use_archive(j, zip, err);
}

/* One word that a small file holds; empty when the file is not there. */
static int fetch_word(struct job *j, const char *url, const char *name, bool may_be_missing, struct bh_slice *ret, struct bh_err *err)
{
	const char *path = bh_arena_printf(&j->f->arena, "%s/%s", j->folder, name);
	enum update_fetched got = UPDATE_SAME;
	struct update_index x = { 0 };
	*ret = (struct bh_slice){ 0 };
	int rc = url ? fetch(j, url, path, may_be_missing, &got, err) : no_memory(err);
	if (rc < 0 || got == UPDATE_MISSING)
		return rc;
	rc = update_index_read(UPDATE_INDEX_LINE, path, (struct bh_slice){ 0 }, &x, err);
	if (rc == 0 && x.entries.len && !bh_arena_copy(&j->f->arena, x.entries.ptr[0].name, ret))
		rc = no_memory(err);
	update_index_done(&x);
	return rc;
}

/* "csaf_vex_2026-11-24.tar.zst" -> "2026-11-24T00:00:00": what changed on its day may or may not be in it. */
static struct bh_slice day_in(const struct job *j, struct bh_slice name)
{
	for (size_t i = 0; i + 10 <= name.len; i++) {
		struct bh_slice day = bh_slice_sub(name, i, 10);
		if (vuln_feed_parse_day(day) == VULN_NO_DAY)
			continue;
		char *text = bh_arena_printf(&j->f->arena, "%.*sT00:00:00", BH_SLICE_FMT(day));
		return bh_slice_str(text ? text : "");
	}
	return (struct bh_slice){ 0 };
}

static int fetch_archive(struct job *j, struct bh_slice name, const char *path, struct bh_err *err)
{
	const char *url = url_below(j, bh_slice_str(j->s->url), name);
	char *sum_url = url ? bh_arena_printf(&j->f->arena, "%s.sha256", url) : NULL;
	struct bh_slice sum = { 0 };
	int rc = sum_url ? fetch_word(j, sum_url, "archive.sha256", true, &sum, err) : no_memory(err);
	rc = rc < 0 ? rc : fetch_data(j, url, path, err);
	rc = rc < 0 || sum.len == 0 ? rc : check_sha256(path, sum, err);
	if (rc < 0)
		return rc;
	(void)walk_changed(j, true);
	rc = set_state(j, "archive", name, err);
	return rc < 0 ? rc : set_state(j, "since", day_in(j, name), err);
}

/* Documents that were taken back: an empty file covers the one in the archive. */
static int take_deletions(struct job *j, struct bh_slice since, struct bh_err *err)
{
	const char *url = url_below(j, bh_slice_str(j->s->url), BH_SLICE_LIT("deletions.csv"));
	const char *list = bh_arena_printf(&j->f->arena, "%s/deletions.csv", j->folder);
	struct update_index x = { 0 };
	enum update_fetched got = UPDATE_SAME;
	int rc = url && list ? fetch(j, url, list, true, &got, err) : no_memory(err);
	if (rc < 0 || got == UPDATE_MISSING)
		return rc;
	rc = update_index_read(UPDATE_INDEX_CSAF, list, since, &x, err);
	for (size_t i = 0; rc == 0 && i < x.entries.len; i++) {
		const char *path = changed_file(j, x.entries.ptr[i].name, "");
		rc = path ? bh_write_file_atomic(path, (struct bh_slice){ 0 }, FILE_MODE, err) : no_memory(err);
	}
	if (rc == 0 && x.entries.len)
		rc = set_state(j, "pending", BH_SLICE_LIT("yes"), err);
	update_index_done(&x);
	return rc;
}

/* changes.csv since `since`; *ret_many: too many to be fetched one by one. */
static int take_changes(struct job *j, bool insist, bool *ret_many, struct bh_err *err)
{
	const char *url = url_below(j, bh_slice_str(j->s->url), BH_SLICE_LIT("changes.csv"));
	const char *list = bh_arena_printf(&j->f->arena, "%s/changes.csv", j->folder);
	struct bh_slice since = state_of(j, "since");
	struct update_index x = { 0 };
	enum update_fetched got = UPDATE_SAME;
	int rc = url && list ? fetch(j, url, list, false, &got, err) : no_memory(err);
	rc = rc < 0 ? rc : update_index_read(UPDATE_INDEX_CSAF, list, since, &x, err);
	*ret_many = rc == 0 && !insist && (x.more || x.entries.len + walk_changed(j, false) > CHANGED_MAX);
	if (rc == 0 && !*ret_many) {
		rc = fetch_changed(j, &x, "", err);
		rc = rc < 0 ? rc : take_deletions(j, since, err);
		if (rc == 0 && x.newest.len)
			rc = set_state(j, "since", x.newest, err);
	}
	update_index_done(&x);
	return rc;
}

static int collect_csaf(struct job *j, struct bh_err *err)
{
	struct bh_slice latest;
	bool many = true;
	const char *archive = bh_arena_printf(&j->f->arena, "%s/0-archive", j->folder);
	int rc = archive ? fetch_word(j, url_below(j, bh_slice_str(j->s->url), BH_SLICE_LIT("archive_latest.txt")), "archive_latest.txt",
				      false, &latest, err)
			 : no_memory(err);
	if (rc == 0 && day_in(j, latest).len == 0)
		rc = bh_fail(err, BH_EMALFORMED, 0, "%sarchive_latest.txt names no archive of a date", j->s->url);
	if (rc == 0 && is_file(archive) && state_of(j, "since").len)
		rc = take_changes(j, bh_slice_eq(state_of(j, "archive"), latest), &many, err);
	if (rc == 0 && many) {
		rc = fetch_archive(j, latest, archive, err);
		rc = rc < 0 ? rc : take_changes(j, true, &many, err);
	}
	return rc < 0 ? rc : use_archive(j, archive, err);
}

static int collect_repo(struct job *j, struct bh_slice base, struct bh_err *err)
{
	const char *url = url_below(j, base, BH_SLICE_LIT("repodata/repomd.xml")), *list = bh_arena_printf(&j->f->arena, "%s/repomd.xml", j->folder);
	const char *file = bh_arena_printf(&j->f->arena, "%s/0-updateinfo", j->folder);
	struct update_index x = { 0 };
	enum update_fetched got = UPDATE_SAME;
	int rc = url && list && file ? fetch(j, url, list, false, &got, err) : no_memory(err);
	rc = rc < 0 ? rc : update_index_read(UPDATE_INDEX_REPOMD, list, (struct bh_slice){ 0 }, &x, err);
	if (rc == 0 && x.entries.len == 0)
		rc = bh_fail(err, BH_ENOTFOUND, 0, "%s: the repository has no updateinfo", url);
	if (rc == 0) {
		const char *data = url_below(j, base, x.entries.ptr[0].name);
		rc = data ? fetch_data(j, data, file, err) : no_memory(err);
		rc = rc < 0 ? rc : check_sha256(file, x.entries.ptr[0].stamp, err);
		j->f->paths[j->f->n++] = file;
	}
	update_index_done(&x);
	return rc;
}

static int collect_mirrors(struct job *j, struct bh_err *err)
{
	struct bh_slice base;
	int rc = fetch_word(j, j->s->url, "mirror.list", false, &base, err);
	if (rc < 0)
		return rc;
	if (!bh_slice_starts(base, BH_SLICE_LIT("https://")) && !bh_slice_starts(base, BH_SLICE_LIT("http://")))
		return bh_fail(err, BH_EMALFORMED, 0, "%s does not begin with the URL of a repository", j->s->url);
	char *whole = bh_arena_printf(&j->f->arena, "%.*s%s", BH_SLICE_FMT(base), bh_slice_ends(base, BH_SLICE_LIT("/")) ? "" : "/");
	return whole ? collect_repo(j, bh_slice_str(whole), err) : no_memory(err);
}

int update_collect(struct update_collector *c, const struct update_source *s, struct update_files *ret, struct bh_err *err)
{
	struct job j = { .c = c, .s = s, .f = ret };
	*ret = (struct update_files){ 0 };
	bh_arena_init(&ret->arena, 64u << 20);
	j.folder = bh_arena_printf(&ret->arena, "%s/%s", c->folder, s->name);
	j.changed = bh_arena_printf(&ret->arena, "%s/%s/changed", c->folder, s->name);
	c->answered = false;
	if (!j.folder || !j.changed)
		return no_memory(err);
	int rc = bh_mkdirs(j.changed, FOLDER_MODE, err);
	if (rc < 0)
		return rc;
	switch (s->kind) {
	case UPDATE_FILES: rc = collect_files(&j, err); break;
	case UPDATE_OSV: rc = collect_osv(&j, err); break;
	case UPDATE_CSAF: rc = collect_csaf(&j, err); break;
	case UPDATE_REPO: rc = collect_repo(&j, bh_slice_str(s->url), err); break;
	case UPDATE_MIRRORS: rc = collect_mirrors(&j, err); break;
	}
	ret->changed = state_of(&j, "pending").len > 0;
	return rc;
}

void update_files_done(struct update_files *f)
{
	bh_arena_done(&f->arena);
}

int update_imported(struct update_collector *c, const struct update_source *s, struct bh_err *err)
{
	return update_state_set(c->state, s->name, "pending", "", (struct bh_slice){ 0 }, err);
}
