/* detectors.c: the table of detectors, and their patterns as tools/embed-patterns compiled them. */
#include "secret/detector.h"

#include "base/embed.h"
#include "secret/checks.h"
#include "secret/compiled.h"
#include "secret/detectors.h" /* made by the build: DETECTORS_ANY_PATH, DETECTORS_AVX2_PATH */

const struct secret_detector secret_detectors[] = {
#define DETECTOR(id, title, severity, pattern, near, entropy, allow, check, revoke) { id, title, severity, pattern, near, entropy, allow, secret_check_##check, revoke },
#include "secret/detectors.def"
#undef DETECTOR
};

const unsigned secret_detectors_n = sizeof(secret_detectors) / sizeof(secret_detectors[0]);

BH_EMBED(bh_detectors_any, DETECTORS_ANY_PATH);
BH_EMBED(bh_detectors_avx2, DETECTORS_AVX2_PATH);

struct bh_slice secret_compiled_detectors(bool avx2)
{
	return avx2 ? BH_EMBEDDED(bh_detectors_avx2) : BH_EMBEDDED(bh_detectors_any);
}
