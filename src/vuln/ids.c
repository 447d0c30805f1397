/* ids.c: CVE ids, which have a form, and so fit into 32 bits. */
#include "vuln/file.h"

#include <stdio.h>

#define FIRST_YEAR 1990u
#define NUMBER_BITS 24
#define NUMBER_MAX ((1u << NUMBER_BITS) - 1)

/* Year and the digits behind it. */
static bool split(struct bh_slice id, uint64_t *ret_year, struct bh_slice *ret_number)
{
	struct bh_slice head = BH_SLICE_LIT("CVE-");
	if (!bh_slice_starts(id, head) || id.len < 13 || id.ptr[8] != '-' || !bh_slice_u64(bh_slice_sub(id, 4, 4), 9999, ret_year))
		return false;
	*ret_number = bh_slice_sub(id, 9, id.len);
	for (size_t i = 0; i < ret_number->len; i++)
		if (ret_number->ptr[i] < '0' || ret_number->ptr[i] > '9')
			return false;
	return true;
}

bool vuln_is_cve(struct bh_slice id)
{
	uint64_t year;
	struct bh_slice number;
	return split(id, &year, &number);
}

/* A number of more than four digits with a zero in front is no CVE's: packing must be reversible. */
bool vuln_cve_pack(struct bh_slice id, uint32_t *ret)
{
	uint64_t year, n;
	struct bh_slice number;
	if (!split(id, &year, &number) || year < FIRST_YEAR || year > FIRST_YEAR + 255 || !bh_slice_u64(number, NUMBER_MAX, &n) ||
	    (number.len > 4 && number.ptr[0] == '0'))
		return false;
	*ret = (uint32_t)(year - FIRST_YEAR) << NUMBER_BITS | (uint32_t)n;
	return true;
}

const char *vuln_cve_text(uint32_t packed, char out[24])
{
	(void)snprintf(out, 24, "CVE-%u-%04u", FIRST_YEAR + (packed >> NUMBER_BITS), packed & NUMBER_MAX);
	return out;
}
