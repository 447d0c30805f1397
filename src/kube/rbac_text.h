/* rbac_text.h: roles, bindings and rules in the words in which all commands say them. */
#ifndef BH_KUBE_RBAC_TEXT_H
#define BH_KUBE_RBAC_TEXT_H

#include "base/buf.h"
#include "kube/rbac.h"


/* "ClusterRole admin", "Role shop/reader"; of one that is not there the name its binding gives. */
void rbac_print_role(struct bh_buf *out, const struct rbac_binding *b);

/* "ClusterRoleBinding admins", "RoleBinding shop/readers" */
void rbac_print_binding(struct bh_buf *out, const struct rbac_binding *b);

/* "rbac.yaml:7" of a rule, "default" of one that the API server brings. */
void rbac_print_place(struct bh_buf *out, const struct rbac_rule *rule);

void rbac_print_binding_place(struct bh_buf *out, const struct rbac_binding *b);

/* "get, list" */
void rbac_print_words(struct bh_buf *out, struct rbac_words words);

/* "pods", "deployments.apps/scale", "*.*": as kubectl auth can-i --list. */
void rbac_print_resource(struct bh_buf *out, struct bh_slice group, struct bh_slice resource);

/* All of the rule, or its URLs: "pods, pods/log", "/healthz". */
void rbac_print_resources(struct bh_buf *out, const struct rbac_rule *rule);

/* "get pods/log in shop named web", "get /version" */
void rbac_print_request(struct bh_buf *out, const struct rbac_request *q);

#endif
