/*
 * render.h: folders whose files are no manifests yet: Helm charts and Kustomize folders. What is installed renders them, in a process of its own without
 * network, for a limited time; what comes out is a text like any other, read in the sandboxed child.
 */
#ifndef BH_KUBE_RENDER_H
#define BH_KUBE_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define KUBE_VALUES_MAX 64u /* files with values, and words of --set, of one rendering */

enum kube_template { KUBE_NO_TEMPLATE, KUBE_CHART, KUBE_KUSTOMIZATION };

/* What a chart is rendered with; Kustomize takes none of it. Everything may be absent. */
struct kube_rendering {
	const char *const *values;  /* files: they are opened here, and helm gets descriptors, so that no name can mean an option or an address */
	size_t n_values;
	const char *const *sets;    /* "image.tag=1.2" */
	size_t n_sets;
	const char *release, *namespace;
	const char *version;        /* of Kubernetes: "1.34" */
	bool wants_chart;           /* the user said so for these paths: no chart among them is an error */
};

/* By the file that makes a folder one; *ret_file: its name; may be NULL. */
enum kube_template kube_template_of(const char *folder, const char **ret_file);

/* Is `name` the name of a file that makes a folder one of Kustomize's? */
bool kube_is_kustomization(const char *name, size_t len);

/*
 * *ret_fd: the manifests, as a file in memory. rendering may be NULL. BH_EUNSUPPORTED: nothing that renders it is installed, or it can't be kept from the
 * network. BH_EMALFORMED: what the program that renders complains about.
 */
int kube_render(enum kube_template kind, const char *folder, const struct kube_rendering *rendering, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

#endif
