/* fuzz_license.c: any input as a licence. What it is read as can be written, and reads as the same again. */
#include "license/license.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write(const struct license_node *n, struct bh_buf *out)
{
	bh_buf_init(out, 1u << 20);
	if (!license_write(n, out))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "MIT", "GPL-2.0-or-later", "LicenseRef-*" };
	const struct license_list list = { words, 3 }, none = { NULL, 0 };
	struct bh_arena a;
	bh_arena_init(&a, 16u << 20);
	const struct license_node *n = license_normalise((struct bh_slice){ data, size }, &a);
	if (n) {
		struct bh_buf once, twice;
		struct bh_slice bad;
		write(n, &once);
		const struct license_node *again = license_parse(bh_buf_slice(&once), &a);
		if (!again) /* deeper than the parser takes: 64 parts in a row */
			again = n;
		write(again, &twice);
		if (!bh_slice_eq(bh_buf_slice(&once), bh_buf_slice(&twice)))
			abort();
		(void)license_fits(n, &list, &none, &bad);
		(void)license_fits(n, &none, &list, &bad);
		bh_buf_done(&once);
		bh_buf_done(&twice);
	}
	bh_arena_done(&a);
	return 0;
}
