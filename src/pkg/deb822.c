/*
 * deb822.c: stanzas to packages, for dpkg's and opkg's status files and distroless' status.d.
 *
 * Which packages are present? dpkg's states are, in the third word of Status:
 *
 *     installed, triggers-pending, triggers-awaited   in use
 *     unpacked, half-configured                       files on disk, set-up not finished: vulnerable code is there
 *     half-installed                                  an (un)installation broke off: files may be there, so they count
 *     config-files, not-installed                     only configuration, or nothing, is left: not present
 *
 * So the list is `dpkg-query -W` without its config-files rows. A stanza without Status counts as present: the single
 * files of status.d have none. dpkg refuses two stanzas of one name and architecture; here that is a damaged entry, and
 * both packages are handed on.
 */
#include "pkg/deb822.h"

#include "base/limits.h"
#include "base/map.h"
#include "pkg/notes.h"

#include <strings.h>

#define STANZAS_MAX 262144u /* packages in one database: all of Debian is about 65,000 */

enum { F_PACKAGE, F_STATUS, F_VERSION, F_ARCH, F_SOURCE, F_MAINTAINER, F_PROVIDES, F_LICENSE, N_FIELDS };
static const char *const field_names[N_FIELDS] = { "Package", "Status",	    "Version",	"Architecture",
						   "Source",  "Maintainer", "Provides", "License" };

static void store(struct bh_slice name, struct bh_slice value, const char *const *names, size_t n_names, struct bh_slice *values,
		  const char **damage)
{
	for (size_t i = 0; i < n_names; i++) {
		if (name.len != strlen(names[i]) || strncasecmp((const char *)name.ptr, names[i], name.len) != 0)
			continue;
		if (values[i].ptr)
			*damage = "a field stands there twice";
		else
			values[i] = bh_slice_trim(value);
	}
}

/* Takes the continuation lines behind a field, so that its value reaches from the first line to the last. */
static void take_continuation(struct bh_reader *r, struct bh_slice *value)
{
	struct bh_slice first, line;
	while (bh_peek(r, 1, &first) && (first.ptr[0] == ' ' || first.ptr[0] == '\t')) {
		struct bh_reader ahead = *r;
		if (!bh_take_line(&ahead, &line) || bh_slice_trim(line).len == 0)
			return; /* a line of blanks only ends the stanza, as it does for apt */
		*r = ahead;
		value->len = (size_t)(line.ptr + line.len - value->ptr);
	}
}

bool pkg_deb822_next(struct bh_reader *r, const char *const *names, size_t n_names, struct bh_slice *values, size_t *ret_offset,
		     const char **ret_damage)
{
	struct bh_slice line, name, value;
	bool any = false;
	memset(values, 0, n_names * sizeof(*values));
	*ret_damage = NULL;
	for (size_t at = r->pos; bh_take_line(r, &line); at = r->pos) {
		if (bh_slice_trim(line).len == 0) {
			if (any)
				return true;
			continue;
		}
		if (!any)
			*ret_offset = at;
		any = true;
		if (!bh_slice_cut(line, ':', &name, &value) || line.ptr[0] == ' ' || line.ptr[0] == '\t') {
			*ret_damage = "a line is no field";
			continue;
		}
		take_continuation(r, &value);
		store(name, value, names, n_names, values, ret_damage);
	}
	return any;
}

bool pkg_deb822_fold(struct bh_slice value, struct bh_arena *a, struct bh_slice *ret)
{
	if (bh_slice_find(value, '\n') == value.len) {
		*ret = value;
		return true;
	}
	uint8_t *out = bh_arena_alloc(a, value.len);
	if (!out)
		return false;
	struct bh_reader r = bh_reader_of(value);
	struct bh_slice line;
	size_t len = 0;
	while (bh_take_line(&r, &line)) {
		line = bh_slice_trim(line);
		if (line.len == 0)
			continue;
		if (len)
			out[len++] = ' ';
		memcpy(out + len, line.ptr, line.len);
		len += line.len;
	}
	*ret = (struct bh_slice){ out, len };
	return true;
}

/* Third word of "want flag state". */
static bool is_present(struct bh_slice status)
{
	struct bh_slice want, rest, flag, state;
	if (status.len == 0)
		return true;
	(void)bh_slice_cut(status, ' ', &want, &rest);
	(void)bh_slice_cut(bh_slice_trim(rest), ' ', &flag, &state);
	state = bh_slice_trim(state);
	return !bh_slice_eq_str(state, "config-files") && !bh_slice_eq_str(state, "not-installed");
}

