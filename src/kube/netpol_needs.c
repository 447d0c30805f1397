#include "kube/netpol_needs.h"

#include "kube/netpol_print.h"

#define VALUE_BYTES_MAX (256u << 10) /* of a text in which services are looked for */
#define EVIDENCE_BYTES_MAX 1024u
#define HOST_PARTS_MAX 5u            /* svc.ns.svc.cluster.local */
#define SERVICES_MAX KUBE_OBJECTS_MAX

struct needing {
	struct netpol *n;
	struct netpol_need_vec *out;
	struct bh_map services;           /* "shop/db" -> object */
	struct bh_map config_maps;
	struct netpol_peer world[2];      /* all addresses of a version, whatever tells them apart */
	/* Where a text is that is being looked through: */
	const struct netpol_peer *from;
	const struct kube_object *object;
	struct cel_value part;
	const char *field;
	struct bh_slice what, name;       /* "env", "DB_HOST" */
};

static int too_many(struct netpol *n)
{
	return bh_fail(n->err, BH_ELIMIT, 0, "more than %u needed connections", NETPOL_NEEDS_MAX);
}

/* ---- needs ---- */

static bool keep_ports(struct netpol *n, const struct kube_ports *ports, struct kube_ports *ret)
{
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++) {
		struct kube_run *list = bh_arena_array(&n->arena, ports->of[i].n + 1, sizeof(*list));
		if (!list)
			return false;
		if (ports->of[i].n)
			memcpy(list, ports->of[i].list, ports->of[i].n * sizeof(*list));
		ret->of[i] = (struct kube_runs){ list, ports->of[i].n };
	}
	return true;
}

static int add(struct needing *x, const struct netpol_peer *from, const struct netpol_peer *to, const struct kube_ports *ports, struct bh_slice evidence)
{
	struct netpol_need need = { .from = from, .to = to };
	if (from == to || kube_ports_are_none(ports))
		return 0;
	return keep_ports(x->n, ports, &need.ports) && bh_arena_copy(&x->n->arena, evidence, &need.evidence) && netpol_need_vec_push(x->out, need) ? 0 : too_many(x->n);
}

/* ---- services that texts name ---- */

static struct bh_slice key_of(struct netpol *n, struct bh_slice namespace, struct bh_slice name)
{
	const char *text = bh_arena_printf(&n->scratch, "%.*s/%.*s", BH_SLICE_FMT(namespace), BH_SLICE_FMT(name));
	return bh_slice_str(text);
}

static int index_objects(struct needing *x)
{
	for (size_t i = 0; i < x->n->all->len; i++) {
		const struct kube_object *o = &x->n->all->ptr[i];
		bool is_service = bh_slice_eq_str(o->kind, "Service"), is_map = bh_slice_eq_str(o->kind, "ConfigMap");
		if (o->group.len || (!is_service && !is_map))
			continue;
		const char *key = bh_arena_printf(&x->n->arena, "%.*s/%.*s", BH_SLICE_FMT(kube_namespace(o)), BH_SLICE_FMT(o->name));
		void **at = key ? bh_map_put(is_service ? &x->services : &x->config_maps, bh_slice_str(key)) : NULL;
		if (!at)
			return netpol_no_memory(x->n);
		*at = (void *)(uintptr_t)(i + 1);
	}
	return 0;
}

static const struct kube_object *look_up(struct needing *x, const struct bh_map *map, struct bh_slice namespace, struct bh_slice name)
{
	uintptr_t at = (uintptr_t)bh_map_get(map, key_of(x->n, namespace, name));
	return at ? &x->n->all->ptr[at - 1] : NULL;
}

static void print_evidence(const struct needing *x, struct bh_slice host, struct bh_buf *out)
{
	bh_buf_add(out, host);
	bh_buf_add_str(out, " in ");
	bh_buf_add(out, x->what);
	if (x->name.len) {
		bh_buf_add_byte(out, ' ');
		bh_buf_add(out, x->name);
	}
	bh_buf_add_str(out, " at ");
	netpol_print_where(x->object, netpol_place(x->object, x->part, x->field, NULL), out);
}

/* A headless service's names are the pods': any port of theirs may be named. */
static int ports_at(struct needing *x, const struct kube_object *service, uint64_t port, size_t workload, struct kube_ports *ret)
{
	bool headless = bh_slice_eq_str(kube_text(service->value, "spec.clusterIP"), "None");
	if (port == 0)
		return netpol_service_ports(x->n, service, cel_null(), workload, ret);
	if (!headless)
		return netpol_service_ports(x->n, service, cel_int((int64_t)port), workload, ret);
	*ret = kube_ports_none();
	return netpol_join_range(x->n, KUBE_TCP, port, port, ret);
}

