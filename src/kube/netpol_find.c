#include "kube/netpol_find.h"

#include <strings.h>

#define NAMES_BYTES_MAX 400u

int netpol_cut_name(struct netpol *n, struct bh_slice name)
{
	struct kube_address_range range;
	if (!kube_addresses_read(name, &range))
		return 0;
	int rc = netpol_cut(n, NETPOL_INGRESS, &range);
	return rc < 0 ? rc : netpol_cut(n, NETPOL_EGRESS, &range);
}

/* Several that it may mean, or nobody. */
static int not_one(struct netpol *n, struct bh_slice name, const struct bh_buf *names)
{
	if (names->len)
		return bh_fail(n->err, BH_EUSAGE, 0, "%.*s may be any of: %.*s", BH_SLICE_FMT(name), BH_SLICE_FMT(bh_buf_slice(names)));
	return bh_fail(n->err, BH_EUSAGE, 0, "%.*s: no such workload, address or controller; name it as netpol list does", BH_SLICE_FMT(name));
}

static void add_name(struct bh_buf *names, struct bh_slice name)
{
	if (names->len + name.len + 2 > NAMES_BYTES_MAX)
		return;
	bh_buf_add_str(names, names->len ? ", " : "");
	bh_buf_add(names, name);
}

static bool is_named(const struct netpol_peer *p, struct bh_slice name)
{
	struct bh_slice text = p->text, bare = bh_slice_sub(text, 0, bh_slice_find(text, '['));
	struct bh_slice last = bh_slice_sub(bare, p->workload->namespace.len + 1, bare.len);
	return bh_slice_eq(text, name) || bh_slice_eq(bare, name) || bh_slice_eq(last, name);
}

static bool is_part(const struct netpol_peer *p, const struct kube_address_range *range, enum netpol_direction d)
{
	return p->kind == NETPOL_BLOCK && p->direction == d && kube_addresses_hold(range, &p->range);
}

int netpol_find_peer(struct netpol *n, struct bh_slice name, enum netpol_direction d, const struct netpol_peer **ret)
{
	static const char *const controllers[] = { "ingress-controller", "{ingress-controller}", "gateway-controller", "{gateway-controller}", NULL };
	struct kube_address_range range;
	struct bh_buf names;
	size_t found = 0;
	bool is_address = kube_addresses_read(name, &range);
	if (bh_slice_is_one_of(name, controllers)) {
		*ret = &n->peers.ptr[n->controller];
		return 0;
	}
	bh_buf_init(&names, NAMES_BYTES_MAX);
	for (size_t i = 0; i < n->peers.len; i++) {
		const struct netpol_peer *p = &n->peers.ptr[i];
		if (is_address ? !is_part(p, &range, d) : p->kind != NETPOL_WORKLOAD || !is_named(p, name))
			continue;
		found++;
		*ret = p;
		add_name(&names, p->text);
		if (bh_slice_eq(p->text, name)) {
			found = 1;
			break;
		}
	}
	int rc = found == 1 ? 0 : not_one(n, name, &names);
	bh_buf_done(&names);
	return rc;
}

static bool read_protocol(struct bh_slice text, enum kube_protocol *ret)
{
	static const char *const names[] = { [KUBE_TCP] = "tcp", [KUBE_UDP] = "udp", [KUBE_SCTP] = "sctp" };
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++)
		if (text.len == strlen(names[i]) && strncasecmp((const char *)text.ptr, names[i], text.len) == 0) {
			*ret = (enum kube_protocol)i;
			return true;
		}
	return false;
}

/* Takes the protocol off either end. False: there is none. */
static bool take_protocol(struct bh_slice *text, enum kube_protocol *ret)
{
	struct bh_slice head, tail;
	if (bh_slice_cut(*text, '/', &head, &tail) && read_protocol(tail, ret)) {
		*text = head;
		return true;
	}
	if ((bh_slice_cut(*text, ' ', &head, &tail) || bh_slice_cut(*text, ':', &head, &tail)) && read_protocol(head, ret)) {
		*text = tail;
		return true;
	}
	return false;
}

int netpol_find_ports(struct netpol *n, struct bh_slice text, const struct netpol_peer *to, struct kube_ports *ret)
{
	enum kube_protocol protocol = KUBE_TCP;
	struct bh_slice rest = text, head, tail;
	uint64_t from, last;
	if (text.len == 0) {
		*ret = kube_ports_all();
		return 0;
	}
	*ret = kube_ports_none();
	bool has_protocol = take_protocol(&rest, &protocol);
	if (bh_slice_cut(rest, '-', &head, &tail) && bh_slice_u64(head, 65535, &from) && bh_slice_u64(tail, 65535, &last))
		return netpol_join_range(n, protocol, from, last, ret);
	if (bh_slice_u64(rest, 65535, &from))
		return netpol_join_range(n, protocol, from, from, ret);
	int rc = to->kind == NETPOL_WORKLOAD ? netpol_join_named(n, has_protocol ? &protocol : NULL, rest, to->workload, ret) : 0;
	if (rc == 0 && kube_ports_are_none(ret))
		return bh_fail(n->err, BH_EUSAGE, 0, "%.*s: no port, and no name of a port of %.*s; write 80, 53/udp or 8000-8080", BH_SLICE_FMT(text), BH_SLICE_FMT(to->text));
	return rc;
}
