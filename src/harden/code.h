/* code.h: an ELF file's bytes to what it can ask of the kernel (binary.h). x86-64 and AArch64; of others only names are read. Sandboxed child only. */
#ifndef BH_HARDEN_CODE_H
#define BH_HARDEN_CODE_H

#include "harden/binary.h"

/* Is this the beginning of an ELF file? */
static inline bool code_is_elf(struct bh_slice head)
{
	return bh_slice_starts(head, BH_SLICE_LIT("\177ELF"));
}

/* Slices of *ret point into file. ret is initialised here, and to be released whatever this returns. */
int code_read(struct bh_slice file, struct binary *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
