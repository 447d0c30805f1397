/* paths_compose.h: services of docker-compose files, for the two files that find facts about them. Nobody else includes it. */
#ifndef BH_KUBE_PATHS_COMPOSE_H
#define BH_KUBE_PATHS_COMPOSE_H

#include "kube/paths_collect.h"

#define COMPOSE_SERVICES_MAX 1000u /* of all files: each pair of them may share a network */

struct compose_service {
	struct paths_collect *c;
	const struct kube_object *file;
	struct bh_slice name;           /* "shop/web": project and service */
	struct cel_value value;         /* a map */
};

BH_VEC(compose_service_vec, struct compose_service)

/* A fact about a service (second: empty for none), with the place of one of its fields. */
int compose_give(const struct compose_service *s, const char *predicate, struct bh_slice second, const char *field) BH_MUST_CHECK;

/* A text of the file with what ${NAME:-text} stands for when NAME is not set; other variables stay as they are. Empty when it is no text. */
struct bh_slice compose_text(const struct compose_service *s, struct cel_value v);

/* Does the variable's name say that it is a secret, and has it a value? */
bool compose_names_secret(struct bh_slice variable, struct bh_slice value);

/* Secrets in the files that env_file names, as far as they lie beside. */
int compose_find_env_files(const struct compose_service *s) BH_MUST_CHECK;

/* Networks, published ports, the cloud's metadata service. */
int compose_find_network(const struct compose_service_vec *all) BH_MUST_CHECK;

#endif
