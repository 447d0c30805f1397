/*
 * pear_installed.c: PHP packages and extensions that `pear` and `pecl` installed, one file each in a registry: .registry/NAME.reg, and
 * .registry/.channel.CHANNEL/NAME.reg for channels other than pear.php.net. A file is a PHP array as serialize() writes it:
 *
 *     a:24:{s:4:"name";s:11:"Archive_Tar";s:7:"channel";s:12:"pear.php.net";s:7:"version";a:2:{s:7:"release";s:6:"1.4.14";...}...}
 *
 * Packages of pear.php.net are known to advisories as "pear/archive_tar" of Composer, and given so.
 */
#include "base/reader.h"
#include "pkg/entry.h"

#define REGISTRY_BYTES_MAX (16u << 20)
#define DEPTH_MAX 64u

static const struct pkg_want pear_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = ".registry/*.reg" },
	{ .kind = PKG_WANT_GLOB, .path = ".registry/.channel.*/*.reg" },
	{ .kind = PKG_WANT_END },
};

struct entry {
	struct bh_slice name, channel, version, license;
};

/* Arrays that are open, each with the key whose value comes next. */
struct serial {
	struct bh_reader r;
	struct bh_slice keys[DEPTH_MAX];
	bool has_key[DEPTH_MAX];
	size_t depth;
};

static int malformed(const struct serial *s, struct bh_err *err, const char *what)
{
	return bh_fail(err, bh_reader_left(&s->r) ? BH_EMALFORMED : BH_ETRUNCATED, s->r.pos, "byte %zu: %s", s->r.pos, what);
}

static bool take_until(struct bh_reader *r, char end, struct bh_slice *ret)
{
	struct bh_slice rest = bh_slice_sub(r->src, r->pos, r->src.len);
	size_t len = bh_slice_find(rest, end);
	*ret = bh_slice_sub(rest, 0, len);
	return bh_skip(r, len + 1);
}

/* Behind "s:": LEN:"BYTES"; */
static bool take_string(struct bh_reader *r, struct bh_slice *ret)
{
	struct bh_slice digits, quote;
	uint64_t len;
	return take_until(r, ':', &digits) && bh_slice_u64(digits, r->src.len, &len) && bh_take(r, 1, &quote) && bh_take(r, (size_t)len, ret) &&
	       bh_skip(r, 2);
}

static void keep(const struct serial *s, struct bh_slice value, struct entry *e)
{
	struct bh_slice key = s->keys[0], inner = s->keys[1];
	bool single = s->depth == 1, pair = s->depth == 2;
	if (single && bh_slice_eq_str(key, "name"))
		e->name = value;
	else if (single && bh_slice_eq_str(key, "channel"))
		e->channel = value;
	else if (bh_slice_eq_str(key, "version") && (single || (pair && bh_slice_eq_str(inner, "release"))))
		e->version = value;
	else if (bh_slice_eq_str(key, "license") && (single || (pair && bh_slice_eq_str(inner, "_content"))))
		e->license = value;
}

/* A key, or the value of the key before it. */
static void scalar(struct serial *s, struct bh_slice value, struct entry *e)
{
	if (s->depth == 0)
		return;
	size_t level = s->depth - 1;
	if (s->has_key[level])
		keep(s, value, e);
	else
		s->keys[level] = value;
	s->has_key[level] = !s->has_key[level];
}

static int open_array(struct serial *s, struct bh_err *err)
{
	if (s->depth == DEPTH_MAX)
		return bh_fail(err, BH_ELIMIT, s->r.pos, "byte %zu: arrays nested deeper than %u levels", s->r.pos, DEPTH_MAX);
	s->has_key[s->depth++] = false;
	return 0;
}

static int close_array(struct serial *s, struct bh_err *err)
{
	if (s->depth == 0)
		return malformed(s, err, "a bracket that nothing opened");
	s->depth--;
	if (s->depth)
		s->has_key[s->depth - 1] = false; /* the array was its value */
	return 0;
}

static int read_entry(struct serial *s, struct entry *e, struct bh_err *err)
{
	struct bh_slice value;
	uint8_t kind;
	while (bh_take_u8(&s->r, &kind)) {
		int rc = 0;
		if (kind == '}') {
			rc = close_array(s, err);
		} else if (kind == 'N') {
			scalar(s, BH_SLICE_LIT(""), e);
			(void)bh_skip(&s->r, 1);
		} else if (!bh_skip(&s->r, 1)) {
			rc = malformed(s, err, "a value ends too early");
		} else if (kind == 'a') {
			rc = take_until(&s->r, '{', &value) ? open_array(s, err) : malformed(s, err, "an array ends too early");
		} else if (kind == 's' ? take_string(&s->r, &value) : take_until(&s->r, ';', &value)) {
			scalar(s, value, e);
		} else {
			rc = malformed(s, err, "a value ends too early");
		}
		if (rc < 0)
			return rc;
	}
	return s->depth ? malformed(s, err, "an array is not closed") : 0;
}

/* PREFIX/name, in small letters when asked for. */
static bool qualified(struct bh_arena *a, struct bh_slice prefix, struct bh_slice name, bool small, struct bh_slice *ret)
{
	char *text = bh_arena_printf(a, "%.*s/%.*s", BH_SLICE_FMT(prefix), BH_SLICE_FMT(name));
	for (char *c = text; text && small && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	*ret = bh_slice_str(text);
	return text;
}

static int pear_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct pkg_notes notes = { .sink = sink };
	struct serial s = { .r = bh_reader_of(file->data) };
	struct entry e = { .version = { 0 } };
	int rc = read_entry(&s, &e, err);
	if (rc < 0)
		return rc;
	bool pear = e.channel.len == 0 || bh_slice_eq_str(e.channel, "pear.php.net");
	struct bh_package p = { .type = pear ? BH_SLICE_LIT("composer") : BH_SLICE_LIT("pear"), .version = e.version, .license = e.license };
	if (e.name.len && !qualified(scratch, pear ? BH_SLICE_LIT("pear") : e.channel, e.name, pear, &p.name))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a name");
	return pkg_give(&notes, &p, 0, err);
}

const struct pkg_parser pkg_parser_pear_installed = {
	.name = "pear_installed",
	.type = "composer",
	.wants = pear_installed_wants,
	.max_bytes = REGISTRY_BYTES_MAX,
	.parse = pear_installed_parse,
};
