/*
 * osrelease.c: which distribution is this? os-release(5), and etc/lsb-release, which has the same syntax:
 *
 *     # comment
 *     ID=alpine
 *     PRETTY_NAME="Alpine Linux v3.19"      quotes and backslashes as in the shell, nothing is expanded
 *
 * etc/os-release is usually a link to usr/lib/os-release; where both are files, the one in etc wins, as in the manual.
 * An os-release without ID says nothing that could be matched (the default of the manual, "linux", means unknown): it ranks
 * below the fallbacks of distro_files.c.
 */
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/notes.h"

#include <ctype.h>

#define RANK_ETC 100
#define RANK_USR_LIB 99
#define RANK_LSB 50 /* distro_files.c: 10 to 60 */
#define RANK_WITHOUT_ID 5

static const struct pkg_want osrelease_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "etc/os-release" },
	{ .kind = PKG_WANT_PATH, .path = "usr/lib/os-release" },
	{ .kind = PKG_WANT_PATH, .path = "etc/lsb-release" },
	{ .kind = PKG_WANT_END },
};

enum { K_ID, K_VERSION_ID, K_CODENAME, K_PRETTY, K_ID_LIKE, K_NAME, K_VERSION, N_KEYS };
static const char *const os_keys[N_KEYS] = { "ID", "VERSION_ID", "VERSION_CODENAME", "PRETTY_NAME", "ID_LIKE", "NAME", "VERSION" };
static const char *const lsb_keys[N_KEYS] = { "DISTRIB_ID", "DISTRIB_RELEASE", "DISTRIB_CODENAME", "DISTRIB_DESCRIPTION", "", "", "" };

/* The value as the shell would see it. False when a quote is left open or the arena is full. */
static bool unquote(struct bh_slice in, struct bh_arena *a, struct bh_slice *ret)
{
	uint8_t *out = bh_arena_alloc(a, in.len + 1);
	size_t len = 0;
	uint8_t quote = 0;
	for (size_t i = 0; out && i < in.len; i++) {
		uint8_t c = in.ptr[i];
		bool escapes = c == '\\' && quote != '\'' && i + 1 < in.len;
		if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? 0 : c;
		else if (escapes && (!quote || strchr("\"\\$`", in.ptr[i + 1])))
			out[len++] = in.ptr[++i];
		else if (!quote && (c == ' ' || c == '\t'))
			break; /* the shell would take the rest for a command */
		else
			out[len++] = c;
	}
	if (!out || quote)
		return false;
	*ret = (struct bh_slice){ out, len };
	return true;
}

/* VERSION="9 (stretch)" names the code name of releases that have no VERSION_CODENAME yet. */
static struct bh_slice codename_of_version(struct bh_slice version)
{
	struct bh_slice before, inside, after;
	if (!bh_slice_cut(version, '(', &before, &inside) || !bh_slice_cut(inside, ')', &inside, &after))
		return (struct bh_slice){ 0 };
	for (size_t i = 0; i < inside.len; i++)
		if (inside.ptr[i] < 'a' || inside.ptr[i] > 'z')
			return (struct bh_slice){ 0 };
	return inside;
}

/* Alpine's rolling branch: VERSION_ID=3.21.0_alpha20240923, PRETTY_NAME="Alpine Linux edge". */
static bool is_alpine_edge(struct bh_slice id, struct bh_slice version_id, struct bh_slice pretty)
{
	static const char alpha[] = "_alpha";
	if (!bh_slice_eq_str(id, "alpine"))
		return false;
	return bh_slice_ends(pretty, BH_SLICE_LIT(" edge")) ||
	       bh_slice_search(version_id, alpha);
}

/* LSB's DISTRIB_ID is a display name; "Ubuntu" -> "ubuntu", "VMware Photon" -> "photon". */
static bool lsb_id(struct bh_slice name, struct bh_arena *a, struct bh_slice *ret)
{
	struct bh_slice vendor = BH_SLICE_LIT("VMware ");
	if (bh_slice_starts(name, vendor))
		name = bh_slice_sub(name, vendor.len, name.len);
	name.len = bh_slice_find(name, ' ');
	uint8_t *out = bh_arena_alloc(a, name.len + 1);
	if (!out)
		return false;
	for (size_t i = 0; i < name.len; i++)
		out[i] = (uint8_t)tolower(name.ptr[i]);
	*ret = (struct bh_slice){ out, name.len };
	return true;
}

static int read_values(const struct pkg_file *file, const char *const *keys, struct bh_arena *scratch, struct pkg_notes *notes,
		       struct bh_slice *values, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, key, value;
	for (size_t at = 0; bh_take_line(&r, &line); at = r.pos) {
		line = bh_slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		bool ok = bh_slice_cut(line, '=', &key, &value);
		for (size_t i = 0; ok && i < N_KEYS; i++)
			if (bh_slice_eq_str(key, keys[i]))
				ok = unquote(value, scratch, &values[i]); /* the last one counts, as in the shell */
		if (!ok) {
			int rc = pkg_note(notes, at, err, "a line is no NAME=value");
			if (rc < 0)
				return rc;
		}
	}
	return pkg_notes_end(notes, file->data.len, err);
}

static int osrelease_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	bool lsb = bh_slice_ends(file->path, BH_SLICE_LIT("/lsb-release"));
	struct pkg_notes notes = { .sink = sink };
	struct bh_slice v[N_KEYS] = { 0 };
	int rc = read_values(file, lsb ? lsb_keys : os_keys, scratch, &notes, v, err);
	if (rc < 0)
		return rc;
	if (lsb && !lsb_id(v[K_ID], scratch, &v[K_ID]))
		return bh_fail(err, BH_ELIMIT, 0, "no memory left for the distribution's name");
	struct bh_distro d = { .id = v[K_ID],
			       .version_id = v[K_VERSION_ID],
			       .codename = v[K_CODENAME].len ? v[K_CODENAME] : codename_of_version(v[K_VERSION]),
			       .name = v[K_PRETTY].len ? v[K_PRETTY] : v[K_NAME],
			       .id_like = v[K_ID_LIKE],
			       .path = file->path,
			       .rank = bh_slice_starts(file->path, BH_SLICE_LIT("usr/")) ? RANK_USR_LIB : RANK_ETC };
	if (is_alpine_edge(d.id, d.version_id, d.name))
		d.codename = BH_SLICE_LIT("edge");
	if (lsb)
		d.rank = RANK_LSB;
	if (!pkg_word_ok(d.id, BH_NAME_BYTES_MAX)) {
		d.rank = RANK_WITHOUT_ID;
		d.id = (struct bh_slice){ 0 };
	}
	return d.id.len || d.name.len ? sink->distro(sink->ctx, &d, err) : 0;
}

const struct pkg_parser pkg_parser_osrelease = {
	.name = "osrelease",
	.type = "",
	.wants = osrelease_wants,
	.max_bytes = 1u << 20, /* real ones have 400 bytes */
	.parse = osrelease_parse,
};
