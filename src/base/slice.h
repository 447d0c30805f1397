/* slice.h: a borrowed run of bytes: pointer plus length, never NUL-terminated, never freed. Only an empty one may have ptr NULL. */
#ifndef BH_BASE_SLICE_H
#define BH_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bh_slice {
	const uint8_t *ptr;
	size_t len;
};

#define BH_SLICE_LIT(s) ((struct bh_slice){ (const uint8_t *)("" s ""), sizeof(s) - 1 })

/* printf("%.*s", BH_SLICE_FMT(s)): the length is clamped, as "%.*s" takes an int. Bytes are NOT escaped. */
#define BH_SLICE_FMT(s) (int)((s).len > 4096 ? 4096 : (s).len), (s).len ? (const char *)(s).ptr : ""

static inline struct bh_slice bh_slice_str(const char *s)
{
	return (struct bh_slice){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

static inline bool bh_slice_eq(struct bh_slice a, struct bh_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool bh_slice_eq_str(struct bh_slice a, const char *s)
{
	return bh_slice_eq(a, bh_slice_str(s));
}

/* Byte order, the shorter one first when one is a prefix of the other. For qsort-like use. */
static inline int bh_slice_cmp(struct bh_slice a, struct bh_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = a.ptr && b.ptr ? memcmp(a.ptr, b.ptr, n) : 0; /* a part that is not there has neither pointer nor length */
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static inline bool bh_slice_starts(struct bh_slice s, struct bh_slice prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool bh_slice_ends(struct bh_slice s, struct bh_slice suffix)
{
	return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0);
}

/* The part of s from `from` on, at most len bytes; both are clamped to s. */
static inline struct bh_slice bh_slice_sub(struct bh_slice s, size_t from, size_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct bh_slice){ s.len ? s.ptr + from : s.ptr, len };
}

/* Index of the first byte c, or s.len when there is none. */
static inline size_t bh_slice_find(struct bh_slice s, char c)
{
	const uint8_t *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
	return at ? (size_t)(at - s.ptr) : s.len;
}

/* Is s one of the words of a list that NULL ends? */
static inline bool bh_slice_is_one_of(struct bh_slice s, const char *const *words)
{
	while (*words && !bh_slice_eq_str(s, *words))
		words++;
	return *words != NULL;
}

/* Letters of ASCII in small; all other bytes as they are, whatever the locale. */
static inline uint8_t bh_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* 0 to 15 of a hexadecimal digit in either case; -1: it is none. */
static inline int bh_hex_digit(uint8_t c)
{
	c = bh_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n bytes of 2 n such digits and nothing else; false: they are none. */
bool bh_unhex(struct bh_slice hex, uint8_t *ret, size_t n);

/* Where the first `word` begins in s; NULL when it is not there. */
static inline const uint8_t *bh_slice_search(struct bh_slice s, const char *word)
{
	return s.ptr ? memmem(s.ptr, s.len, word, strlen(word)) : NULL;
}

/* How often c stands in s; eight bytes at a time, for texts of many megabytes. */
size_t bh_slice_count(struct bh_slice s, char c);

/* Does the word stand anywhere in s, in small letters or capitals (ASCII)? An empty word stands nowhere. */
bool bh_slice_has_nocase(struct bh_slice s, struct bh_slice word);

/* Without blanks, tabs, CR and LF on both ends. */
struct bh_slice bh_slice_trim(struct bh_slice s);

/* Splits at the first byte c: *head before it, *tail behind it. False (head = s, tail empty) when c is not there. */
bool bh_slice_cut(struct bh_slice s, char c, struct bh_slice *head, struct bh_slice *tail);

/* The last component of a path, and what stands in front of it without its slash: "c" and "a/b" of "a/b/c"; the second is empty where there is no slash. */
struct bh_slice bh_slice_base(struct bh_slice path);
struct bh_slice bh_slice_folder(struct bh_slice path);

/* Decimal digits only, at least one, value <= max. False otherwise; *out untouched then. */
bool bh_slice_u64(struct bh_slice s, uint64_t max, uint64_t *out);

/* Keyless 64-bit hash (FNV-1a with a final mix) of bytes. Stable across runs: it may be stored in files. */
uint64_t bh_slice_hash(struct bh_slice s);

#endif
