#include "kube/flows.h"

#include <strings.h>

#include "format/json.h"

#define LINE_BYTES_MAX (256u << 10)

enum taken { TAKEN, SKIPPED, WRONG, FULL };

static bool read_protocol(struct bh_slice text, enum kube_protocol *ret)
{
	static const char *const names[] = { [KUBE_TCP] = "tcp", [KUBE_UDP] = "udp", [KUBE_SCTP] = "sctp" };
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++)
		if (text.len == strlen(names[i]) && strncasecmp((const char *)text.ptr, names[i], text.len) == 0) {
			*ret = (enum kube_protocol)i;
			return true;
		}
	*ret = KUBE_TCP;
	return text.len == 0;
}

static bool read_port(struct bh_slice text, uint16_t *ret)
{
	uint64_t number;
	if (!bh_slice_u64(text, 65535, &number) || number == 0)
		return false;
	*ret = (uint16_t)number;
	return true;
}

/* ---- CSV ---- */

static struct bh_slice next_cell(struct bh_slice *rest)
{
	struct bh_slice cell, tail;
	(void)bh_slice_cut(*rest, ',', &cell, &tail);
	*rest = tail;
	cell = bh_slice_trim(cell);
	if (cell.len >= 2 && cell.ptr[0] == '"' && cell.ptr[cell.len - 1] == '"')
		cell = bh_slice_sub(cell, 1, cell.len - 2);
	return cell;
}

static enum taken read_csv(struct bh_slice line, struct kube_flow *f)
{
	f->from.name = next_cell(&line);
	f->to.name = next_cell(&line);
	struct bh_slice port = next_cell(&line), protocol = next_cell(&line);
	if (bh_slice_eq_str(port, "port")) /* the heading */
		return SKIPPED;
	if (!f->from.name.len || !f->to.name.len || !read_port(port, &f->port))
		return WRONG;
	return read_protocol(protocol, &f->protocol) ? TAKEN : SKIPPED;
}

/* ---- JSON ---- */

static bool copy(struct bh_arena *a, const struct bh_json_node *node, struct bh_slice *ret)
{
	return bh_arena_copy(a, bh_json_str(node), ret);
}

static bool read_json_port(const struct bh_json_node *node, uint16_t *ret)
{
	uint64_t number;
	if (bh_json_u64(node, 65535, &number) && number) {
		*ret = (uint16_t)number;
		return true;
	}
	return read_port(bh_json_str(node), ret);
}

/* "k8s:app=web" */
static bool read_labels(const struct bh_json_node *labels, struct bh_arena *a, struct kube_flow_end *end)
{
	size_t n = bh_json_len(labels);
	struct bh_slice *list = bh_arena_array(a, (n < KUBE_FLOW_LABELS_MAX ? n : KUBE_FLOW_LABELS_MAX) + 1, sizeof(*list));
	for (size_t i = 0; list && i < n && end->n_labels < KUBE_FLOW_LABELS_MAX; i++) {
		struct bh_slice text = bh_json_str(bh_json_at(labels, i));
		if (bh_slice_eq_str(text, "reserved:host") || bh_slice_eq_str(text, "reserved:remote-node") || bh_slice_eq_str(text, "reserved:health"))
			end->is_node = true;
		if (!bh_slice_starts(text, BH_SLICE_LIT("k8s:")))
			continue;
		if (!bh_arena_copy(a, bh_slice_sub(text, 4, text.len), &list[end->n_labels]))
			return false;
		end->n_labels++;
	}
	end->labels = list;
	return list != NULL;
}

static bool read_end(const struct bh_json_node *node, const struct bh_json_node *address, struct bh_arena *a, struct kube_flow_end *end)
{
	const struct bh_json_node *workload = bh_json_at(bh_json_get(node, "workloads"), 0);
	return copy(a, bh_json_get(node, "namespace"), &end->namespace) && copy(a, bh_json_get(node, "pod_name"), &end->pod)
	       && copy(a, bh_json_get(workload, "name"), &end->workload) && copy(a, bh_json_get(workload, "kind"), &end->kind) && copy(a, address, &end->address)
	       && read_labels(bh_json_get(node, "labels"), a, end);
}

