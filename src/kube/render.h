/*
 * render.h: folders whose files are no manifests yet: Helm charts and Kustomize folders. What is installed renders them, in a process of its own without
 * network, for a limited time; what comes out is a text like any other, read in the sandboxed child.
 */
#ifndef BH_KUBE_RENDER_H
#define BH_KUBE_RENDER_H

#include "base/err.h"

enum kube_template { KUBE_NO_TEMPLATE, KUBE_CHART, KUBE_KUSTOMIZATION };

/* By the file that makes a folder one. */
enum kube_template kube_template_of(const char *folder);

/* *ret_fd: the manifests, as a file in memory. BH_EUNSUPPORTED: nothing that renders it is installed, or it can't be kept from the network. */
int kube_render(enum kube_template kind, const char *folder, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

#endif
