/* refname.c: Docker's defaults (distribution/reference, normalize.go): registry docker.io, namespace library, tag latest. */
#include "image/refname.h"

struct name {
	struct bh_slice host, path, tag, digest; /* host and tag: empty when not given */
};

static bool is_host(struct bh_slice first)
{
	return bh_slice_find(first, '.') < first.len || bh_slice_find(first, ':') < first.len || bh_slice_eq_str(first, "localhost");
}

static bool has_slash(struct bh_slice s)
{
	return bh_slice_find(s, '/') < s.len;
}

static struct name split(struct bh_slice text)
{
	struct name n = { 0 };
	struct bh_slice rest, head, tail;
	(void)bh_slice_cut(text, '@', &rest, &n.digest);
	if (bh_slice_cut(rest, '/', &head, &tail) && is_host(head)) {
		n.host = head;
		rest = tail;
	}
	/* The tag stands behind the last colon, which is behind the last slash. */
	size_t at = rest.len;
	while (at && rest.ptr[at - 1] != ':' && rest.ptr[at - 1] != '/')
		at--;
	n.path = rest;
	if (at && rest.ptr[at - 1] == ':') {
		n.path = bh_slice_sub(rest, 0, at - 1);
		n.tag = bh_slice_sub(rest, at, rest.len);
	}
	if (n.host.len == 0 || bh_slice_eq_str(n.host, "index.docker.io"))
		n.host = BH_SLICE_LIT("docker.io");
	struct bh_slice library = BH_SLICE_LIT("library/");
	if (bh_slice_eq_str(n.host, "docker.io") && bh_slice_starts(n.path, library) && !has_slash(bh_slice_sub(n.path, library.len, n.path.len)))
		n.path = bh_slice_sub(n.path, library.len, n.path.len);
	if (n.tag.len == 0 && n.digest.len == 0)
		n.tag = BH_SLICE_LIT("latest");
	return n;
}

static bool looks_like_tag(struct bh_slice s)
{
	return s.len && !has_slash(s) && bh_slice_find(s, ':') == s.len && bh_slice_find(s, '@') == s.len;
}

int image_ref_rank(struct bh_slice wanted, struct bh_slice recorded)
{
	if (wanted.len == 0 || recorded.len == 0)
		return -1;
	if (bh_slice_eq(wanted, recorded))
		return 0;
	struct name w = split(wanted), r = split(recorded);
	if (bh_slice_eq(w.host, r.host) && bh_slice_eq(w.path, r.path) && bh_slice_eq(w.tag, r.tag) && bh_slice_eq(w.digest, r.digest))
		return 1;
	if (looks_like_tag(wanted) && bh_slice_eq(wanted, r.tag) && !looks_like_tag(recorded))
		return 2;
	if (looks_like_tag(recorded) && bh_slice_eq(recorded, w.tag) && !looks_like_tag(wanted))
		return 2;
	return -1;
}