static enum taken read_hubble(const struct bh_json_node *flow, struct bh_arena *a, struct kube_flow *f)
{
	static const char *const names[] = { [KUBE_TCP] = "TCP", [KUBE_UDP] = "UDP", [KUBE_SCTP] = "SCTP" };
	const struct bh_json_node *l4 = bh_json_get(flow, "l4"), *ip = bh_json_get(flow, "IP"), *ports = NULL;
	struct bh_slice verdict = bh_json_str(bh_json_get(flow, "verdict"));
	for (size_t i = 0; i < KUBE_PROTOCOLS && !ports; i++) {
		ports = bh_json_get(l4, names[i]);
		f->protocol = (enum kube_protocol)i;
	}
	/* A dropped flow was none; a reply's ports are the wrong way round. */
	if (!ports || bh_json_bool(bh_json_get(flow, "is_reply")) || bh_slice_eq_str(verdict, "DROPPED") || bh_slice_eq_str(verdict, "ERROR"))
		return SKIPPED;
	if (!read_json_port(bh_json_get(ports, "destination_port"), &f->port))
		return WRONG;
	if (!read_end(bh_json_get(flow, "source"), bh_json_get(ip, "source"), a, &f->from)
	    || !read_end(bh_json_get(flow, "destination"), bh_json_get(ip, "destination"), a, &f->to))
		return FULL;
	return f->from.is_node || f->to.is_node ? SKIPPED : TAKEN;
}

static enum taken read_plain(const struct bh_json_node *root, struct bh_arena *a, struct kube_flow *f)
{
	if (!read_json_port(bh_json_get(root, "port"), &f->port))
		return WRONG;
	if (!read_protocol(bh_json_str(bh_json_get(root, "proto")), &f->protocol))
		return SKIPPED;
	if (!copy(a, bh_json_get(root, "src"), &f->from.name) || !copy(a, bh_json_get(root, "dst"), &f->to.name))
		return FULL;
	return f->from.name.len && f->to.name.len ? TAKEN : WRONG;
}

static enum taken read_json(struct bh_slice line, struct bh_arena *a, struct kube_flow *f)
{
	struct bh_json *doc;
	struct bh_err ignored = { 0 };
	enum taken rc = WRONG;
	if (bh_json_parse(line, LINE_BYTES_MAX, &doc, &ignored) < 0)
		return WRONG;
	const struct bh_json_node *root = bh_json_root(doc), *flow = bh_json_get(root, "flow");
	if (bh_json_is_object(flow) || bh_json_is_object(bh_json_get(root, "l4")))
		rc = read_hubble(bh_json_is_object(flow) ? flow : root, a, f);
	else if (bh_json_get(root, "src"))
		rc = read_plain(root, a, f);
	else if (bh_json_get(root, "lost_events") || bh_json_get(root, "node_status"))
		rc = SKIPPED;
	bh_json_free(doc);
	return rc;
}

int kube_flows_read(struct bh_slice text, struct bh_arena *arena, struct kube_flow_vec *out, struct kube_flows_left_out *left_out, struct bh_err *err)
{
	uint32_t number = 0;
	while (text.len) {
		struct kube_flow f = { .line = ++number };
		struct bh_slice line, rest;
		(void)bh_slice_cut(text, '\n', &line, &rest);
		text = rest;
		line = bh_slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		enum taken taken = line.len > LINE_BYTES_MAX ? WRONG : line.ptr[0] == '{' ? read_json(line, arena, &f) : read_csv(line, &f);
		if (taken == FULL || (taken == TAKEN && !kube_flow_vec_push(out, f)))
			return bh_fail(err, BH_ELIMIT, 0, "more than %u flows, or too large ones", KUBE_FLOWS_MAX);
		left_out->skipped += taken == SKIPPED;
		if (taken == WRONG && left_out->wrong++ == 0)
			left_out->wrong_line = number;
	}
	return 0;
}
