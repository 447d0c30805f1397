/*
 * client.h: requests to one endpoint of a registry, logged in as it asks (distribution-spec; Docker's token specification):
 *
 *   GET ─► 401, WWW-Authenticate: Bearer realm=...  ─► GET realm?service&scope, with what the user has ─► token ─► GET
 *          401, WWW-Authenticate: Basic             ─► GET with user and password
 *
 * One login per request: a registry that answers 401 to a fresh one refuses. Lives in the helper process; it holds credentials.
 */
#ifndef BH_REGISTRY_CLIENT_H
#define BH_REGISTRY_CLIENT_H

#include "net/http.h"
#include "registry/endpoints.h"
#include "registry/options.h"

struct registry_client;

int registry_client_new(const struct registry_endpoint *endpoint, const struct registry_options *options, struct registry_client **ret,
			struct bh_err *err)
	BH_MUST_CHECK;
void registry_client_free(struct registry_client *c);

/* In a process forked off: connections are not shared with the one that made them. */
int registry_client_renew(struct registry_client *c, struct bh_err *err) BH_MUST_CHECK;

const struct registry_endpoint *registry_client_endpoint(const struct registry_client *c);

/*
 * GET of "manifests/...", "blobs/..." or "referrers/..." below the endpoint's repository. like: headers, limits and sink; its URL
 * and authorization are filled in here. What is not 2xx is an error that names what, 404 as BH_ENOTFOUND.
 */
int registry_client_get(struct registry_client *c, const char *what, const struct net_request *like, struct net_response *resp, struct bh_err *err)
	BH_MUST_CHECK;

/* WWW-Authenticate: value of a parameter of the first challenge of that scheme. For tests, too. */
bool registry_challenge(struct bh_slice header, const char *scheme, const char *parameter, struct bh_slice *ret);

#endif
