/*
 * lib_authz.c: the authorizer of Kubernetes (apiserver, library/authz.go): may this user do that? Only a cluster knows. Here are the declarations; who
 * evaluates without one gives the variable `authorizer` as unknown, and what depends on it stays unknown.
 */
#include "policy/cel/library.h"

#define PREFIX "kubernetes.authorization."
#define AUTHORIZER PREFIX "Authorizer"
#define PATH_CHECK PREFIX "PathCheck"
#define GROUP_CHECK PREFIX "GroupCheck"
#define RESOURCE_CHECK PREFIX "ResourceCheck"
#define DECISION PREFIX "Decision"

static const struct cel_overload overloads[] = {
	{ "path", "authorizer_path", AUTHORIZER ".(string) -> " PATH_CHECK, NULL, NULL },
	{ "group", "authorizer_group", AUTHORIZER ".(string) -> " GROUP_CHECK, NULL, NULL },
	{ "serviceAccount", "authorizer_serviceaccount", AUTHORIZER ".(string, string) -> " AUTHORIZER, NULL, NULL },
	{ "resource", "groupcheck_resource", GROUP_CHECK ".(string) -> " RESOURCE_CHECK, NULL, NULL },
	{ "subresource", "resourcecheck_subresource", RESOURCE_CHECK ".(string) -> " RESOURCE_CHECK, NULL, NULL },
	{ "namespace", "resourcecheck_namespace", RESOURCE_CHECK ".(string) -> " RESOURCE_CHECK, NULL, NULL },
	{ "name", "resourcecheck_name", RESOURCE_CHECK ".(string) -> " RESOURCE_CHECK, NULL, NULL },
	{ "check", "pathcheck_check", PATH_CHECK ".(string) -> " DECISION, NULL, NULL },
	{ "check", "resourcecheck_check", RESOURCE_CHECK ".(string) -> " DECISION, NULL, NULL },
	{ "errored", "decision_errored", DECISION ".() -> bool", NULL, NULL },
	{ "error", "decision_error", DECISION ".() -> string", NULL, NULL },
	{ "allowed", "decision_allowed", DECISION ".() -> bool", NULL, NULL },
	{ "reason", "decision_reason", DECISION ".() -> string", NULL, NULL },
	{ 0 },
};

static const struct cel_overload selector_overloads[] = {
	{ "fieldSelector", "authorizer_fieldselector", RESOURCE_CHECK ".(string) -> " RESOURCE_CHECK, NULL, NULL },
	{ "labelSelector", "authorizer_labelselector", RESOURCE_CHECK ".(string) -> " RESOURCE_CHECK, NULL, NULL },
	{ 0 },
};

const struct cel_library cel_library_authz = { .name = "authz", .overloads = overloads };
const struct cel_library cel_library_authz_selectors = { .name = "authz_selectors", .overloads = selector_overloads };
