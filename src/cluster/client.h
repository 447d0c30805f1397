/* client.h: GET requests to one API server with the user's credentials. In the helper process only. */
#ifndef BH_CLUSTER_CLIENT_H
#define BH_CLUSTER_CLIENT_H

#include "cluster/kubeconfig.h"

#define CLUSTER_PAGE_BYTES_MAX (256u << 20)

struct cluster_client;

/* The access moves into the client. */
int cluster_client_new(struct cluster_access *access, struct cluster_client **ret, struct bh_err *err) BH_MUST_CHECK;
void cluster_client_free(struct cluster_client *c);

/* *ret_fd: the body of a 200 as a sealed file in memory, else -1 and `problem` is the start of the body. A 401 is tried again with fresh credentials. */
int cluster_client_get(struct cluster_client *c, const char *path, unsigned *ret_status, int *ret_fd, struct bh_buf *problem, struct bh_err *err) BH_MUST_CHECK;

#endif
