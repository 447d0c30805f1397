/* netpol.c: `bulkhead netpol list PATH...`: who may connect to whom on what, by the network policies among the manifests. */
#include "cmd/asking.h"
#include "cmd/output.h"
#include "cmd/scanning.h"

#include "kube/netpol.h"

#define DOCUMENT_BYTES_MAX (2048u << 20)

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_MARKDOWN, FORMAT_DOT };

/* Index = enum format. */
static const char *const formats[] = { "text", "json", "csv", "markdown", "dot", NULL };
static const char *const verbs[] = { "list", NULL };

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .choices = formats, .default_text = "text", .help = "format of the list" },
	{ .name = "exposure", .kind = CMD_FLAG, .help = "list: services that let the outside in as sources, too" },
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE", .help = "write the list to FILE, - is standard output" },
	{ 0 },
};

static const char details[] =
	"PATH is a file of YAML or JSON manifests, a folder that holds some, - for standard\n"
	"input, or cluster:[CONTEXT] for a live cluster of the kubeconfig.\n"
	"Workloads, namespaces, services, ingresses and policies are taken from all of\n"
	"them together.\n"
	"\n"
	"Exit status: 0 the list is written, 2 wrong usage or input, 3 something could not be\n"
	"read or evaluated, 4 internal error.\n";

static void write_text(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct bh_slice *cells = a->rows.ptr[i].cells;
		bh_buf_add_escaped(out, cells[NETPOL_FROM]);
		bh_buf_add_str(out, " => ");
		bh_buf_add_escaped(out, cells[NETPOL_TO]);
		bh_buf_add_str(out, " : ");
		bh_buf_add(out, cells[NETPOL_PORTS]);
		bh_buf_add_byte(out, '\n');
	}
}

static void write_json(const struct kube_answer *a, struct bh_buf *out)
{
	bh_buf_add_str(out, "[");
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct bh_slice *cells = a->rows.ptr[i].cells;
		bh_buf_add_str(out, i ? ",\n  {\n    \"src\": " : "\n  {\n    \"src\": ");
		bh_buf_add_json(out, cells[NETPOL_FROM]);
		bh_buf_add_str(out, ",\n    \"dst\": ");
		bh_buf_add_json(out, cells[NETPOL_TO]);
		bh_buf_add_str(out, ",\n    \"conn\": ");
		bh_buf_add_json(out, cells[NETPOL_PORTS]);
		bh_buf_add_str(out, "\n  }");
	}
	bh_buf_add_str(out, a->rows.len ? "\n]\n" : "]\n");
}

static void write_csv(const struct kube_answer *a, struct bh_buf *out)
{
	bh_buf_add_str(out, "src,dst,conn\n");
	for (size_t i = 0; i < a->rows.len; i++)
		cmd_add_csv_row(out, a->rows.ptr[i].cells, a->rows.ptr[i].n);
}

static void write_markdown(const struct kube_answer *a, struct bh_buf *out)
{
	bh_buf_add_str(out, "| src | dst | conn |\n|-----|-----|------|\n");
	for (size_t i = 0; i < a->rows.len; i++)
		cmd_add_markdown_row(out, a->rows.ptr[i].cells, a->rows.ptr[i].n);
}

/* ---- dot: namespaces as clusters ---- */

static bool is_workload(struct bh_slice name)
{
	return bh_slice_find(name, '/') < name.len;
}

static struct bh_slice namespace_of(struct bh_slice name)
{
	return bh_slice_sub(name, 0, bh_slice_find(name, '/'));
}

static int by_name(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

/* Every end of a pair, once, in order; workloads first. */
static size_t collect_nodes(const struct kube_answer *a, struct bh_slice *nodes)
{
	size_t n = 0, kept = 0;
	for (size_t i = 0; i < a->rows.len; i++) {
		nodes[n++] = a->rows.ptr[i].cells[NETPOL_FROM];
		nodes[n++] = a->rows.ptr[i].cells[NETPOL_TO];
	}
	if (n)
		qsort(nodes, n, sizeof(*nodes), by_name);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !bh_slice_eq(nodes[kept - 1], nodes[i]))
			nodes[kept++] = nodes[i];
	return kept;
}

static void add_node(struct bh_buf *out, const char *indent, struct bh_slice name, struct bh_slice label, const char *colour)
{
	bh_buf_add_str(out, indent);
	bh_buf_add_json(out, name);
	bh_buf_add_str(out, " [label=");
	bh_buf_add_json(out, label);
	bh_buf_printf(out, " color=\"%s\" fontcolor=\"%s\"]\n", colour, colour);
}

/* "cluster_NAMESPACE[namespace]": an identifier to dot, with underscores for hyphens. */
static void add_cluster_name(struct bh_buf *out, struct bh_slice ns)
{
	struct bh_buf name;
	bh_buf_init(&name, ns.len + 64);
	bh_buf_add_str(&name, "cluster_");
	for (size_t i = 0; i < ns.len; i++)
		bh_buf_add_byte(&name, ns.ptr[i] == '-' ? '_' : ns.ptr[i]);
	bh_buf_add_str(&name, "[namespace]");
	bh_buf_add_json(out, bh_buf_slice(&name));
	bh_buf_done(&name);
}

