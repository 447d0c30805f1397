/*
 * platform.c: an architecture is a ladder of variants: a machine runs its own and those below it. A wish for arm/v7 is
 * served by v7, v6, v5 in that order; amd64 by amd64 and, when nothing else is there, 386; arm64 by arm64 and 32-bit arm.
 */
#include "image/platform.h"

#include <stdio.h>
#include <sys/utsname.h>

/* A rank behind every ladder: same architecture, another variant than the ladder allows. */
#define RANK_OTHER_VARIANT 50

struct alias {
	const char *from, *arch, *variant;
};

/* variant NULL: the one that was given stays. */
static const struct alias aliases[] = {
	{ "x86_64", "amd64", NULL },   { "x86-64", "amd64", NULL },  { "aarch64", "arm64", NULL }, { "i386", "386", NULL },
	{ "i486", "386", NULL },       { "i586", "386", NULL },      { "i686", "386", NULL },      { "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },      { "armv7l", "arm", "v7" },    { "armv6l", "arm", "v6" },    { "armv8l", "arm", "v7" },
	{ "loongarch64", "loong64", NULL }, { "ppc64el", "ppc64le", NULL },
};

static bool copy_part(struct bh_slice s, char out[IMAGE_PLATFORM_PART_BYTES])
{
	if (s.len >= IMAGE_PLATFORM_PART_BYTES)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool upper = c >= 'A' && c <= 'Z';
		if (!upper && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
			return false;
		out[i] = (char)(upper ? c + 32 : c);
	}
	out[s.len] = '\0';
	return true;
}

static void set_part(char out[IMAGE_PLATFORM_PART_BYTES], const char *text)
{
	(void)copy_part(bh_slice_str(text), out);
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void normalise(struct image_platform *p)
{
	if (is(p->os, "macos"))
		set_part(p->os, "darwin");
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (is(p->arch, aliases[i].from)) {
			set_part(p->arch, aliases[i].arch);
			if (aliases[i].variant)
				set_part(p->variant, aliases[i].variant);
			break;
		}
	}
	if (p->variant[0] >= '0' && p->variant[0] <= '9') { /* "7" and "8" are common slips for "v7" and "v8" */
		char with_v[IMAGE_PLATFORM_PART_BYTES + 1];
		snprintf(with_v, sizeof(with_v), "v%s", p->variant);
		set_part(p->variant, with_v);
	}
	if ((is(p->arch, "amd64") && is(p->variant, "v1")) || (is(p->arch, "arm64") && is(p->variant, "v8")))
		p->variant[0] = '\0';
	if (is(p->arch, "arm") && p->variant[0] == '\0')
		set_part(p->variant, "v7");
}

bool image_platform_of(struct bh_slice os, struct bh_slice arch, struct bh_slice variant, struct image_platform *ret)
{
	struct image_platform p = { 0 };
	if (!copy_part(os, p.os) || !copy_part(arch, p.arch) || !copy_part(variant, p.variant))
		return false;
	normalise(&p);
	*ret = p;
	return true;
}

int image_platform_parse(const char *text, struct image_platform *ret, struct bh_err *err)
{
	struct bh_slice rest = bh_slice_str(text), part[3] = { 0 };
	size_t n = 0;
	bool more = rest.len > 0;
	while (more && n < 3)
		more = bh_slice_cut(rest, '/', &part[n++], &rest);
	bool empty = false;
	for (size_t i = 0; i < n; i++)
		empty |= part[i].len == 0;
	if (n == 1) { /* only an architecture: "arm64" */
		part[1] = part[0];
		part[0] = BH_SLICE_LIT("linux");
	}
	struct image_platform p;
	if (n == 0 || more || empty || !image_platform_of(part[0], part[1], part[2], &p))
		return bh_fail(err, BH_EUSAGE, 0, "platform \"%.100s\" is not of the form OS/ARCH or OS/ARCH/VARIANT, as in linux/arm64/v8", text);
	*ret = p;
	return 0;
}

void image_platform_host(struct image_platform *ret)
{
	struct utsname u = { 0 };
	(void)uname(&u);
	struct bh_slice none = { 0 };
	if (!image_platform_of(BH_SLICE_LIT("linux"), bh_slice_str(u.machine), none, ret))
		(void)image_platform_of(BH_SLICE_LIT("linux"), BH_SLICE_LIT("amd64"), none, ret);
}

/* "v7" -> 7, "" -> none, anything else -> -1. */
static int variant_number(const char *variant, int none)
{
	uint64_t v;
	if (variant[0] == '\0')
		return none;
	if (variant[0] != 'v' || !bh_slice_u64(bh_slice_str(variant + 1), 20, &v))
		return -1;
	return (int)v;
}

/* Steps down from want to have on one architecture's ladder; negative when have stands above or off it. */
static int steps_down(const char *want, const char *have, int none)
{
	int w = variant_number(want, none), h = variant_number(have, none);
	if (w < 0 || h < 0)
		return is(want, have) ? 0 : -1;
	return w >= h ? w - h : -1;
}

int image_platform_rank(const struct image_platform *want, bool exact_variant, const struct image_platform *have)
{
	if (!is(want->os, have->os))
		return -1;
	if (is(want->arch, have->arch)) {
		int none = is(want->arch, "arm64") ? 8 : is(want->arch, "arm") ? 7 : 1;
		int steps = steps_down(want->variant, have->variant, none);
		if (steps >= 0)
			return steps;
		return exact_variant && want->variant[0] ? -1 : RANK_OTHER_VARIANT;
	}
	if (is(want->arch, "amd64") && is(have->arch, "386"))
		return RANK_OTHER_VARIANT + 1;
	if (is(want->arch, "arm64") && is(have->arch, "arm")) {
		int steps = steps_down("v8", have->variant, 7);
		return steps < 0 ? -1 : RANK_OTHER_VARIANT + 1 + steps;
	}
	return -1;
}

const char *image_platform_text(const struct image_platform *p, char out[IMAGE_PLATFORM_TEXT_BYTES])
{
	snprintf(out, IMAGE_PLATFORM_TEXT_BYTES, "%s/%s%s%s", p->os, p->arch, p->variant[0] ? "/" : "", p->variant);
	return out;
}
