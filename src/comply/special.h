/* special.h: questions about a component that look at more than one setting; named in settings.def. */
#ifndef BH_COMPLY_SPECIAL_H
#define BH_COMPLY_SPECIAL_H

#include "comply/settings.h"

setting_special special_encryption_providers, special_apiserver_ciphers, special_kubelet_ciphers, special_kubelet_tls, special_etcd_own_ca, special_audit_policy,
	special_audit_coverage;
setting_special special_containerd_api, special_containerd_selinux, special_containerd_hosts, special_podman_api, special_podman_subordinate_ids, special_podman_short_names,
	special_podman_policy;

#endif
