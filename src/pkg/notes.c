/* notes.c: see notes.h. */
#include "pkg/notes.h"

#include <stdarg.h>
#include <stdio.h>

#define PKG_NOTES_MAX 64 /* enough to see what is wrong; a bit-flipped file of 256 MiB would give millions */

int pkg_note(struct pkg_notes *n, uint64_t offset_bytes, struct bh_err *err, const char *fmt, ...)
{
	char text[256];
	if (++n->count > PKG_NOTES_MAX)
		return 0;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?'; /* names in notes come from the damaged bytes themselves */
	return n->sink->incomplete(n->sink->ctx, offset_bytes, text, err);
}

int pkg_notes_end(const struct pkg_notes *n, uint64_t offset_bytes, struct bh_err *err)
{
	char text[64];
	if (n->count <= PKG_NOTES_MAX)
		return 0;
	(void)snprintf(text, sizeof(text), "%llu more damaged entries", (unsigned long long)(n->count - PKG_NOTES_MAX));
	return n->sink->incomplete(n->sink->ctx, offset_bytes, text, err);
}

bool pkg_word_ok(struct bh_slice s, size_t max_bytes)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
			return false;
	return s.len && s.len <= max_bytes;
}
