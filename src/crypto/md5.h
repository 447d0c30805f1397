/*
 * md5.h: MD5 (RFC 1321) of many texts side by side. A text's MD5 is a chain of steps that wait for each other, at 0.7 GB/s whatever the machine; sixteen chains in the lanes of
 * vectors run at a multiple of that. For the comparison with package managers' records (crypto/digest.h), which prove nothing more.
 */
#ifndef BH_CRYPTO_MD5_H
#define BH_CRYPTO_MD5_H

#include "base/slice.h"

#define BH_MD5_BYTES 16u

struct bh_md5_text {
	struct bh_slice bytes; /* borrowed */
	uint8_t *md5;          /* where its BH_MD5_BYTES go */
};

/* Their order changes: the longest come first. Fastest where none is much longer than a sixteenth of all. */
void bh_md5_many(struct bh_md5_text *texts, size_t n);

/* The same in one of the ways there are, of which the one that runs is the last this processor can: 0 is that of all of them. False: it can't do this one. For tests. */
bool bh_md5_many_by(unsigned way, struct bh_md5_text *texts, size_t n);

#endif
