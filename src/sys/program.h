/* program.h: other people's programs that are asked for something: credential helpers, containerd's ctr, kubectl's plug-ins. In a helper process (sys/helper.h), or where nothing hostile was read that could be in the way: a container engine on the user's behalf. */
#ifndef BH_SYS_PROGRAM_H
#define BH_SYS_PROGRAM_H

#include "base/buf.h"

#define BH_PROGRAM_COMPLAINT_BYTES 1600u /* a quarter of it as written: escapes are longer */
#define BH_PROGRAM_MISSING 127 /* exit code: not installed */

struct bh_program {
	const char *const *argv; /* NULL-terminated; the first is looked up in the PATH */
	struct bh_slice input;   /* its standard input; at most what a pipe holds (64 KiB) */
	int out_fd;              /* its standard output, unless */
	struct bh_buf *out;      /* ... this is not NULL */
};

/* Waits for its end. 0: *ret_code is its exit code and complaint what it wrote to standard error, cut and made safe. */
int bh_program_run(const struct bh_program *p, int *ret_code, char complaint[static BH_PROGRAM_COMPLAINT_BYTES], struct bh_err *err) BH_MUST_CHECK;

/* Programs that this process starts from now on, and itself, have no network. BH_EUNSUPPORTED: the system does not let it. */
int bh_leave_network(struct bh_err *err) BH_MUST_CHECK;

#endif
