/* match.h: does a policy or a binding want a request? (admissionregistration.k8s.io/v1, MatchResources) */
#ifndef BH_KUBE_MATCH_H
#define BH_KUBE_MATCH_H

#include "kube/request.h"

enum kube_match { KUBE_MATCH_NO, KUBE_MATCH_YES, KUBE_MATCH_UNKNOWN /* it depends on labels of a namespace that is not given */ };

/* `constraints`: matchConstraints or matchResources; null takes everything. */
enum kube_match kube_matches(struct cel_value constraints, const struct kube_request *request);

#endif
