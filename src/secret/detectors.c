/* detectors.c: the table of detectors, and their patterns as tools/embed-detectors compiled them. */
#include "secret/detector.h"

#include "secret/checks.h"
#include "secret/compiled.h"
#include "secret/detectors.h" /* made by the build: DETECTORS_ANY_PATH, DETECTORS_AVX2_PATH */

const struct secret_detector secret_detectors[] = {
#define DETECTOR(id, title, severity, pattern, near, entropy, allow, check, revoke) { id, title, severity, pattern, near, entropy, allow, secret_check_##check, revoke },
#include "secret/detectors.def"
#undef DETECTOR
};

const unsigned secret_detectors_n = sizeof(secret_detectors) / sizeof(secret_detectors[0]);

#define EMBED(label, path)                                                                                                                    \
	__asm__(".pushsection .rodata\n"                                                                                                      \
		"	.balign 64\n"                                                                                                         \
		"	.globl " label "\n"                                                                                                   \
		"	.hidden " label "\n" label ":\n"                                                                                      \
		"	.incbin \"" path "\"\n"                                                                                               \
		"	.globl " label "_end\n"                                                                                               \
		"	.hidden " label "_end\n" label "_end:\n"                                                                              \
		"	.byte 0\n"                                                                                                            \
		"	.popsection\n")

EMBED("bh_detectors_any", DETECTORS_ANY_PATH);
EMBED("bh_detectors_avx2", DETECTORS_AVX2_PATH);

extern const uint8_t bh_detectors_any[], bh_detectors_any_end[], bh_detectors_avx2[], bh_detectors_avx2_end[];

/* As integers: to the compiler the labels are unrelated objects. */
static struct bh_slice between(const uint8_t *from, const uint8_t *to)
{
	return (struct bh_slice){ from, (size_t)((uintptr_t)to - (uintptr_t)from) };
}

struct bh_slice secret_compiled_detectors(bool avx2)
{
	return avx2 ? between(bh_detectors_avx2, bh_detectors_avx2_end) : between(bh_detectors_any, bh_detectors_any_end);
}
