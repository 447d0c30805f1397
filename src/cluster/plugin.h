/*
 * plugin.h: credential plug-ins of a kubeconfig ("exec", client.authentication.k8s.io/v1 and v1beta1): the user's own programs, such as a cloud's, that
 * print an ExecCredential. They get no terminal: whoever must be asked something asks with kubectl first.
 */
#ifndef BH_CLUSTER_PLUGIN_H
#define BH_CLUSTER_PLUGIN_H

#include "cluster/kubeconfig.h"
#include "format/yaml.h"

/* exec: the mapping; folder: of its file, for commands with a path. In the access's arena. */
int cluster_plugin_read(const struct bh_yaml_node *exec, const char *folder, struct cluster_access *a, struct bh_err *err) BH_MUST_CHECK;

/* Runs it and takes token or certificate and key. */
int cluster_plugin_run(struct cluster_access *a, struct bh_err *err) BH_MUST_CHECK;

#endif
