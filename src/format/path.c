/* path.c: the one clean form of a path inside an image; see tar.h. */
#include "base/limits.h"
#include "format/tar.h"

/* Where the last component of out[0..len) starts, with the "/" before it: what ".." cuts off. */
static size_t parent_len(const uint8_t *out, size_t len)
{
	while (len && out[len - 1] != '/')
		len--;
	return len ? len - 1 : 0;
}

bool bh_path_clean(struct bh_slice raw, uint8_t *out, struct bh_slice *ret, bool *climbed)
{
	size_t len = 0;
	bool named = false; /* a real component was there, even if ".." took it away again */
	*climbed = false;
	if (raw.len == 0 || bh_slice_find(raw, '\0') < raw.len)
		return false;
	struct bh_slice part, rest = raw;
	bool more = true;
	while (more) {
		more = bh_slice_cut(rest, '/', &part, &rest);
		if (part.len == 0 || bh_slice_eq_str(part, "."))
			continue;
		if (bh_slice_eq_str(part, "..")) {
			*climbed |= len == 0;
			len = parent_len(out, len);
			continue;
		}
		named = true;
		size_t need = part.len + (len ? 1 : 0);
		if (need > BH_PATH_BYTES_MAX - len)
			return false;
		if (len)
			out[len++] = '/';
		memcpy(out + len, part.ptr, part.len);
		len += part.len;
	}
	if (len == 0 && (named || *climbed))
		return false;
	*ret = (struct bh_slice){ out, len };
	return true;
}
