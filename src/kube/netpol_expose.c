/*
 * netpol_expose.c: what lets the outside in: Ingress and OpenShift's Route, routes of the Gateway API, and services that a load balancer, a port of the
 * nodes or an external address reaches. All of them name services, and services select workloads and ports of theirs.
 */
#include "kube/netpol_model.h"


/* Where the ports of each workload go. */
struct exposing {
	struct netpol *n;
	struct kube_ports *ports;
};

/* A service's port by number, name or target (null: all its ports), at a workload that it selects. */
static int join_service(struct netpol *n, struct cel_value service, struct cel_value wanted, const struct kube_workload *to, struct kube_ports *into)
{
	struct cel_value ports = kube_path(service, "spec.ports");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(ports); i++) {
		struct cel_value p = ports.list->items[i], target = kube_get(p, "targetPort"), name = kube_get(p, "name"), number = kube_get(p, "port");
		enum kube_protocol protocol = netpol_protocol(p);
		if (wanted.kind != CEL_NULL && !cel_equal(wanted, number) && !cel_equal(wanted, name) && !cel_equal(wanted, target))
			continue;
		target = target.kind == CEL_NULL ? number : target;
		if (target.kind == CEL_STRING)
			rc = netpol_join_named(n, &protocol, target.text, to, into);
		else
			rc = netpol_join_range(n, protocol, netpol_port_number(target), netpol_port_number(target), into);
	}
	return rc;
}

const struct kube_object *netpol_find_service(const struct netpol *n, struct bh_slice namespace, struct bh_slice name)
{
	for (size_t i = 0; i < n->all->len; i++) {
		const struct kube_object *o = &n->all->ptr[i];
		if (bh_slice_eq(o->name, name) && bh_slice_eq_str(o->kind, "Service") && o->group.len == 0 && bh_slice_eq(kube_namespace(o), namespace))
			return o;
	}
	return NULL;
}

int netpol_service_ports(struct netpol *n, const struct kube_object *service, struct cel_value wanted, size_t workload, struct kube_ports *ret)
{
	*ret = kube_ports_none();
	return join_service(n, service->value, wanted, &n->workloads.ptr[workload], ret);
}

static int expose_service(const struct exposing *x, const struct kube_object *service, struct cel_value port)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < x->n->workloads.len; i++)
		if (kube_service_selects(service, &x->n->workloads.ptr[i]))
			rc = join_service(x->n, service->value, port, &x->n->workloads.ptr[i], &x->ports[i]);
	return rc;
}

static int expose(const struct exposing *x, struct bh_slice namespace, struct bh_slice name, struct cel_value port)
{
	const struct kube_object *service = name.len ? netpol_find_service(x->n, namespace, name) : NULL;
	return service ? expose_service(x, service, port) : 0;
}

/* ---- Ingress, Route ---- */

/* networking.k8s.io/v1 and the versions before it name a backend differently. */
static int expose_backend(const struct exposing *x, const struct kube_object *by, struct cel_value backend)
{
	struct bh_slice name = kube_text(backend, "service.name");
	struct cel_value port = kube_path(backend, "service.port.number");
	if (port.kind == CEL_NULL)
		port = kube_path(backend, "service.port.name");
	if (name.len == 0) {
		name = kube_text(backend, "serviceName");
		port = kube_get(backend, "servicePort");
	}
	return expose(x, kube_namespace(by), name, port);
}

static int expose_ingress(const struct exposing *x, const struct kube_object *o)
{
	struct cel_value rules = kube_path(o->value, "spec.rules");
	int rc = expose_backend(x, o, kube_path(o->value, "spec.defaultBackend"));
	rc = rc < 0 ? rc : expose_backend(x, o, kube_path(o->value, "spec.backend"));
	for (size_t i = 0; rc == 0 && i < kube_length(rules); i++) {
		struct cel_value paths = kube_path(rules.list->items[i], "http.paths");
		for (size_t k = 0; rc == 0 && k < kube_length(paths); k++)
			rc = expose_backend(x, o, kube_get(paths.list->items[k], "backend"));
	}
	return rc;
}

static int expose_route(const struct exposing *x, const struct kube_object *o)
{
	struct cel_value port = kube_path(o->value, "spec.port.targetPort"), more = kube_path(o->value, "spec.alternateBackends");
	int rc = expose(x, kube_namespace(o), kube_text(o->value, "spec.to.name"), port);
	for (size_t i = 0; rc == 0 && i < kube_length(more); i++)
		rc = expose(x, kube_namespace(o), kube_text(more.list->items[i], "name"), port);
	return rc;
}

/* ---- Gateway API ---- */

static bool list_names(struct cel_value list, const char *kind_field, struct bh_slice kind, const char *text_field, struct bh_slice text)
{
	for (size_t i = 0; i < kube_length(list); i++) {
		struct bh_slice wanted = kube_text(list.list->items[i], text_field);
		if (bh_slice_eq(kube_text(list.list->items[i], kind_field), kind) && (wanted.len == 0 || bh_slice_eq(wanted, text)))
			return true;
	}
	return false;
}

