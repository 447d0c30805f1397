/* fuzz_exceptions.c: any input as a bulkhead.yaml to which an exception is added: refused, or every byte of it is still there, in order. */
#include "policy/exceptions_edit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What libfyaml loses on texts that it refuses: see fuzz_yaml.c. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is short a subsequence of whole? "[]" and the blanks beside it may be taken out. */
static bool holds(struct bh_slice whole, struct bh_slice part)
{
	size_t i = 0;
	for (size_t k = 0; k < part.len; k++) {
		if (is_blank(part.ptr[k]) || part.ptr[k] == '[' || part.ptr[k] == ']')
			continue;
		while (i < whole.len && whole.ptr[i] != part.ptr[k])
			i++;
		if (i++ == whole.len)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bh_exception e = { .id = BH_SLICE_LIT("CVE-1"), .reason = BH_SLICE_LIT("r"), .owner = BH_SLICE_LIT("o"), .expires = BH_SLICE_LIT("2027-01-31") };
	struct bh_buf out;
	struct bh_err err = { 0 };
	bh_buf_init(&out, 2u << 20);
	if (policy_exceptions_add((struct bh_slice){ data, size }, "f", &e, &out, &err) == 0 && !holds(bh_buf_slice(&out), (struct bh_slice){ data, size }))
		abort();
	bh_buf_done(&out);
	return 0;
}
