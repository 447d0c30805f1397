/*
 * platform.h: operating system, architecture and variant of an image, compared as containerd does
 * (containerd/platforms: normalize.go, compare.go).
 */
#ifndef BH_IMAGE_PLATFORM_H
#define BH_IMAGE_PLATFORM_H

#include "base/err.h"
#include "base/slice.h"

#define IMAGE_PLATFORM_PART_BYTES 32u

struct image_platform {
	char os[IMAGE_PLATFORM_PART_BYTES], arch[IMAGE_PLATFORM_PART_BYTES], variant[IMAGE_PLATFORM_PART_BYTES]; /* normalised */
};

#define IMAGE_PLATFORM_TEXT_BYTES (3 * IMAGE_PLATFORM_PART_BYTES + 2)

/* "linux/arm64/v8", "linux/arm64", "arm64"; the usual aliases (x86_64, aarch64, armhf ...) are understood. */
int image_platform_parse(const char *text, struct image_platform *ret, struct bh_err *err) BH_MUST_CHECK;

/* From the fields of a descriptor or configuration; false when one is longer than any real one or has odd bytes. */
bool image_platform_of(struct bh_slice os, struct bh_slice arch, struct bh_slice variant, struct image_platform *ret);

void image_platform_host(struct image_platform *ret); /* linux on this machine's architecture */

/* How well does `have` serve `want`? 0 is best; negative: not at all. exact_variant: a variant the user spelled out must fit. */
int image_platform_rank(const struct image_platform *want, bool exact_variant, const struct image_platform *have);

const char *image_platform_text(const struct image_platform *p, char out[IMAGE_PLATFORM_TEXT_BYTES]);

#endif