/* A route names a service of another namespace only where that namespace grants it. */
static bool is_granted(const struct netpol *n, const struct kube_object *route, struct bh_slice namespace, struct bh_slice name)
{
	for (size_t i = 0; i < n->all->len; i++) {
		const struct kube_object *o = &n->all->ptr[i];
		if (bh_slice_eq_str(o->kind, "ReferenceGrant") && bh_slice_eq(kube_namespace(o), namespace)
		    && list_names(kube_path(o->value, "spec.from"), "kind", route->kind, "namespace", kube_namespace(route))
		    && list_names(kube_path(o->value, "spec.to"), "kind", BH_SLICE_LIT("Service"), "name", name))
			return true;
	}
	return false;
}

static int expose_reference(const struct exposing *x, const struct kube_object *route, struct cel_value ref)
{
	struct bh_slice kind = kube_text(ref, "kind"), name = kube_text(ref, "name"), namespace = kube_text(ref, "namespace");
	if ((kind.len && !bh_slice_eq_str(kind, "Service")) || kube_text(ref, "group").len)
		return 0;
	if (namespace.len == 0 || bh_slice_eq(namespace, kube_namespace(route)))
		return expose(x, kube_namespace(route), name, kube_get(ref, "port"));
	return is_granted(x->n, route, namespace, name) ? expose(x, namespace, name, kube_get(ref, "port")) : 0;
}

/* Routes whose parents are services are a mesh's: they let nobody in. */
static bool has_gateway(const struct kube_object *route)
{
	struct cel_value parents = kube_path(route->value, "spec.parentRefs");
	for (size_t i = 0; i < kube_length(parents); i++)
		if (!bh_slice_eq_str(kube_text(parents.list->items[i], "kind"), "Service"))
			return true;
	return false;
}

static int expose_gateway_route(const struct exposing *x, const struct kube_object *route)
{
	struct cel_value rules = kube_path(route->value, "spec.rules");
	int rc = 0;
	for (size_t i = 0; rc == 0 && has_gateway(route) && i < kube_length(rules); i++) {
		struct cel_value refs = kube_get(rules.list->items[i], "backendRefs");
		for (size_t k = 0; rc == 0 && k < kube_length(refs); k++)
			rc = expose_reference(x, route, refs.list->items[k]);
	}
	return rc;
}

/* ---- all of them ---- */

static int by_ingress(const struct exposing *x, const struct kube_object *o)
{
	if (bh_slice_eq_str(o->kind, "Ingress"))
		return expose_ingress(x, o);
	return bh_slice_eq_str(o->kind, "Route") ? expose_route(x, o) : 0;
}

static int by_gateway(const struct exposing *x, const struct kube_object *o)
{
	static const char *const kinds[] = { "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", NULL };
	return bh_slice_is_one_of(o->kind, kinds) && bh_slice_eq_str(o->group, "gateway.networking.k8s.io") ? expose_gateway_route(x, o) : 0;
}

static int expose_all(struct netpol *n, const char *source, int (*by)(const struct exposing *x, const struct kube_object *o),
		      int (*each)(void *ctx, const struct netpol_exposure *e), void *ctx)
{
	struct exposing x = { n, bh_arena_array(&n->scratch, n->workloads.len + 1, sizeof(struct kube_ports)) };
	int rc = x.ports ? 0 : netpol_no_memory(n);
	for (size_t i = 0; rc == 0 && i < n->all->len; i++)
		rc = by(&x, &n->all->ptr[i]);
	const struct netpol_exposure e = { .source = bh_slice_str(source), .ports = x.ports };
	return rc < 0 ? rc : each(ctx, &e);
}

/* How a service lets the outside in; NULL: it does not. */
static const char *outside_of(const struct kube_object *o)
{
	struct bh_slice type = kube_text(o->value, "spec.type");
	if (!bh_slice_eq_str(o->kind, "Service") || o->group.len)
		return NULL;
	if (bh_slice_eq_str(type, "LoadBalancer"))
		return "LoadBalancer";
	if (bh_slice_eq_str(type, "NodePort"))
		return "NodePort";
	return kube_length(kube_path(o->value, "spec.externalIPs")) ? "externalIPs" : NULL;
}

static int expose_outside(struct netpol *n, const struct kube_object *o, const char *how, int (*each)(void *ctx, const struct netpol_exposure *e), void *ctx)
{
	struct exposing x = { n, bh_arena_array(&n->scratch, n->workloads.len + 1, sizeof(struct kube_ports)) };
	const char *source = bh_arena_printf(&n->arena, "{%s %.*s/%.*s}", how, BH_SLICE_FMT(kube_namespace(o)), BH_SLICE_FMT(o->name));
	if (!x.ports || !source)
		return netpol_no_memory(n);
	int rc = expose_service(&x, o, cel_null());
	const struct netpol_exposure e = { .source = bh_slice_str(source), .from_outside = true, .ports = x.ports };
	return rc < 0 ? rc : each(ctx, &e);
}

int netpol_exposures(struct netpol *n, bool services, int (*each)(void *ctx, const struct netpol_exposure *e), void *ctx)
{
	int rc = expose_all(n, "{ingress-controller}", by_ingress, each, ctx);
	rc = rc < 0 ? rc : expose_all(n, "{gateway-controller}", by_gateway, each, ctx);
	for (size_t i = 0; rc == 0 && services && i < n->all->len; i++) {
		const char *how = outside_of(&n->all->ptr[i]);
		if (how)
			rc = expose_outside(n, &n->all->ptr[i], how, each, ctx);
	}
	return rc;
}
