/* fuzz_version.c: two versions, split at the first newline, in every scheme: an order must not depend on who asks. */
#include "version/version.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct version_scheme *scheme, struct bh_slice a, struct bh_slice b)
{
	int order = 0, back = 0, self = 1;
	struct bh_err err = { 0 };
	int rc = scheme->compare(a, b, &order, &err), rc_back = scheme->compare(b, a, &back, NULL);
	if (rc != rc_back || (rc < 0 && (err.code != rc || err.text[0] == '\0')))
		abort();
	if (rc == 0 && (order < 0) != (back > 0))
		abort();
	if (rc == 0 && (order == 0) != (back == 0))
		abort();
	rc = scheme->compare(a, a, &self, NULL);
	if (rc == 0 && self != 0)
		abort();
	if (scheme->valid(a) && rc < 0) /* a valid version can be compared */
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice a, b;
	(void)bh_slice_cut((struct bh_slice){ data, size }, '\n', &a, &b);
	for (size_t i = 0; version_schemes[i]; i++)
		check(version_schemes[i], a, b);
	return 0;
}
