/*
 * secrets.h: the user's credentials for one registry, from where docker, podman and skopeo keep theirs:
 *
 *   $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, $XDG_RUNTIME_DIR/containers/auth.json,
 *   ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json, ~/.docker/config.json; the first that knows the registry counts
 *
 * In each: auths (also by path: "quay.io/team"), identitytoken, credHelpers, credsStore. Helpers are the programs
 * docker-credential-NAME of the PATH, asked as docker asks them. Called in the helper process only (sys/helper.h).
 */
#ifndef BH_REGISTRY_SECRETS_H
#define BH_REGISTRY_SECRETS_H

#include "base/buf.h"

#define REGISTRY_SECRET_BYTES (16u << 10) /* cloud registries' passwords are tokens of up to 4 KB */

struct registry_secret {
	struct bh_buf user, password, identity_token; /* all empty: none is known */
};

void registry_secret_init(struct registry_secret *s);
void registry_secret_done(struct registry_secret *s); /* wipes them, too */

/* host, path: of the endpoint. 0 also when there are none. Fails on a damaged file or a helper that fails. */
int registry_secret_find(const char *host, const char *path, struct registry_secret *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
