/* fuzz_path.c: whatever the path, its clean form has no empty, "." or ".." component, and cleaning it again changes nothing. */
#include "base/limits.h"
#include "format/tar.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_components(struct bh_slice path)
{
	struct bh_slice part, rest = path;
	bool more = path.len != 0; /* the root has no component */
	while (more) {
		more = bh_slice_cut(rest, '/', &part, &rest);
		if (part.len == 0 || bh_slice_eq_str(part, ".") || bh_slice_eq_str(part, "..") || bh_slice_find(part, '\0') < part.len)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *out = malloc(BH_PATH_BYTES_MAX), *again = malloc(BH_PATH_BYTES_MAX); /* on the heap: ASan knows their ends */
	struct bh_slice clean, twice;
	bool climbed;
	if (!out || !again)
		abort();
	if (bh_path_clean((struct bh_slice){ data, size }, out, &clean, &climbed)) {
		if (clean.ptr != out || clean.len > size || clean.len > BH_PATH_BYTES_MAX)
			abort();
		check_components(clean);
		if (clean.len && (!bh_path_clean(clean, again, &twice, &climbed) || !bh_slice_eq(clean, twice) || climbed))
			abort();
	}
	free(out);
	free(again);
	return 0;
}
