/* regex_re2.h: RE2 as C sees it. Plain types only: this header is read by both compilers. */
#ifndef BH_FORMAT_REGEX_RE2_H
#define BH_FORMAT_REGEX_RE2_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct regex_re2;

struct regex_re2_part {
	const char *ptr;
	size_t len;
};

enum regex_re2_result { REGEX_RE2_OK, REGEX_RE2_WRONG, REGEX_RE2_TOO_LARGE, REGEX_RE2_NO_MEMORY };

enum regex_re2_result regex_re2_new(const char *pattern, size_t len, bool is_utf8, size_t memory_bytes, struct regex_re2 **ret, char *why, size_t why_bytes);
void regex_re2_free(struct regex_re2 *re);
size_t regex_re2_groups(const struct regex_re2 *re);
const char *regex_re2_group_name(const struct regex_re2 *re, size_t group);
int regex_re2_search(const struct regex_re2 *re, const char *text, size_t len, size_t from, struct regex_re2_part *parts, size_t n); /* 1, 0; -1: no memory */

#ifdef __cplusplus
}
#endif

#endif
