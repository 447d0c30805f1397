/*
 * reader.h: the only way parsers touch bytes. Every take checks what is left, so no parser compares pointers.
 * A failed take consumes nothing. Peeks and takes are different calls: detection has no side effects.
 */
#ifndef BH_BASE_READER_H
#define BH_BASE_READER_H

#include "base/slice.h"

struct bh_reader {
	struct bh_slice src;
	size_t pos;
};

static inline struct bh_reader bh_reader_of(struct bh_slice s)
{
	return (struct bh_reader){ .src = s };
}

static inline size_t bh_reader_left(const struct bh_reader *r)
{
	return r->src.len - r->pos;
}

static inline bool bh_peek(const struct bh_reader *r, size_t len, struct bh_slice *out)
{
	if (len > bh_reader_left(r))
		return false;
	*out = (struct bh_slice){ r->src.len ? r->src.ptr + r->pos : r->src.ptr, len };
	return true;
}

static inline bool bh_take(struct bh_reader *r, size_t len, struct bh_slice *out)
{
	if (!bh_peek(r, len, out))
		return false;
	r->pos += len;
	return true;
}

static inline bool bh_skip(struct bh_reader *r, size_t len)
{
	struct bh_slice ignored;
	return bh_take(r, len, &ignored);
}

/* Moves to an absolute offset inside the source (its end is allowed). */
static inline bool bh_seek(struct bh_reader *r, size_t pos)
{
	if (pos > r->src.len)
		return false;
	r->pos = pos;
	return true;
}

#define BH_DEFINE_TAKE(name, type, bytes, expr)                  \
	static inline bool name(struct bh_reader *r, type *out)  \
	{                                                        \
		struct bh_slice s;                               \
		if (!bh_take(r, bytes, &s))                      \
			return false;                            \
		const uint8_t *p = s.ptr;                        \
		*out = (type)(expr);                             \
		return true;                                     \
	}
BH_DEFINE_TAKE(bh_take_u8, uint8_t, 1, p[0])
BH_DEFINE_TAKE(bh_take_u16le, uint16_t, 2, p[0] | p[1] << 8)
BH_DEFINE_TAKE(bh_take_u16be, uint16_t, 2, p[1] | p[0] << 8)
BH_DEFINE_TAKE(bh_take_u32le, uint32_t, 4, (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24)
BH_DEFINE_TAKE(bh_take_u32be, uint32_t, 4, (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24)
BH_DEFINE_TAKE(bh_take_u64le, uint64_t, 8,
	       (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
		       (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56)
BH_DEFINE_TAKE(bh_take_u64be, uint64_t, 8,
	       (uint64_t)p[7] | (uint64_t)p[6] << 8 | (uint64_t)p[5] << 16 | (uint64_t)p[4] << 24 | (uint64_t)p[3] << 32 |
		       (uint64_t)p[2] << 40 | (uint64_t)p[1] << 48 | (uint64_t)p[0] << 56)
#undef BH_DEFINE_TAKE

/* The next line without its LF (a CR stays). False at the end of the source. */
static inline bool bh_take_line(struct bh_reader *r, struct bh_slice *out)
{
	size_t left = bh_reader_left(r);
	if (left == 0)
		return false;
	struct bh_slice rest = { r->src.ptr + r->pos, left };
	size_t len = bh_slice_find(rest, '\n');
	*out = bh_slice_sub(rest, 0, len);
	r->pos += len + (len < left ? 1 : 0);
	return true;
}

#endif
