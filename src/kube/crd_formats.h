/* crd_formats.h: formats of strings that an API server checks in custom resources (apiextensions-apiserver, apiserver/validation/formats.go; kube-openapi, strfmt). */
#ifndef BH_KUBE_CRD_FORMATS_H
#define BH_KUBE_CRD_FORMATS_H

#include "base/slice.h"
#include "base/arena.h"
#include "format/regex.h"
#include "policy/cel/time.h"

#define CRD_FORMATS_MAX 64u

/* The expressions of formats that were asked for. */
struct crd_formats {
	struct bh_regex *kept[CRD_FORMATS_MAX];
};
void crd_formats_done(struct crd_formats *f);

/* Is the text of the format? Formats that Kubernetes 1.MINOR does not know take everything. BH_ENOMEM is the only error. */
int crd_format_fits(struct crd_formats *f, struct bh_slice format, unsigned minor, struct bh_slice text, bool *ret, struct bh_err *err) BH_MUST_CHECK;

/* "1h30m" as Go reads it, and "2 days 3 hours". */
bool crd_duration(struct bh_slice text, struct cel_time *ret);
bool crd_date_time(struct bh_slice text, struct cel_time *ret);
bool crd_date(struct bh_slice text, struct cel_time *ret);

#endif
