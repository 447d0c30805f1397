/* entropy.h: how much bytes vary. */
#ifndef BH_SECRET_ENTROPY_H
#define BH_SECRET_ENTROPY_H

#include "base/slice.h"

/* Shannon entropy in tenths of bits per byte, rounded down: 0 of "aaaa", 30 of eight different bytes. */
unsigned secret_entropy(struct bh_slice bytes);

#endif
