/* import_kyverno.h: what Kyverno's policies of today (import_kyverno.c) and of yesterday have in common. */
#ifndef BH_KUBE_IMPORT_KYVERNO_H
#define BH_KUBE_IMPORT_KYVERNO_H

#include "kube/import.h"

/* Where the Pod of an object is. */
#define KYVERNO_IN_CONTROLLERS "spec.template."
#define KYVERNO_IN_CRONJOBS "spec.jobTemplate.spec.template."

/* A text about a Pod as one about what makes it: object.spec becomes object.spec.template.spec; all texts of a list of maps. NULL path: as it is. */
struct cel_value kyverno_pod_text(struct import *im, struct bh_slice text, const char *path, bool keep_namespace);
struct cel_value kyverno_texts(struct import *im, const struct kube_object *o, struct cel_value list, const char *path, bool keep_namespace);

/* What the policy's annotation says, in our words; empty: nothing. */
struct bh_slice kyverno_severity(const struct kube_object *o);

/* A condition: the request is about the namespace of the policy. */
struct cel_value kyverno_in_namespace(struct import *im, const struct kube_object *o);

/* paramRef: null where the policy wants no parameters. */
void kyverno_bind(struct import *im, const struct kube_object *o, struct bh_slice policy, struct cel_value actions, struct cel_value param_ref);

#endif
