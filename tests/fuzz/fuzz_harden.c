/*
 * fuzz_harden.c: any bytes as a program or library: the analysis ends, and its summary is one that the parent takes; any bytes as such a summary.
 * The first byte decides which.
 */
#include "harden/code.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_summary(struct bh_slice wire)
{
	struct binary b;
	if (binary_get(wire, &b)) {
		struct bh_buf again;
		bh_buf_init(&again, BINARY_WIRE_BYTES_MAX);
		if (!binary_put(&again, &b))
			abort();
		bh_buf_done(&again);
	}
	binary_done(&b);
}

static void check_program(struct bh_slice file)
{
	struct binary b, taken;
	struct bh_err err = { 0 };
	struct bh_buf wire;
	bh_buf_init(&wire, BINARY_WIRE_BYTES_MAX);
	int rc = code_read(file, &b, &err);
	if (rc < 0 && (err.code != rc || err.text[0] == '\0'))
		abort();
	if (rc == 0 && binary_put(&wire, &b)) {
		if (!binary_get(bh_buf_slice(&wire), &taken))
			abort();
		binary_done(&taken);
	}
	binary_done(&b);
	bh_buf_done(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] == 'S')
		check_summary((struct bh_slice){ data + 1, size - 1 });
	else
		check_program((struct bh_slice){ data, size });
	return 0;
}
