/* reference.c: see reference.h; the grammar is that of github.com/distribution/reference, regexp.go and normalize.go. */
#include "registry/reference.h"

#include <ctype.h>
#include <stdio.h>

static bool is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_lower_alnum(uint8_t c)
{
	return is_alnum(c) && !(c >= 'A' && c <= 'Z');
}

static bool names_host(struct bh_slice first)
{
	bool upper = false;
	for (size_t i = 0; i < first.len; i++)
		upper |= first.ptr[i] >= 'A' && first.ptr[i] <= 'Z';
	return upper || bh_slice_find(first, '.') < first.len || bh_slice_find(first, ':') < first.len || bh_slice_eq_str(first, "localhost");
}

static bool is_port(struct bh_slice s)
{
	uint64_t port;
	return bh_slice_u64(s, 65535, &port) && port > 0;
}

/* "a.b-c.d": letters, digits and dashes between dots, no dash at an end. */
static bool has_labels(struct bh_slice name)
{
	struct bh_slice label;
	bool more = true;
	while (more) {
		more = bh_slice_cut(name, '.', &label, &name);
		for (size_t i = 0; i < label.len; i++)
			if (!is_alnum(label.ptr[i]) && !(label.ptr[i] == '-' && i && i + 1 < label.len))
				return false;
		if (label.len == 0)
			return false;
	}
	return true;
}

/* What stands between the brackets of an IPv6 address. */
static bool is_address(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isxdigit(s.ptr[i]) && s.ptr[i] != ':' && s.ptr[i] != '.')
			return false;
	return s.len > 0;
}

static bool is_host(struct bh_slice s)
{
	bool bracket = s.len && s.ptr[0] == '[';
	size_t end = bracket ? bh_slice_find(s, ']') : bh_slice_find(s, ':');
	if (bracket && end == s.len)
		return false;
	struct bh_slice name = bh_slice_sub(s, 0, bracket ? end + 1 : end);
	struct bh_slice port = bh_slice_sub(s, name.len, s.len);
	if (port.len && !(port.ptr[0] == ':' && is_port(bh_slice_sub(port, 1, port.len))))
		return false;
	return bracket ? is_address(bh_slice_sub(name, 1, name.len - 2)) : has_labels(name);
}

/* Lower-case words joined by ".", "_", "__" or dashes; parts joined by "/". */
static bool is_path(struct bh_slice s)
{
	bool word = false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i], next = i + 1 < s.len ? s.ptr[i + 1] : 0;
		if (is_lower_alnum(c)) {
			word = true;
			continue;
		}
		if (!word || next == 0 || !(c == '/' || c == '.' || c == '_' || c == '-'))
			return false;
		if (c == '_' && next == '_')
			i++;
		else if (c == '-')
			while (i + 1 < s.len && s.ptr[i + 1] == '-')
				i++;
		word = false;
		if (i + 1 >= s.len)
			return false;
	}
	return word;
}

static bool is_tag(struct bh_slice s)
{
	if (s.len == 0 || s.len >= REGISTRY_TAG_BYTES || s.ptr[0] == '.' || s.ptr[0] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) && s.ptr[i] != '_' && s.ptr[i] != '.' && s.ptr[i] != '-')
			return false;
	return true;
}

static int bad(const char *text, const char *why, struct bh_err *err)
{
	return bh_fail(err, BH_EUSAGE, 0, "\"%.200s\" is no image name: %s", text, why);
}

/* The tag stands behind the last colon, when no slash is behind that. */
static void split_tag(struct bh_slice *name, struct bh_slice *tag)
{
	size_t at = name->len;
	while (at && name->ptr[at - 1] != ':' && name->ptr[at - 1] != '/')
		at--;
	*tag = (struct bh_slice){ 0 };
	if (at && name->ptr[at - 1] == ':') {
		*tag = bh_slice_sub(*name, at, name->len);
		*name = bh_slice_sub(*name, 0, at - 1);
	}
}

static bool put(char *out, size_t size, struct bh_slice s)
{
	return snprintf(out, size, "%.*s", BH_SLICE_FMT(s)) < (int)size;
}

static int take_name(const char *text, struct bh_slice name, struct registry_ref *ref, struct bh_err *err)
{
	struct bh_slice first, rest, host = BH_SLICE_LIT("docker.io"), tag;
	if (bh_slice_cut(name, '/', &first, &rest) && names_host(first)) {
		host = bh_slice_eq_str(first, "index.docker.io") ? host : first;
		name = rest;
	}
	bool colon = bh_slice_ends(name, BH_SLICE_LIT(":"));
	split_tag(&name, &tag);
	if (colon || (tag.len && !is_tag(tag)))
		return bad(text, "its tag may have letters, digits, \"_\", \".\" and \"-\" only", err);
	if (!is_host(host))
		return bad(text, "its registry is no host name", err);
	if (!is_path(name))
		return bad(text, "its name must be lower-case words joined by / . _ or -", err);
	bool official = bh_slice_eq_str(host, "docker.io") && bh_slice_find(name, '/') == name.len;
	char full[REGISTRY_PATH_BYTES + 16];
	int n = snprintf(full, sizeof(full), "%s%.*s", official ? "library/" : "", BH_SLICE_FMT(name));
	if (n >= (int)sizeof(ref->path) || !put(ref->path, sizeof(ref->path), bh_slice_str(full)) || !put(ref->host, sizeof(ref->host), host))
		return bad(text, "it is longer than 255 characters", err);
	return put(ref->tag, sizeof(ref->tag), tag) ? 0 : bad(text, "its tag is too long", err);
}

int registry_ref_parse(const char *text, struct registry_ref *ret, struct bh_err *err)
{
	struct registry_ref ref = { 0 };
	struct bh_slice name, digest;
	struct bh_digest parsed;
	if (bh_slice_cut(bh_slice_str(text), '@', &name, &digest)) {
		if (!bh_digest_parse(digest, &parsed))
			return bad(text, "behind @ a digest must stand, sha256: or sha512: and lower-case hex", err);
		bh_digest_text(&parsed, ref.digest);
	}
	int rc = take_name(text, name, &ref, err);
	if (rc < 0)
		return rc;
	if (!ref.tag[0] && !ref.digest[0])
		snprintf(ref.tag, sizeof(ref.tag), "latest");
	*ret = ref;
	return 0;
}

const char *registry_ref_text(const struct registry_ref *ref, char out[static REGISTRY_REF_BYTES])
{
	snprintf(out, REGISTRY_REF_BYTES, "%s/%s%s%s%s%s", ref->host, ref->path, ref->tag[0] ? ":" : "", ref->tag, ref->digest[0] ? "@" : "", ref->digest);
	return out;
}

bool registry_is_local(const char *host)
{
	struct bh_slice s = bh_slice_str(host), name = bh_slice_sub(s, 0, bh_slice_find(s, ':'));
	return bh_slice_eq_str(name, "localhost") || bh_slice_starts(s, BH_SLICE_LIT("127.")) || bh_slice_starts(s, BH_SLICE_LIT("[::1]"));
}
