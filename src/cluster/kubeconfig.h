/*
 * kubeconfig.h: where a cluster's API server is and who we are to it, from where kubectl takes it:
 *
 *   $KUBECONFIG (files, separated by colons), else ~/.kube/config, else the service account of the pod that we run in
 *
 * Merged as client-go does: of several files, the first that says something counts; names of files are relative to the file that names them.
 * Called in the helper process only (sys/helper.h): it starts the plug-ins that a user names with "exec" and holds what they answer.
 */
#ifndef BH_CLUSTER_KUBECONFIG_H
#define BH_CLUSTER_KUBECONFIG_H

#include "base/arena.h"
#include "base/buf.h"

#define CLUSTER_SECRET_BYTES (64u << 10)
#define CLUSTER_PEM_BYTES (1u << 20)

struct cluster_plugin;

struct cluster_access {
	struct bh_arena arena;            /* of all names */
	const char *context;              /* its name; "in-cluster" for a pod's own */
	const char *server;               /* URL without a slash at its end */
	const char *tls_name, *proxy;     /* NULL: as the URL says; as the environment says */
	bool insecure;
	struct bh_buf ca, certificate, key; /* PEM; empty: none */
	struct bh_buf token;
	struct bh_buf basic;              /* "USER:PASSWORD" */
	const char *token_file;           /* read anew each time, as tokens there are rotated; NULL = none */
	struct cluster_plugin *plugin;    /* NULL = none */
};

void cluster_access_init(struct cluster_access *a);
void cluster_access_done(struct cluster_access *a); /* wipes what is secret */

/* name: of a context; "" for the current one. BH_ENOTFOUND when there is none, BH_EMALFORMED with file and line for a damaged one. */
int cluster_access_find(const char *name, struct cluster_access *ret, struct bh_err *err) BH_MUST_CHECK;

/* Makes token or certificate fresh: from the token's file or the plug-in. Nothing to do for the others. */
int cluster_access_refresh(struct cluster_access *a, struct bh_err *err) BH_MUST_CHECK;

/* Would a refresh bring others? Worth another try when the server says 401. */
bool cluster_access_can_refresh(const struct cluster_access *a);

#endif
