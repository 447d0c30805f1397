/* crd_faults.h: telling what is wrong with custom resources and their definitions, each at its place. */
#ifndef BH_KUBE_CRD_FAULTS_H
#define BH_KUBE_CRD_FAULTS_H

#include "kube/schema.h"

#define CRD_MESSAGE_BYTES_MAX 2048u
#define CRD_NAME_BYTES_MAX 160u

/* A value, and where it stands in the document: a field of `container`, or an element (no field). What a default made stands where its object does. */
struct crd_spot {
	struct cel_value value;   /* with defaults */
	struct cel_value written; /* as it stands in the document; null: nowhere */
	const void *container;
	struct bh_slice field;
	struct bh_slice name;     /* what messages call it */
};

struct crd_spot crd_field_spot(const struct crd_spot *of, const struct cel_entry *e);
struct crd_spot crd_item_spot(const struct crd_spot *of, size_t i, char name[CRD_NAME_BYTES_MAX]); /* its name lies there */

/* Prints and tells: the taker's own return. */
int crd_tell(const struct kube_fault_taker *taker, enum kube_fault fault, const void *container, struct bh_slice field, struct bh_err *err, const char *format, ...)
	BH_PRINTF(6, 7);

#endif
