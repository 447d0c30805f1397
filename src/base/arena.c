/* arena.c: a list of blocks; the newest is the one that is filled. Large requests get a block of their own. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES (64u * 1024)
#define ALIGN_BYTES 16u

/* A sanitizer must see that memory of a cleared arena is gone. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_BLOCKS false
#elif defined(__has_feature)
#define KEEPS_BLOCKS (!__has_feature(address_sanitizer))
#else
#define KEEPS_BLOCKS true
#endif

struct bh_arena_block {
	struct bh_arena_block *next;
	size_t size, used;
	_Alignas(ALIGN_BYTES) uint8_t data[];
};

void bh_arena_init(struct bh_arena *a, size_t max_bytes)
{
	*a = (struct bh_arena){ .max_bytes = max_bytes };
}

void bh_arena_done(struct bh_arena *a)
{
	while (a->head) {
		struct bh_arena_block *b = a->head;
		a->head = b->next;
		free(b);
	}
	a->used_bytes = 0;
}

void bh_arena_clear(struct bh_arena *a)
{
	struct bh_arena_block *kept = a->head;
	if (!KEEPS_BLOCKS || !kept || kept->size != BLOCK_BYTES) {
		bh_arena_done(a);
		return;
	}
	a->head = kept->next;
	bh_arena_done(a);
	memset(kept->data, 0, kept->used); /* memory of an arena is zero when it is handed out */
	kept->used = 0;
	kept->next = NULL;
	a->head = kept;
}

static struct bh_arena_block *block_for(struct bh_arena *a, size_t need)
{
	struct bh_arena_block *b = a->head;
	if (b && need <= b->size - b->used)
		return b;
	size_t size = need > BLOCK_BYTES / 4 ? need : BLOCK_BYTES;
	size_t total;
	if (__builtin_add_overflow(size, sizeof(*b), &total))
		return NULL;
	struct bh_arena_block *fresh = calloc(1, total);
	if (!fresh)
		return NULL;
	fresh->size = size;
	if (b && size == need && need > BLOCK_BYTES / 4) { /* keep filling the half-used block */
		fresh->next = b->next;
		b->next = fresh;
	} else {
		fresh->next = b;
		a->head = fresh;
	}
	return fresh;
}

void *bh_arena_alloc(struct bh_arena *a, size_t size_bytes)
{
	size_t need;
	if (__builtin_add_overflow(size_bytes ? size_bytes : 1, ALIGN_BYTES - 1, &need))
		return NULL;
	need &= ~(size_t)(ALIGN_BYTES - 1);
	if (need > a->max_bytes - a->used_bytes)
		return NULL;
	struct bh_arena_block *b = block_for(a, need);
	if (!b)
		return NULL;
	void *p = b->data + b->used;
	b->used += need;
	a->used_bytes += need;
	return p;
}

void *bh_arena_array(struct bh_arena *a, size_t count, size_t size_bytes)
{
	size_t total;
	if (__builtin_mul_overflow(count, size_bytes, &total))
		return NULL;
	return bh_arena_alloc(a, total);
}

bool bh_arena_copy(struct bh_arena *a, struct bh_slice s, struct bh_slice *out)
{
	if (s.len == 0) {
		*out = (struct bh_slice){ 0 };
		return true;
	}
	uint8_t *p = bh_arena_alloc(a, s.len);
	if (!p)
		return false;
	memcpy(p, s.ptr, s.len);
	*out = (struct bh_slice){ p, s.len };
	return true;
}

char *bh_arena_strdup(struct bh_arena *a, struct bh_slice s)
{
	size_t total;
	if (__builtin_add_overflow(s.len, 1u, &total))
		return NULL;
	char *p = bh_arena_alloc(a, total);
	if (p && s.len)
		memcpy(p, s.ptr, s.len);
	return p;
}

char *bh_arena_printf(struct bh_arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	char *p = bh_arena_alloc(a, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
