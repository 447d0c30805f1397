/* cvss.h: reading the metrics of a CVSS vector, which all versions share. Private to cvss.c and cvss4.c; scores are asked for in builder.h. */
#ifndef BH_VULN_CVSS_H
#define BH_VULN_CVSS_H

#include "base/slice.h"

#define CVSS_METRICS_MAX 32

struct cvss_metric {
	const char *name;
	const char *values;    /* one letter each, or words separated by blanks when `words` */
	const double *weights; /* of base metrics up to v3, in the order of values */
	bool words;
};

/*
 * "AV:N/AC:L/..." -> the index of each metric's value, -1 for those that are not there. False when it holds anything unknown, a metric
 * twice, or lacks one of the first n_base.
 */
bool cvss_read_vector(struct bh_slice vector, const struct cvss_metric *metrics, size_t n, size_t n_base, int values[CVSS_METRICS_MAX]);

/* The vector behind "CVSS:4.0/"; all its metrics count. */
bool cvss4_score(struct bh_slice vector, uint16_t *ret_tenths);

#endif
