/*
 * paths_compose_network.c: who may connect to whom in docker-compose: services that share a network, on all ports; what is published to the outside; who reaches
 * the cloud's metadata service: whoever has a network that is not internal. Every service is a class of its own.
 */
#include "kube/paths_compose.h"

#define DEPTH_MAX 8u /* services that use the network of a service that uses the network of ... */

static struct bh_slice mode_of(const struct compose_service *s)
{
	return kube_text(s->value, "network_mode");
}

static bool is_on_host(const struct compose_service *s)
{
	return bh_slice_eq_str(mode_of(s), "host");
}

static const struct compose_service *find(const struct compose_service_vec *all, const struct compose_service *beside, struct bh_slice service)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct compose_service *s = &all->ptr[i];
		if (s->file == beside->file && bh_slice_eq(bh_slice_sub(s->name, s->file->name.len + 1, s->name.len), service))
			return s;
	}
	return NULL;
}

/* "shop-db-1", or "shop_db_1" of the older Compose, unless the service names its container. */
static bool is_container(const struct compose_service *s, struct bh_slice container)
{
	struct bh_slice named = compose_text(s, kube_get(s->value, "container_name")), project = s->file->name, head = bh_slice_sub(container, 0, container.len - 2);
	struct bh_slice service = bh_slice_sub(s->name, project.len + 1, s->name.len);
	if (named.len)
		return bh_slice_eq(named, container);
	return container.len == project.len + service.len + 3 && bh_slice_starts(container, project) && bh_slice_ends(head, service)
	       && (bh_slice_ends(container, BH_SLICE_LIT("-1")) || bh_slice_ends(container, BH_SLICE_LIT("_1")));
}

static const struct compose_service *find_container(const struct compose_service_vec *all, struct bh_slice container)
{
	for (size_t i = 0; container.len && i < all->len; i++)
		if (is_container(&all->ptr[i], container))
			return &all->ptr[i];
	return NULL;
}

/* The service whose network this one uses: "service:db", "container:shop-db-1"; *ret_other: it uses another's. */
static const struct compose_service *next_owner(const struct compose_service_vec *all, const struct compose_service *s, bool *ret_other)
{
	const struct bh_slice mode = compose_text(s, kube_get(s->value, "network_mode")), service = BH_SLICE_LIT("service:"), container = BH_SLICE_LIT("container:");
	*ret_other = true;
	if (bh_slice_starts(mode, service))
		return find(all, s, bh_slice_sub(mode, service.len, mode.len));
	if (bh_slice_starts(mode, container))
		return find_container(all, bh_slice_sub(mode, container.len, mode.len));
	*ret_other = false;
	return NULL;
}

/* Itself, mostly. */
static const struct compose_service *owner_of(const struct compose_service_vec *all, const struct compose_service *s)
{
	bool other;
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		const struct compose_service *next = next_owner(all, s, &other);
		if (!next)
			return s;
		s = next;
	}
	return s;
}

/* Who is not among the services may be in every network there is. */
static int say_unknown_owner(const struct compose_service_vec *all, const struct compose_service *s)
{
	bool other;
	struct bh_buf text;
	if (next_owner(all, s, &other) || !other)
		return 0;
	bh_buf_init(&text, 4096);
	uint32_t line = kube_tree_find(s->file->tree, s->value.map, BH_SLICE_LIT("network_mode"), &text);
	bh_buf_printf(&text, ": %.*s is none of the services here: whom it reaches is not known", BH_SLICE_FMT(mode_of(s)));
	int rc = kube_say_gap(s->c->asked, s->file->file, line, bh_buf_slice(&text), s->c->err);
	bh_buf_done(&text);
	return rc;
}

static struct cel_value definition_of(const struct compose_service *s, struct bh_slice network)
{
	struct cel_value networks = kube_get(s->file->value, "networks");
	const struct cel_value *v = networks.kind == CEL_MAP ? cel_map_field(networks.map, network) : NULL;
	return v ? *v : cel_null();
}

/* Networks by index: of a list, of a map's keys, or "default" alone. False: there are no more. */
static bool network_at(const struct compose_service *s, size_t i, struct bh_slice *ret)
{
	struct cel_value networks = kube_get(s->value, "networks");
	if (mode_of(s).len) {
		*ret = BH_SLICE_LIT("bridge");
		return i == 0 && bh_slice_eq_str(mode_of(s), "bridge");
	}
	if (networks.kind == CEL_MAP && networks.map->len) {
		*ret = i < networks.map->len ? networks.map->entries[i].key.text : (struct bh_slice){ 0 };
		return i < networks.map->len;
	}
	if (networks.kind == CEL_LIST && networks.list->len) {
		*ret = i < networks.list->len && networks.list->items[i].kind == CEL_STRING ? networks.list->items[i].text : (struct bh_slice){ 0 };
		return i < networks.list->len;
	}
	*ret = BH_SLICE_LIT("default");
	return i == 0;
}