static int add_service(struct needing *x, const struct kube_object *service, uint64_t port, struct bh_slice host)
{
	struct bh_buf evidence;
	int rc = 0;
	bh_buf_init(&evidence, EVIDENCE_BYTES_MAX);
	print_evidence(x, host, &evidence);
	for (size_t i = 0; rc == 0 && i < x->n->workloads.len; i++) {
		struct kube_ports ports;
		if (!kube_service_selects(service, &x->n->workloads.ptr[i]))
			continue;
		rc = ports_at(x, service, port, i, &ports);
		rc = rc < 0 ? rc : add(x, x->from, &x->n->peers.ptr[i], &ports, bh_buf_slice(&evidence));
	}
	bh_buf_done(&evidence);
	return rc;
}

static bool is_host_byte(uint8_t c)
{
	c = bh_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* "db", "db.shop", "db.shop.svc", "db.shop.svc.cluster.local"; a bare name only where something says that it is a host. */
static const struct kube_object *service_of(struct needing *x, struct bh_slice host, bool is_host)
{
	struct bh_slice parts[HOST_PARTS_MAX + 1], rest = host;
	size_t n = 0;
	bool more = true;
	if (host.len && host.ptr[host.len - 1] == '.')
		rest.len--;
	while (more && n <= HOST_PARTS_MAX) {
		struct bh_slice head, tail;
		more = bh_slice_cut(rest, '.', &head, &tail);
		parts[n++] = head;
		rest = tail;
	}
	if (n == 1)
		return is_host ? look_up(x, &x->services, x->from->workload->namespace, parts[0]) : NULL;
	if (n > HOST_PARTS_MAX || (n > 2 && !bh_slice_eq_str(parts[2], "svc")))
		return NULL;
	return look_up(x, &x->services, parts[1], parts[0]);
}

/* The number behind a colon; 0: none. */
static uint64_t port_behind(struct bh_slice text, size_t at)
{
	size_t end = at + 1;
	uint64_t port = 0;
	if (at >= text.len || text.ptr[at] != ':')
		return 0;
	while (end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9')
		end++;
	return bh_slice_u64(bh_slice_sub(text, at + 1, end - at - 1), 65535, &port) ? port : 0;
}

/* Behind "://" or "@", before a port, or all there is: a host. */
static bool says_host(struct bh_slice text, size_t begin, size_t end, uint64_t port)
{
	struct bh_slice before = bh_slice_sub(text, 0, begin);
	return port || bh_slice_ends(before, BH_SLICE_LIT("://")) || bh_slice_ends(before, BH_SLICE_LIT("@")) || (begin == 0 && end == text.len);
}

static int look_through(struct needing *x, struct bh_slice text)
{
	int rc = 0;
	text = bh_slice_trim(bh_slice_sub(text, 0, VALUE_BYTES_MAX));
	for (size_t i = 0; rc == 0 && i < text.len;) {
		size_t end = i;
		while (end < text.len && is_host_byte(text.ptr[end]))
			end++;
		if (end == i) {
			i++;
			continue;
		}
		uint64_t port = port_behind(text, end);
		struct bh_slice host = bh_slice_sub(text, i, end - i);
		const struct kube_object *service = service_of(x, host, says_host(text, i, end, port));
		if (service)
			rc = add_service(x, service, port, host);
		i = end;
	}
	return rc;
}

/* ---- where texts are ---- */

static int look_at(struct needing *x, const struct kube_object *o, struct cel_value part, const char *field, const char *what, struct bh_slice name, struct cel_value text)
{
	x->object = o;
	x->part = part;
	x->field = field;
	x->what = bh_slice_str(what);
	x->name = name;
	bh_arena_done(&x->n->scratch);
	return text.kind == CEL_STRING ? look_through(x, text.text) : 0;
}

static int config_map_key(struct needing *x, const struct kube_object *map, struct bh_slice key)
{
	struct cel_value data = kube_get(map->value, "data");
	int rc = 0;
	for (size_t i = 0; rc == 0 && data.kind == CEL_MAP && i < data.map->len; i++) {
		const struct cel_entry *e = &data.map->entries[i];
		if (e->key.kind != CEL_STRING || (key.len && !bh_slice_eq(e->key.text, key)))
			continue;
		/* The line of the key: its name needs a NUL. */
		const char *field = bh_arena_strdup(&x->n->arena, e->key.text);
		rc = field ? look_at(x, map, data, field, "ConfigMap", map->name, e->value) : netpol_no_memory(x->n);
	}
	return rc;
}

static int config_map(struct needing *x, struct bh_slice name, struct bh_slice key)
{
	const struct kube_object *map = name.len ? look_up(x, &x->config_maps, x->from->workload->namespace, name) : NULL;
	return map ? config_map_key(x, map, key) : 0;
}

static int environment(struct needing *x, const struct kube_object *o, struct cel_value container)
{
	struct cel_value env = kube_get(container, "env"), from = kube_get(container, "envFrom");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(env); i++) {
		struct cel_value e = env.list->items[i];
		rc = look_at(x, o, e, "value", "env", kube_text(e, "name"), kube_get(e, "value"));
		rc = rc < 0 ? rc : config_map(x, kube_text(e, "valueFrom.configMapKeyRef.name"), kube_text(e, "valueFrom.configMapKeyRef.key"));
	}
	for (size_t i = 0; rc == 0 && i < kube_length(from); i++)
		rc = config_map(x, kube_text(from.list->items[i], "configMapRef.name"), (struct bh_slice){ 0 });
	return rc;
}

static int words(struct needing *x, const struct kube_object *o, struct cel_value container, const char *field)
{
	struct cel_value list = kube_get(container, field);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(list); i++)
		rc = look_at(x, o, list, NULL, field, (struct bh_slice){ 0 }, list.list->items[i]);
	return rc;
}

