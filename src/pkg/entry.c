/* entry.c: see entry.h. */
#include "pkg/entry.h"

#include <stdio.h>

static int damaged(struct pkg_notes *n, const struct bh_package *p, uint64_t offset_bytes, struct bh_err *err, const char *what)
{
	char where[32] = "";
	if (p->at.line)
		(void)snprintf(where, sizeof(where), "line %u: ", p->at.line);
	if (p->name.len)
		return pkg_note(n, offset_bytes, err, "%spackage %.*s: %s", where, BH_SLICE_FMT(p->name), what);
	return pkg_note(n, offset_bytes, err, "%s%s", where, what);
}

int pkg_give(struct pkg_notes *n, const struct bh_package *p, uint64_t offset_bytes, struct bh_err *err)
{
	if (!pkg_word_ok(p->name, BH_NAME_BYTES_MAX))
		return damaged(n, p, offset_bytes, err, "an entry has no usable package name");
	struct bh_package copy = *p;
	if (p->version.len && !pkg_word_ok(p->version, BH_VERSION_BYTES_MAX)) {
		int rc = damaged(n, p, offset_bytes, err, "unusable version");
		if (rc < 0)
			return rc;
		copy.version = (struct bh_slice){ 0 };
	}
	return n->sink->package(n->sink->ctx, &copy, err);
}

uint32_t pkg_line(struct pkg_lines *l, size_t offset_bytes)
{
	if (offset_bytes > l->text.len)
		offset_bytes = l->text.len;
	if (offset_bytes < l->at)
		l->at = l->before = 0;
	struct bh_slice rest = bh_slice_sub(l->text, l->at, offset_bytes - l->at);
	for (size_t next; (next = bh_slice_find(rest, '\n')) < rest.len; l->before++)
		rest = bh_slice_sub(rest, next + 1, rest.len);
	l->at = offset_bytes;
	return l->before < UINT32_MAX ? l->before + 1 : UINT32_MAX;
}

uint32_t pkg_line_of(struct pkg_lines *l, struct bh_slice part)
{
	return pkg_line(l, pkg_offset(l->text, part));
}

struct bh_slice pkg_without_bom(struct bh_slice text)
{
	struct bh_slice bom = BH_SLICE_LIT("\xef\xbb\xbf");
	return bh_slice_starts(text, bom) ? bh_slice_sub(text, bom.len, text.len) : text;
}

struct bh_slice pkg_unquoted(struct bh_slice s)
{
	bool quoted = s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') && s.ptr[s.len - 1] == s.ptr[0];
	return quoted ? bh_slice_sub(s, 1, s.len - 2) : s;
}

void pkg_add_item(struct bh_buf *list, const char *between, struct bh_slice item)
{
	if (item.len == 0)
		return;
	if (list->len)
		bh_buf_add_str(list, between);
	bh_buf_add(list, item);
}

bool pkg_cut_trimmed(struct bh_slice line, char c, struct bh_slice *ret_head, struct bh_slice *ret_tail)
{
	bool found = bh_slice_cut(line, c, ret_head, ret_tail);
	*ret_head = bh_slice_trim(*ret_head);
	*ret_tail = bh_slice_trim(*ret_tail);
	return found;
}
