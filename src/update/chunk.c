/* chunk.c: a gear hash (Xia et al., FastCDC): each byte shifts the hash by one bit, so after 64 bytes it is forgotten. */
#include "update/chunk.h"

#define MASK 0xffff000000000000u /* 16 bits: one place in 65,536 is a cut */

/* splitmix64 from 0: fixed numbers, a part of the format in that other numbers would cut elsewhere and fetch everything once. */
void update_cutter_init(struct update_cutter *c)
{
	uint64_t state = 0;
	for (unsigned i = 0; i < 256; i++) {
		uint64_t z = (state += 0x9e3779b97f4a7c15u);
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		c->gear[i] = z ^ (z >> 31);
	}
}

size_t update_cutter_next(const struct update_cutter *c, struct bh_slice rest)
{
	uint64_t hash = 0;
	size_t end = rest.len < UPDATE_CHUNK_BYTES_MAX ? rest.len : UPDATE_CHUNK_BYTES_MAX;
	for (size_t i = UPDATE_CHUNK_BYTES_MIN; i < end; i++) {
		hash = (hash << 1) + c->gear[rest.ptr[i]];
		if ((hash & MASK) == 0)
			return i + 1;
	}
	return end;
}
