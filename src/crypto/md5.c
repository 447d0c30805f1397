/*
 * md5.c: see md5.h. The lanes are GCC's vectors, so one source serves every processor; on x86-64 the inner loop is compiled for AVX2 and AVX-512, too, and chosen when it runs.
 * OpenSSL hashes one text at a time, and no library of Debian's does more with plain MD5.
 */
#include "crypto/md5.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16u
#define BLOCK_BYTES 64u
#define WORDS 16u

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

/* A lane's text: what is left of its whole blocks, then one or two of padding. */
struct lane {
	struct bh_md5_text *text; /* NULL: idle */
	const uint8_t *at;
	size_t blocks;            /* to go, at at */
	bool in_padding;
	uint8_t padding[2 * BLOCK_BYTES];
};

struct state {
	lanes a, b, c, d;
};

static const uint32_t sines[4 * WORDS] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122,
	0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6,
	0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60,
	0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
	0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

/* ---- blocks ---- */

/* One step of RFC 1321, section 3.4, in all lanes. */
#define STEP(function, word, i, shift)                                         \
	do {                                                                   \
		lanes sum = s.a + (function) + w[word] + sines[i];             \
		s.a = s.d;                                                     \
		s.d = s.c;                                                     \
		s.c = s.b;                                                     \
		s.b = s.b + ((sum << (shift)) | (sum >> (32 - (shift))));      \
	} while (0)

#define FOUR(function, word, step, i, s0, s1, s2, s3)                          \
	do {                                                                   \
		STEP(function, (word) & 15, i, s0);                            \
		STEP(function, ((word) + (step)) & 15, (i) + 1, s1);           \
		STEP(function, ((word) + 2 * (step)) & 15, (i) + 2, s2);       \
		STEP(function, ((word) + 3 * (step)) & 15, (i) + 3, s3);       \
	} while (0)

#define ROUND(function, word, step, i, s0, s1, s2, s3)                         \
	do {                                                                   \
		FOUR(function, word, step, i, s0, s1, s2, s3);                 \
		FOUR(function, (word) + 4 * (step), step, (i) + 4, s0, s1, s2, s3);  \
		FOUR(function, (word) + 8 * (step), step, (i) + 8, s0, s1, s2, s3);  \
		FOUR(function, (word) + 12 * (step), step, (i) + 12, s0, s1, s2, s3); \
	} while (0)

/* n blocks of each lane that has a text; what idle lanes compute is nobody's. The body is a macro, as vectors are lowered before functions are inlined. */
#define BLOCKS_BODY                                                                             \
	{                                                                                       \
		lanes w[WORDS] = { 0 };                                                         \
		uint32_t word;                                                                  \
		for (size_t block = 0; block < n; block++) {                                    \
			for (unsigned l = 0; l < LANES; l++)                                    \
				for (unsigned i = 0; at[l] && i < WORDS; i++) {                 \
					memcpy(&word, at[l] + block * BLOCK_BYTES + 4 * i, 4);  \
					w[i][l] = le32toh(word);                                \
				}                                                               \
			struct state s = *state;                                                \
			ROUND((s.b & s.c) | (~s.b & s.d), 0, 1, 0, 7, 12, 17, 22);              \
			ROUND((s.b & s.d) | (s.c & ~s.d), 1, 5, 16, 5, 9, 14, 20);              \
			ROUND(s.b ^ s.c ^ s.d, 5, 3, 32, 4, 11, 16, 23);                        \
			ROUND(s.c ^ (s.b | ~s.d), 0, 7, 48, 6, 10, 15, 21);                     \
			state->a += s.a;                                                        \
			state->b += s.b;                                                        \
			state->c += s.c;                                                        \
			state->d += s.d;                                                        \
		}                                                                               \
	}

typedef void run_blocks(struct state *state, const uint8_t *const at[LANES], size_t n);

static void blocks_anywhere(struct state *state, const uint8_t *const at[LANES], size_t n) BLOCKS_BODY

