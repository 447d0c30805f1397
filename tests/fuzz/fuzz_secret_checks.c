/*
 * fuzz_secret_checks.c: any bytes as a secret and what stands around it, given to the check of a detector: "ID FROM LENGTH\n", then the bytes in which the secret is that
 * part. What it says ends, and the same bytes are judged the same again.
 */
#include "secret/checks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct secret_detector *find(struct bh_slice id)
{
	for (unsigned i = 0; i < secret_detectors_n; i++)
		if (bh_slice_eq_str(id, secret_detectors[i].id))
			return &secret_detectors[i];
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice id, from_text, len_text, head, around, input = { data, size };
	uint64_t from, len;
	if (!bh_slice_cut(input, '\n', &head, &around) || !bh_slice_cut(head, ' ', &id, &head) || !bh_slice_cut(head, ' ', &from_text, &len_text) ||
	    !bh_slice_u64(from_text, around.len, &from) || !bh_slice_u64(len_text, around.len - from, &len) || len == 0 || around.len > 2 * SECRET_WINDOW_BYTES)
		return 0;
	const struct secret_detector *detector = find(id);
	if (!detector || !detector->check)
		return 0;
	/* A copy of its own, so that a byte too many is seen. */
	uint8_t *copy = malloc(around.len);
	if (!copy)
		return 0;
	memcpy(copy, around.ptr, around.len);
	char said[2][SECRET_SAID_BYTES];
	enum secret_form form[2];
	struct bh_slice whole = { copy, around.len }, secret = bh_slice_sub(whole, from, len);
	bool placeholder = secret_is_placeholder(secret);
	for (int i = 0; i < 2; i++) {
		memset(said[i], 0, sizeof(said[i]));
		form[i] = detector->check(secret, whole, said[i]);
	}
	if (form[0] != form[1] || form[0] > SECRET_WRONG || memcmp(said[0], said[1], sizeof(said[0])) != 0 || said[0][SECRET_SAID_BYTES - 1] != '\0' || placeholder != secret_is_placeholder(secret))
		abort();
	free(copy);
	return 0;
}