/* The namespace with what marks it as one. */
static void add_cluster_label(struct bh_buf *out, struct bh_slice ns)
{
	struct bh_buf label;
	bh_buf_init(&label, ns.len + 64);
	bh_buf_add(&label, ns);
	bh_buf_add_str(&label, "[namespace]");
	bh_buf_add_json(out, bh_buf_slice(&label));
	bh_buf_done(&label);
}

static void write_clusters(const struct bh_slice *nodes, size_t n, struct bh_buf *out)
{
	for (size_t i = 0; i < n;) {
		struct bh_slice ns = namespace_of(nodes[i]);
		if (!is_workload(nodes[i])) {
			i++;
			continue;
		}
		bh_buf_add_str(out, "\tsubgraph ");
		add_cluster_name(out, ns);
		bh_buf_add_str(out, " {\n\t\tcolor=\"black\"\n\t\tfontcolor=\"black\"\n");
		for (; i < n && is_workload(nodes[i]) && bh_slice_eq(namespace_of(nodes[i]), ns); i++)
			add_node(out, "\t\t", nodes[i], bh_slice_sub(nodes[i], ns.len + 1, nodes[i].len), "blue");
		bh_buf_add_str(out, "\t\tlabel=");
		add_cluster_label(out, ns);
		bh_buf_add_str(out, "\n\t}\n");
	}
	for (size_t i = 0; i < n; i++)
		if (!is_workload(nodes[i]))
			add_node(out, "\t", nodes[i], nodes[i], bh_slice_ends(nodes[i], BH_SLICE_LIT("[External]")) ? "red2" : "blue");
}

static void write_edges(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct bh_slice *cells = a->rows.ptr[i].cells;
		bh_buf_add_byte(out, '\t');
		bh_buf_add_json(out, cells[NETPOL_FROM]);
		bh_buf_add_str(out, " -> ");
		bh_buf_add_json(out, cells[NETPOL_TO]);
		bh_buf_add_str(out, " [label=");
		bh_buf_add_json(out, cells[NETPOL_PORTS]);
		/* Lighter edges forward in the alphabet: dot then ranks the other way. */
		bh_buf_printf(out, " color=\"gold2\" fontcolor=\"darkgreen\" weight=%s]\n", bh_slice_cmp(cells[NETPOL_FROM], cells[NETPOL_TO]) < 0 ? "0.5" : "1");
	}
}

static int write_dot(const struct kube_answer *a, struct bh_buf *out, struct bh_err *err)
{
	struct bh_slice *nodes = calloc(a->rows.len * 2 + 1, sizeof(*nodes));
	if (!nodes)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a drawing");
	size_t n = collect_nodes(a, nodes);
	bh_buf_add_str(out, "digraph {\n");
	write_clusters(nodes, n, out);
	write_edges(a, out);
	bh_buf_add_str(out, "}\n");
	free(nodes);
	return 0;
}

static int write_list(const struct cmd_args *args, const struct kube_answer *a, struct bh_err *err)
{
	struct bh_buf out;
	int rc = 0;
	bh_buf_init(&out, DOCUMENT_BYTES_MAX);
	switch ((enum format)cmd_choice(args, "format")) {
	case FORMAT_TEXT: write_text(a, &out); break;
	case FORMAT_JSON: write_json(a, &out); break;
	case FORMAT_CSV: write_csv(a, &out); break;
	case FORMAT_MARKDOWN: write_markdown(a, &out); break;
	case FORMAT_DOT: rc = write_dot(a, &out, err); break;
	}
	rc = rc < 0 ? rc : cmd_write_document(args, &out, err);
	bh_buf_done(&out);
	return rc;
}

static int run(const struct cmd_args *args)
{
	const char *const *targets;
	size_t n = cmd_targets(args, &targets);
	struct netpol_listing listing = { .services = cmd_flag(args, "exposure") };
	const struct kube_question question = { .name = "network policies", .paths = { { targets + 1, n - 1 } }, .answer = netpol_list, .ctx = &listing };
	struct kube_answer answer;
	struct bh_err err = { 0 };
	int rc = kube_ask(&question, &answer, &err);
	if (rc < 0)
		return cmd_failed(&err);
	cmd_tell_gaps(&answer);
	rc = cmd_want_objects(&answer, targets[1], &err);
	rc = rc < 0 ? rc : write_list(args, &answer, &err);
	int code = rc < 0 ? cmd_failed(&err) : answer.gaps.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	kube_answer_done(&answer);
	return code;
}

const struct cmd_command cmd_command_netpol = {
	.name = "netpol",
	.usage = "list [options] PATH...",
	.summary = "List who may connect to whom by Kubernetes' network policies",
	.options = options,
	.min_targets = 2,
	.max_targets = SIZE_MAX,
	.verbs = verbs,
	.details = details,
	.run = run,
};