#ifdef __x86_64__
__attribute__((target("avx2"))) static void blocks_avx2(struct state *state, const uint8_t *const at[LANES], size_t n) BLOCKS_BODY
__attribute__((target("avx512f,avx512vl,avx512bw"))) static void blocks_avx512(struct state *state, const uint8_t *const at[LANES], size_t n) BLOCKS_BODY
#endif

/* NULL: this processor can't. */
static run_blocks *way_of(unsigned way)
{
	if (way == 0)
		return blocks_anywhere;
#ifdef __x86_64__
	__builtin_cpu_init();
	if (way == 1 && __builtin_cpu_supports("avx2"))
		return blocks_avx2;
	if (way == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
		return blocks_avx512;
#endif
	return NULL;
}

/* ---- lanes ---- */

static int by_length(const void *a, const void *b)
{
	const struct bh_md5_text *x = a, *y = b;
	return (x->bytes.len < y->bytes.len) - (x->bytes.len > y->bytes.len);
}

/* The rest of a text, a bit, zeros, and its length in bits. */
static void pad(struct lane *l)
{
	size_t rest = l->text->bytes.len % BLOCK_BYTES;
	uint64_t bits = (uint64_t)l->text->bytes.len * 8;
	memset(l->padding, 0, sizeof(l->padding));
	if (rest)
		memcpy(l->padding, l->text->bytes.ptr + l->text->bytes.len - rest, rest);
	l->padding[rest] = 0x80;
	l->blocks = rest + 9 > BLOCK_BYTES ? 2 : 1;
	for (unsigned i = 0; i < 8; i++)
		l->padding[l->blocks * BLOCK_BYTES - 8 + i] = (uint8_t)(bits >> 8 * i);
	l->at = l->padding;
	l->in_padding = true;
}

static void begin(struct lane *l, struct state *s, unsigned number, struct bh_md5_text *text)
{
	s->a[number] = 0x67452301;
	s->b[number] = 0xefcdab89;
	s->c[number] = 0x98badcfe;
	s->d[number] = 0x10325476;
	l->text = text;
	l->at = text->bytes.ptr;
	l->blocks = text->bytes.len / BLOCK_BYTES;
	l->in_padding = false;
	if (l->blocks == 0)
		pad(l);
}

static void finish(struct lane *l, const struct state *s, unsigned number)
{
	const uint32_t words[4] = { s->a[number], s->b[number], s->c[number], s->d[number] };
	for (unsigned i = 0; i < BH_MD5_BYTES; i++)
		l->text->md5[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
	l->text = NULL;
}

/* As many blocks as every busy lane has in one piece. */
static size_t common_blocks(const struct lane all[LANES], const uint8_t *at[LANES])
{
	size_t n = SIZE_MAX;
	for (unsigned i = 0; i < LANES; i++) {
		at[i] = all[i].text ? all[i].at : NULL;
		if (all[i].text && all[i].blocks < n)
			n = all[i].blocks;
	}
	return n == SIZE_MAX ? 0 : n;
}

static void hash_many(run_blocks *run, struct bh_md5_text *texts, size_t n)
{
	struct lane all[LANES] = { 0 };
	struct state s = { 0 };
	const uint8_t *at[LANES];
	size_t next = 0, step = 0;
	if (n > 1)
		qsort(texts, n, sizeof(texts[0]), by_length);
	do {
		for (unsigned i = 0; i < LANES; i++) {
			struct lane *l = &all[i];
			if (l->text) {
				l->at += step * BLOCK_BYTES;
				l->blocks -= step;
			}
			if (l->text && l->blocks == 0 && !l->in_padding)
				pad(l);
			else if (l->text && l->blocks == 0)
				finish(l, &s, i);
			if (!l->text && next < n)
				begin(l, &s, i, &texts[next++]);
		}
		step = common_blocks(all, at);
		run(&s, at, step);
	} while (step);
}

bool bh_md5_many_by(unsigned way, struct bh_md5_text *texts, size_t n)
{
	run_blocks *run = way_of(way);
	if (run)
		hash_many(run, texts, n);
	return run;
}

void bh_md5_many(struct bh_md5_text *texts, size_t n)
{
	unsigned way = 2;
	while (!bh_md5_many_by(way, texts, n))
		way--;
}
