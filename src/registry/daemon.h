/*
 * daemon.h: images and containers of daemons on this machine (or where DOCKER_HOST points), as image/remote.h wants them, in the
 * helper process.
 *
 *   docker:, podman:   HTTP over a socket:  /images/NAME/get         what docker save writes
 *   container:         the same:            /containers/ID/changes   the list of changes, /containers/ID/export  the file system
 *   containerd:        ctr images export    its own API is gRPC, for which Debian has no C library worth the name
 */
#ifndef BH_REGISTRY_DAEMON_H
#define BH_REGISTRY_DAEMON_H

#include "net/http.h"
#include "registry/broker.h"
#include "registry/reference.h"
#include "registry/remote.h"

#define DAEMON_PATH_BYTES 4096u

/* Where a daemon listens. */
struct daemon_address {
	char socket[DAEMON_PATH_BYTES]; /* empty: TCP */
	char base[DAEMON_PATH_BYTES];   /* "http://localhost", "https://build.example:2376" */
	char tls_folder[DAEMON_PATH_BYTES]; /* with ca.pem, cert.pem and key.pem; empty: none */
};

struct registry_daemon {
	enum registry_kind kind;
	char name[DAEMON_PATH_BYTES];   /* as the user gave it */
	char image[DAEMON_PATH_BYTES];  /* what to ask for: that name, or a container's image */
	char namespace[64];             /* of containerd */
	struct daemon_address address;
};

int registry_daemon_init(struct registry_daemon *d, enum registry_kind kind, const char *name, struct bh_err *err) BH_MUST_CHECK;
struct broker_backend registry_daemon_backend(struct registry_daemon *d);

/* Where a daemon with an HTTP interface listens. */
int registry_daemon_find(enum registry_kind kind, struct daemon_address *ret, struct bh_err *err) BH_MUST_CHECK;

/* GET path ("/info"), its body appended to out. BH_ENOTFOUND: 404; BH_EUNSUPPORTED: another refusal, as of what only a manager of a swarm knows. */
int registry_daemon_get(const struct daemon_address *a, const char *path, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* Is there a socket that could be asked? */
bool registry_daemon_runs(enum registry_kind kind);

#endif
