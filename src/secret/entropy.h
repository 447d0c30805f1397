/* entropy.h: how much bytes vary. */
#ifndef BH_SECRET_ENTROPY_H
#define BH_SECRET_ENTROPY_H

#include "base/slice.h"

/* Shannon entropy in bits per byte: 0 of "aaaa", 3 of eight different bytes. */
double secret_entropy_bits(struct bh_slice bytes);

/* The same in tenths, rounded down. */
unsigned secret_entropy(struct bh_slice bytes);

#endif