/* What it is called at the runtime: networks of two projects are one when both say so. */
static bool is_same(const struct compose_service *a, struct bh_slice x, const struct compose_service *b, struct bh_slice y)
{
	struct cel_value of_a = definition_of(a, x), of_b = definition_of(b, y);
	struct bh_slice name_a = kube_text(of_a, "name"), name_b = kube_text(of_b, "name");
	bool shared_a = name_a.len || cel_is_true(kube_get(of_a, "external")) || mode_of(a).len, shared_b = name_b.len || cel_is_true(kube_get(of_b, "external")) || mode_of(b).len;
	if (!shared_a && !shared_b)
		return bh_slice_eq(x, y) && bh_slice_eq(a->file->name, b->file->name);
	return shared_a && shared_b && bh_slice_eq(name_a.len ? name_a : x, name_b.len ? name_b : y);
}

static bool share_network(const struct compose_service *a, const struct compose_service *b, struct bh_slice *ret)
{
	struct bh_slice other;
	for (size_t i = 0; network_at(a, i, ret); i++)
		for (size_t k = 0; ret->len && network_at(b, k, &other); k++)
			if (is_same(a, *ret, b, other))
				return true;
	return false;
}

static int give_link(const struct compose_service_vec *all, const struct compose_service *from, const struct compose_service *to)
{
	const struct compose_service *a = owner_of(all, from), *b = owner_of(all, to);
	const struct bh_slice pair[] = { from->name, to->name };
	struct bh_slice network = BH_SLICE_LIT("the host"), ignored;
	if (a != b && !share_network(a, b, &network)) {
		/* What listens on the host's addresses is reached from every network. */
		if (!is_on_host(b) || !network_at(a, 0, &ignored))
			return 0;
		network = BH_SLICE_LIT("the host");
	}
	struct bh_slice place = paths_place(from->c, b->file, b->value, kube_get(b->value, "network_mode").kind == CEL_NULL ? "networks" : "network_mode");
	const char *how = bh_arena_printf(&from->c->f->arena, "%.*s: network %.*s", BH_SLICE_FMT(place), BH_SLICE_FMT(network));
	return paths_give(from->c, "link", pair, 2, bh_slice_str(how ? how : ""));
}

/* ---- the outside ---- */

static bool is_loopback(struct bh_slice address)
{
	return bh_slice_starts(address, BH_SLICE_LIT("127.")) || bh_slice_starts(address, BH_SLICE_LIT("[::1]")) || bh_slice_eq_str(address, "::1")
	       || bh_slice_eq_str(address, "localhost");
}

/* "8080:80", "127.0.0.1:8080:80", 80, or a map with host_ip. A port without a number on the host gets one of its choice. */
static bool is_published(const struct compose_service *s, struct cel_value port)
{
	if (port.kind == CEL_MAP)
		return !is_loopback(compose_text(s, kube_get(port, "host_ip")));
	return port.kind != CEL_NULL && !is_loopback(compose_text(s, port));
}

static int look_at_ports(const struct compose_service *s, const struct compose_service *owner)
{
	struct cel_value ports = kube_get(owner->value, "ports");
	bool is_open = is_on_host(owner);
	for (size_t i = 0; !is_open && ports.kind == CEL_LIST && i < ports.list->len; i++)
		is_open = is_published(owner, ports.list->items[i]);
	struct bh_slice place = paths_place(s->c, owner->file, owner->value, is_on_host(owner) ? "network_mode" : "ports");
	return is_open ? paths_give(s->c, "exposed", &s->name, 1, place) : 0;
}

static int look_at_metadata(const struct compose_service *s, const struct compose_service *owner)
{
	struct bh_slice network;
	bool is_outward = is_on_host(owner);
	for (size_t i = 0; !is_outward && network_at(owner, i, &network); i++)
		is_outward = !cel_is_true(kube_get(definition_of(owner, network), "internal"));
	return is_outward ? compose_give(s, "metadata", (struct bh_slice){ 0 }, "networks") : 0;
}

static int look_at_service(const struct compose_service *s, const struct compose_service *owner)
{
	const struct bh_slice twice[] = { s->name, s->name };
	int rc = paths_give(s->c, "in", twice, 2, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : paths_give(s->c, "member", twice, 2, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : paths_give(s->c, "class", twice, 1, (struct bh_slice){ 0 });
	if (rc == 0 && is_on_host(owner))
		rc = compose_give(s, "host_network", (struct bh_slice){ 0 }, "network_mode");
	rc = rc < 0 ? rc : look_at_ports(s, owner);
	return rc < 0 ? rc : look_at_metadata(s, owner);
}

int compose_find_network(const struct compose_service_vec *all)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < all->len; i++) {
		rc = look_at_service(&all->ptr[i], owner_of(all, &all->ptr[i]));
		rc = rc < 0 ? rc : say_unknown_owner(all, &all->ptr[i]);
		for (size_t k = 0; rc == 0 && k < all->len; k++)
			rc = k == i ? 0 : give_link(all, &all->ptr[i], &all->ptr[k]);
		kube_say_progress(all->ptr[i].c->asked, i);
	}
	return rc;
}
