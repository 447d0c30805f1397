/* entropy.c: see entropy.h. */
#include "secret/entropy.h"

#include <math.h>

double secret_entropy_bits(struct bh_slice bytes)
{
	size_t counts[256] = { 0 };
	double bits = 0;
	for (size_t i = 0; i < bytes.len; i++)
		counts[bytes.ptr[i]]++;
	for (size_t i = 0; i < 256; i++) {
		double p = (double)counts[i] / (double)bytes.len;
		bits -= counts[i] ? p * log2(p) : 0;
	}
	return bytes.len ? bits : 0;
}

unsigned secret_entropy(struct bh_slice bytes)
{
	return (unsigned)(secret_entropy_bits(bytes) * 10 + 1e-9);
}
