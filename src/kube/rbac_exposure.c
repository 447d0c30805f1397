#include "kube/rbac_exposure.h"

#include "kube/workload.h"

#define ARENA_BYTES_MAX (64u << 20)
#define SERVICES_MAX 100000u
#define PAIRS_MAX 50000000u /* services x workloads: a second */
#define KEY_BYTES_MAX 2048u

/* A service that leads from the outside, and by what. */
struct door {
	const struct kube_object *service;
	const char *how;
};
BH_VEC(door_vec, struct door)

struct finding {
	struct rbac_exposure *x;
	const struct kube_object_vec *all;
	struct kube_workload_vec workloads;
	struct bh_map routed; /* "namespace/service" -> kind of what routes to it */
	struct door_vec doors;
};

static const char *make_key(struct bh_arena *arena, struct bh_slice namespace, struct bh_slice name)
{
	return bh_arena_printf(arena, "%.*s/%.*s", BH_SLICE_FMT(namespace), BH_SLICE_FMT(name));
}

/* ---- which services lead in ---- */

static bool add_routed(struct finding *f, const struct kube_object *o, struct bh_slice service)
{
	const char *key = service.len ? make_key(&f->x->arena, kube_namespace(o), service) : "";
	void **at = key && *key ? bh_map_put(&f->routed, bh_slice_str(key)) : NULL;
	if (at)
		*at = (void *)(uintptr_t)o;
	return key && (at || !*key);
}

static struct bh_slice ingress_service(struct cel_value backend)
{
	struct bh_slice name = kube_text(backend, "service.name");
	return name.len ? name : kube_text(backend, "serviceName"); /* extensions/v1beta1 */
}

static bool read_ingress(struct finding *f, const struct kube_object *o)
{
	struct cel_value rules = kube_path(o->value, "spec.rules");
	bool ok = add_routed(f, o, ingress_service(kube_path(o->value, "spec.defaultBackend"))) && add_routed(f, o, ingress_service(kube_path(o->value, "spec.backend")));
	for (size_t i = 0; ok && i < kube_length(rules); i++) {
		struct cel_value paths = kube_path(rules.list->items[i], "http.paths");
		for (size_t k = 0; ok && k < kube_length(paths); k++)
			ok = add_routed(f, o, ingress_service(kube_get(paths.list->items[k], "backend")));
	}
	return ok;
}

static bool read_route(struct finding *f, const struct kube_object *o)
{
	struct cel_value rules = kube_path(o->value, "spec.rules");
	bool ok = true;
	for (size_t i = 0; ok && i < kube_length(rules); i++) {
		struct cel_value refs = kube_get(rules.list->items[i], "backendRefs");
		for (size_t k = 0; ok && k < kube_length(refs); k++)
			ok = add_routed(f, o, kube_text(refs.list->items[k], "name"));
	}
	return ok;
}

static bool read_routes(struct finding *f)
{
	static const char *const routes[] = { "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", NULL };
	bool ok = true;
	for (size_t i = 0; ok && i < f->all->len; i++) {
		const struct kube_object *o = &f->all->ptr[i];
		if (bh_slice_eq_str(o->kind, "Ingress"))
			ok = read_ingress(f, o);
		else if (bh_slice_is_one_of(o->kind, routes))
			ok = read_route(f, o);
	}
	return ok;
}

static const char *how_open(struct finding *f, const struct kube_object *service)
{
	struct bh_slice type = kube_text(service->value, "spec.type");
	struct cel_value external = kube_path(service->value, "spec.externalIPs");
	if (bh_slice_eq_str(type, "LoadBalancer") || bh_slice_eq_str(type, "NodePort"))
		return bh_arena_printf(&f->x->arena, "%.*s %.*s/%.*s", BH_SLICE_FMT(type), BH_SLICE_FMT(kube_namespace(service)), BH_SLICE_FMT(service->name));
	if (kube_length(external))
		return "externalIPs of its service";
	const char *key = make_key(&f->x->arena, kube_namespace(service), service->name);
	const struct kube_object *by = key ? bh_map_get(&f->routed, bh_slice_str(key)) : NULL;
	return by ? bh_arena_printf(&f->x->arena, "%.*s %.*s/%.*s", BH_SLICE_FMT(by->kind), BH_SLICE_FMT(kube_namespace(by)), BH_SLICE_FMT(by->name)) : NULL;
}

static bool read_services(struct finding *f)
{
	for (size_t i = 0; i < f->all->len; i++) {
		const struct kube_object *o = &f->all->ptr[i];
		if (!bh_slice_eq_str(o->kind, "Service") || o->group.len || kube_path(o->value, "spec.selector").kind != CEL_MAP)
			continue;
		struct door door = { o, how_open(f, o) };
		if (door.how && !door_vec_push(&f->doors, door))
			return false;
	}
	return true;
}

