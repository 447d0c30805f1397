/* rancher.h: k3s and RKE2, which start the components themselves: k3s all of them within one process, RKE2 the kubelet. */
#ifndef BH_COMPLY_RANCHER_H
#define BH_COMPLY_RANCHER_H

#include "comply/component.h"

/* Adds the components that a server or agent of k3s or RKE2 runs and nothing else has shown. */
int rancher_find(struct node *n, struct bh_err *err) BH_MUST_CHECK;

#endif
