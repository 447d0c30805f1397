/* pathhash.c: SipHash-2-4 (Aumasson and Bernstein, 2012), checked against the vectors of its paper in the unit test. */
#include "image/pathhash.h"

#include <sys/random.h>
#include <time.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void rounds(struct sip *s, int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

/* Bytes [at, at + n) of s, n <= 8, little-endian. */
static uint64_t word(struct bh_slice s, size_t at, size_t n)
{
	uint64_t w = 0;
	for (size_t i = 0; i < n; i++)
		w |= (uint64_t)s.ptr[at + i] << (8 * i);
	return w;
}

uint64_t image_path_hash(const struct image_key *key, struct bh_slice path)
{
	struct sip s = { key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du, key->k0 ^ 0x6c7967656e657261u,
			 key->k1 ^ 0x7465646279746573u };
	size_t at = 0;
	for (; path.len - at >= 8; at += 8) {
		uint64_t m = word(path, at, 8);
		s.v3 ^= m;
		rounds(&s, 2);
		s.v0 ^= m;
	}
	uint64_t last = word(path, at, path.len - at) | (uint64_t)path.len << 56;
	s.v3 ^= last;
	rounds(&s, 2);
	s.v0 ^= last;
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void image_key_draw(struct image_key *ret)
{
	uint64_t key[2];
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) { /* only on kernels that filter the call */
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		key[0] = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u;
		key[1] = (uint64_t)(uintptr_t)&now ^ (uint64_t)now.tv_sec;
	}
	*ret = (struct image_key){ key[0], key[1] };
}