/* ---- which workloads they lead to ---- */

static bool has_host_port(struct cel_value spec)
{
	struct cel_value containers = kube_get(spec, "containers");
	for (size_t i = 0; i < kube_length(containers); i++) {
		struct cel_value ports = kube_get(containers.list->items[i], "ports");
		for (size_t k = 0; k < kube_length(ports); k++)
			if (kube_get(ports.list->items[k], "hostPort").kind == CEL_INT)
				return true;
	}
	return false;
}

static const char *way_in(const struct finding *f, const struct kube_workload *w)
{
	if (cel_is_true(kube_get(w->spec, "hostNetwork")))
		return "the node's network";
	if (has_host_port(w->spec))
		return "a port of the node";
	for (size_t i = 0; i < f->doors.len; i++)
		if (kube_service_selects(f->doors.ptr[i].service, w))
			return f->doors.ptr[i].how;
	return NULL;
}

static bool is_false(struct cel_value v)
{
	return v.kind == CEL_BOOL && !v.boolean;
}

/* The pod's word counts before the account's. */
static bool holds_token(const struct finding *f, const struct kube_workload *w, struct bh_slice account)
{
	struct cel_value of_pod = kube_get(w->spec, "automountServiceAccountToken");
	if (of_pod.kind == CEL_BOOL)
		return of_pod.boolean;
	for (size_t i = 0; i < f->all->len; i++) {
		const struct kube_object *o = &f->all->ptr[i];
		if (bh_slice_eq_str(o->kind, "ServiceAccount") && bh_slice_eq(o->name, account) && bh_slice_eq(kube_namespace(o), w->namespace))
			return !is_false(kube_get(o->value, "automountServiceAccountToken"));
	}
	return true;
}

static bool add_account(struct finding *f, const struct kube_workload *w)
{
	struct bh_slice account = kube_text(w->spec, "serviceAccountName");
	const char *how = way_in(f, w);
	if (account.len == 0)
		account = BH_SLICE_LIT("default");
	const char *key = how ? make_key(&f->x->arena, w->namespace, account) : NULL;
	if (!how || (key && bh_map_get(&f->x->accounts, bh_slice_str(key))) || !holds_token(f, w, account))
		return true;
	char *text = bh_arena_printf(&f->x->arena, "%.*s %.*s/%.*s through %s", BH_SLICE_FMT(w->kind), BH_SLICE_FMT(w->namespace), BH_SLICE_FMT(w->name), how);
	void **at = key ? bh_map_put(&f->x->accounts, bh_slice_str(key)) : NULL;
	if (at)
		*at = text;
	return at && text;
}

static bool find(struct finding *f)
{
	bool ok = read_routes(f) && read_services(f) && f->doors.len * f->workloads.len <= PAIRS_MAX;
	for (size_t i = 0; ok && i < f->workloads.len; i++)
		ok = add_account(f, &f->workloads.ptr[i]);
	return ok;
}

int rbac_exposure_find(const struct kube_object_vec *all, struct rbac_exposure *ret, struct bh_err *err)
{
	struct finding f = { .x = ret, .all = all, .workloads = { .max = KUBE_WORKLOADS_MAX }, .doors = { .max = SERVICES_MAX } };
	bh_arena_init(&ret->arena, ARENA_BYTES_MAX);
	bh_map_init(&ret->accounts, KUBE_WORKLOADS_MAX);
	bh_map_init(&f.routed, SERVICES_MAX);
	int rc = kube_workloads(all, &f.workloads, err);
	if (rc == 0 && !find(&f))
		rc = bh_fail(err, BH_ELIMIT, 0, "too many services and workloads to tell which are exposed");
	kube_workload_vec_done(&f.workloads);
	door_vec_done(&f.doors);
	bh_map_done(&f.routed);
	if (rc < 0)
		rbac_exposure_done(ret);
	return rc;
}

void rbac_exposure_done(struct rbac_exposure *x)
{
	bh_map_done(&x->accounts);
	bh_arena_done(&x->arena);
}

const char *rbac_exposure_of(const struct rbac_exposure *x, struct bh_slice namespace, struct bh_slice name)
{
	uint8_t key[KEY_BYTES_MAX];
	if (namespace.len + 1 + name.len > sizeof(key) || namespace.len == 0 || name.len == 0)
		return NULL;
	memcpy(key, namespace.ptr, namespace.len);
	key[namespace.len] = '/';
	memcpy(key + namespace.len + 1, name.ptr, name.len);
	return bh_map_get(&x->accounts, (struct bh_slice){ key, namespace.len + 1 + name.len });
}
