#include "kube/netpol_print.h"

#include <strings.h>

static bool is_plain(struct bh_slice text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", NULL };
	bool letter = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = bh_lower(text.ptr[i]);
		letter |= c >= 'a' && c <= 'z';
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i && (c == '-' || c == '.' || c == '/' || c == '_'))))
			return false;
	}
	for (size_t i = 0; words[i]; i++)
		if (text.len == strlen(words[i]) && strncasecmp((const char *)text.ptr, words[i], text.len) == 0)
			return false;
	/* What could be read as a number: 1e3, 0x1f, .5 */
	return letter && !(text.ptr[0] >= '0' && text.ptr[0] <= '9') && text.ptr[0] != '.';
}

void netpol_print_scalar(struct bh_slice text, struct bh_buf *out)
{
	if (text.len && is_plain(text))
		bh_buf_add(out, text);
	else
		bh_buf_add_json(out, text);
}

void netpol_print_labels(struct cel_value labels, struct bh_buf *out)
{
	static const char *const changing[] = { "pod-template-hash", "controller-revision-hash", "pod-template-generation", "controller-uid", "job-name",
						"batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "statefulset.kubernetes.io/pod-name",
						"apps.kubernetes.io/pod-index", NULL };
	bool more = false;
	bh_buf_add_byte(out, '{');
	for (size_t i = 0; labels.kind == CEL_MAP && i < labels.map->len; i++) {
		const struct cel_entry *e = &labels.map->entries[i];
		if (e->key.kind != CEL_STRING || e->value.kind != CEL_STRING || bh_slice_is_one_of(e->key.text, changing))
			continue;
		bh_buf_add_str(out, more ? ", " : "");
		netpol_print_scalar(e->key.text, out);
		bh_buf_add_str(out, ": ");
		netpol_print_scalar(e->value.text, out);
		more = true;
	}
	bh_buf_add_byte(out, '}');
}

static void print_blocks(const struct kube_address_range *range, struct bh_buf *out)
{
	struct kube_address_range rest = *range;
	bool more;
	do {
		bh_buf_add_str(out, "{ipBlock: {cidr: ");
		if (range->is_v6)
			bh_buf_add_byte(out, '"');
		more = kube_addresses_next_prefix(&rest, out, &rest);
		bh_buf_add_str(out, range->is_v6 ? "\"}}" : "}}");
		bh_buf_add_str(out, more ? ", " : "");
	} while (more && !out->failed);
}

void netpol_print_peer(struct bh_slice namespace, const struct netpol_peer *who, struct bh_buf *out)
{
	if (who->kind == NETPOL_BLOCK) {
		print_blocks(&who->range, out);
		return;
	}
	if (who->kind == NETPOL_CONTROLLER) {
		bh_buf_add_str(out, "{namespaceSelector: {}}");
		return;
	}
	bh_buf_add_byte(out, '{');
	if (!bh_slice_eq(namespace, who->workload->namespace)) {
		bh_buf_add_str(out, "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ");
		netpol_print_scalar(who->workload->namespace, out);
		bh_buf_add_str(out, "}}, ");
	}
	bh_buf_add_str(out, "podSelector: {matchLabels: ");
	netpol_print_labels(who->workload->labels, out);
	bh_buf_add_str(out, "}}");
}

void netpol_print_ports(const struct kube_ports *ports, struct bh_buf *out)
{
	static const char *const names[] = { [KUBE_TCP] = "TCP", [KUBE_UDP] = "UDP", [KUBE_SCTP] = "SCTP" };
	bool more = false;
	for (size_t i = 0; i < KUBE_PROTOCOLS && !kube_ports_are_all(ports); i++)
		for (size_t k = 0; k < ports->of[i].n; k++) {
			const struct kube_run *run = &ports->of[i].list[k];
			bh_buf_printf(out, "%s{protocol: %s", more ? ", " : "", names[i]);
			if (run->from != 1 || run->to != 65535)
				bh_buf_printf(out, ", port: %u", run->from);
			if (run->to != run->from && (run->from != 1 || run->to != 65535))
				bh_buf_printf(out, ", endPort: %u", run->to);
			bh_buf_add_byte(out, '}');
			more = true;
		}
}

void netpol_print_policy(const struct netpol_policy *p, struct bh_buf *out)
{
	bh_buf_add(out, p->object->kind);
	bh_buf_add_byte(out, ' ');
	if (p->api == NETPOL_API_V1) {
		bh_buf_add(out, p->namespace);
		bh_buf_add_byte(out, '/');
	}
	bh_buf_add(out, p->object->name);
}

void netpol_print_where(const struct kube_object *o, uint32_t line, struct bh_buf *out)
{
	bh_buf_add(out, o->file);
	if (line || o->line)
		bh_buf_printf(out, ":%u", line ? line : o->line);
}