/* Debian names are [a-z0-9+.-]; upper case and "_" stand in names that other builders write. */
static bool name_ok(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alnum && (i == 0 || !strchr("+-._~", c) || c == '\0'))
			return false;
	}
	return s.len && s.len <= BH_NAME_BYTES_MAX;
}

/* "glibc (2.36-9)": built from that version of glibc; "glibc": from glibc in the package's own version. */
static bool split_source(struct bh_slice source, struct bh_package *p)
{
	struct bh_slice name, rest;
	bool has_version = bh_slice_cut(source, '(', &name, &rest);
	name = bh_slice_trim(name);
	if (!name_ok(name))
		return false;
	if (has_version) {
		rest.len = bh_slice_find(rest, ')');
		rest = bh_slice_trim(rest);
		if (!pkg_word_ok(rest, BH_VERSION_BYTES_MAX))
			return false;
		p->source_version = rest;
	}
	p->source_name = name;
	return true;
}

struct database {
	const char *type;
	struct bh_arena *scratch;
	struct pkg_notes notes;
	struct bh_map seen; /* "name:arch" of the present packages so far */
};

/* Remembers name:arch. False when the memory is full; *ret_twice: it was there before. */
static bool remember(struct database *db, const struct bh_package *p, bool *ret_twice)
{
	const char *key = bh_arena_printf(db->scratch, "%.*s:%.*s", BH_SLICE_FMT(p->name), BH_SLICE_FMT(p->arch));
	void **value = key ? bh_map_put(&db->seen, bh_slice_str(key)) : NULL;
	if (!value)
		return false;
	*ret_twice = *value != NULL;
	*value = db;
	return true;
}

/* NULL, or what makes the stanza of a present package useless. */
static const char *useless(const struct bh_package *p)
{
	if (p->arch.len && !pkg_word_ok(p->arch, BH_NAME_BYTES_MAX))
		return "unusable architecture";
	if (!pkg_word_ok(p->version, BH_VERSION_BYTES_MAX))
		return p->version.len ? "unusable version" : "no version";
	return NULL;
}

static int on_stanza(struct database *db, const struct bh_slice *v, const char *damage, size_t offset, struct bh_err *err)
{
	struct bh_package p = { .type = bh_slice_str(db->type), .name = v[F_PACKAGE], .version = v[F_VERSION], .arch = v[F_ARCH] };
	bool twice = false;
	if (!name_ok(p.name))
		return pkg_note(&db->notes, offset, err, "a stanza has no usable package name");
	if (!is_present(v[F_STATUS]))
		return 0;
	const char *loss = useless(&p);
	if (loss)
		return pkg_note(&db->notes, offset, err, "package %.*s: %s", BH_SLICE_FMT(p.name), loss);
	if (!remember(db, &p, &twice) || !pkg_deb822_fold(v[F_PROVIDES], db->scratch, &p.provides) ||
	    !pkg_deb822_fold(v[F_MAINTAINER], db->scratch, &p.vendor) || !pkg_deb822_fold(v[F_LICENSE], db->scratch, &p.license))
		return bh_fail(err, BH_ELIMIT, offset, "more packages, or longer fields, than one scan has memory for");
	if (twice)
		damage = "stands there twice";
	if (v[F_SOURCE].len && !split_source(v[F_SOURCE], &p))
		damage = "unusable source";
	int rc = damage ? pkg_note(&db->notes, offset, err, "package %.*s: %s", BH_SLICE_FMT(p.name), damage) : 0;
	return rc < 0 ? rc : db->notes.sink->package(db->notes.sink->ctx, &p, err);
}

static int read_all(struct database *db, const struct pkg_file *file, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice values[N_FIELDS];
	const char *damage;
	size_t offset = 0;
	while (pkg_deb822_next(&r, field_names, N_FIELDS, values, &offset, &damage)) {
		int rc = on_stanza(db, values, damage, offset, err);
		if (rc < 0)
			return rc;
	}
	return pkg_notes_end(&db->notes, file->data.len, err);
}

int pkg_deb822_parse(const struct pkg_file *file, const char *type, const struct pkg_sink *sink, struct bh_arena *scratch,
		     struct bh_err *err)
{
	struct database db = { .type = type, .scratch = scratch, .notes = { .sink = sink } };
	bh_map_init(&db.seen, STANZAS_MAX);
	int rc = read_all(&db, file, err);
	bh_map_done(&db.seen);
	return rc;
}
