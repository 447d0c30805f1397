/* fuzz_kube_flows.c: any input as recorded flows. Texts of what is taken can be read, ports are ports, lines count up. */
#include "kube/flows.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_all(struct bh_slice s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < s.len; i++)
		sum += s.ptr[i];
	return sum;
}

static uint64_t read_end(const struct kube_flow_end *e)
{
	uint64_t sum = read_all(e->name) + read_all(e->namespace) + read_all(e->workload) + read_all(e->kind) + read_all(e->pod) + read_all(e->address);
	for (size_t i = 0; i < e->n_labels; i++)
		sum += read_all(e->labels[i]);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_arena arena;
	struct kube_flow_vec flows = { .max = 100000 };
	struct kube_flows_left_out left = { 0 };
	struct bh_err err = { 0 };
	uint32_t line = 0;
	uint64_t sum = 0;
	bh_arena_init(&arena, 64u << 20);
	int rc = kube_flows_read((struct bh_slice){ data, size }, &arena, &flows, &left, &err);
	if (rc < 0 && err.text[0] == '\0')
		abort();
	for (size_t i = 0; i < flows.len; i++) {
		const struct kube_flow *f = &flows.ptr[i];
		if (f->port == 0 || f->line <= line || f->protocol >= KUBE_PROTOCOLS)
			abort();
		line = f->line;
		sum += read_end(&f->from) + read_end(&f->to);
	}
	if (sum == UINT64_MAX)
		abort();
	kube_flow_vec_done(&flows);
	bh_arena_done(&arena);
	return 0;
}