static int containers(struct needing *x, const struct kube_workload *w, const char *field)
{
	struct cel_value list = kube_get(w->spec, field);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(list); i++) {
		rc = environment(x, w->object, list.list->items[i]);
		rc = rc < 0 ? rc : words(x, w->object, list.list->items[i], "command");
		rc = rc < 0 ? rc : words(x, w->object, list.list->items[i], "args");
	}
	return rc;
}

static int workload(struct needing *x, size_t i)
{
	const struct kube_workload *w = &x->n->workloads.ptr[i];
	struct cel_value volumes = kube_get(w->spec, "volumes");
	x->from = &x->n->peers.ptr[i];
	int rc = containers(x, w, "containers");
	rc = rc < 0 ? rc : containers(x, w, "initContainers");
	for (size_t k = 0; rc == 0 && k < kube_length(volumes); k++)
		rc = config_map(x, kube_text(volumes.list->items[k], "configMap.name"), (struct bh_slice){ 0 });
	return rc;
}

/* ---- what lets the outside in ---- */

static int add_exposure(void *ctx, const struct netpol_exposure *e)
{
	struct needing *x = ctx;
	struct netpol *n = x->n;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++) {
		if (kube_ports_are_none(&e->ports[i]))
			continue;
		if (!e->from_outside) {
			rc = add(x, &n->peers.ptr[n->controller], &n->peers.ptr[i], &e->ports[i], e->source);
			continue;
		}
		for (size_t v = 0; rc == 0 && v < 2; v++)
			if (n->blocks[NETPOL_INGRESS][v][0] < n->blocks[NETPOL_INGRESS][v][1])
				rc = add(x, &x->world[v], &n->peers.ptr[i], &e->ports[i], e->source);
	}
	return rc;
}

/* ---- flows ---- */

static int add_flow(struct needing *x, const struct netpol_observed *o)
{
	struct bh_buf evidence;
	struct kube_ports ports;
	bh_buf_init(&evidence, EVIDENCE_BYTES_MAX);
	bh_buf_printf(&evidence, "%llu flow%s, %s", (unsigned long long)o->count, o->count == 1 ? "" : "s", o->count == 1 ? "at " : "the first at ");
	bh_buf_add(&evidence, o->file);
	bh_buf_printf(&evidence, ":%u", o->line);
	bh_arena_done(&x->n->scratch);
	int rc = kube_ports_of(&x->n->scratch, o->protocol, o->port, o->port, &ports) ? add(x, o->from, o->to, &ports, bh_buf_slice(&evidence)) : netpol_no_memory(x->n);
	bh_buf_done(&evidence);
	return rc;
}

static int find_needs(struct needing *x, struct netpol *n, const struct netpol_flows *flows, struct netpol_need_vec *out)
{
	*x = (struct needing){ .n = n, .out = out };
	for (size_t v = 0; v < 2; v++)
		x->world[v] = (struct netpol_peer){ .kind = NETPOL_BLOCK, .range = kube_addresses_all(v == 1), .index = UINT32_MAX - (uint32_t)v };
	bh_map_init(&x->services, SERVICES_MAX);
	bh_map_init(&x->config_maps, SERVICES_MAX);
	int rc = index_objects(x);
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++)
		rc = workload(x, i);
	bh_arena_done(&n->scratch);
	rc = rc < 0 ? rc : netpol_exposures(n, true, add_exposure, x);
	for (size_t i = 0; rc == 0 && i < flows->seen.len; i++)
		rc = add_flow(x, &flows->seen.ptr[i]);
	bh_map_done(&x->services);
	bh_map_done(&x->config_maps);
	return rc;
}

int netpol_needs_find(struct netpol *n, const struct netpol_flows *flows, struct netpol_need_vec *out)
{
	struct needing *at = BH_ARENA_NEW(&n->arena, struct needing); /* needs point to its world */
	return at ? find_needs(at, n, flows, out) : netpol_no_memory(n);
}
