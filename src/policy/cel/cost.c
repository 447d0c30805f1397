/* cost.c: what calls cost, for several libraries: Kubernetes' model (apiserver library/cost.go, cel-go interpreter/runtimecost.go). */
#include "policy/cel/library.h"

#define DEPTH_MAX 512u

uint64_t cel_size_of(struct cel_value v)
{
	switch (v.kind) {
	case CEL_STRING: return cel_characters(v.text);
	case CEL_BYTES: return v.text.len;
	case CEL_LIST: return v.list->len;
	case CEL_MAP: return v.map->len;
	default: return 1;
	}
}

/* Rounded up. */
static uint64_t part(uint64_t size, uint64_t numerator, uint64_t denominator)
{
	return (size * numerator + denominator - 1) / denominator;
}

uint64_t cel_cost_tenth_of_first(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)result;
	return n ? part(cel_size_of(args[0]), 1, 10) : 1;
}

uint64_t cel_cost_fifth_of_first(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)result;
	return n ? part(cel_size_of(args[0]), 2, 10) : 1;
}

uint64_t cel_cost_fifth_of_result(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)args;
	(void)n;
	return part(cel_size_of(*result), 2, 10);
}

uint64_t cel_cost_of_match(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)result;
	return n < 2 ? 1 : part(1 + cel_size_of(args[0]), 1, 10) * part(cel_size_of(args[1]), 1, 4);
}

static uint64_t traversal(struct cel_value v, unsigned depth)
{
	uint64_t sum = 0;
	switch (v.kind) {
	case CEL_STRING:
	case CEL_BYTES: return v.text.len / 10;
	case CEL_LIST:
		for (size_t i = 0; i < v.list->len && depth < DEPTH_MAX; i++)
			sum += traversal(v.list->items[i], depth + 1);
		return sum;
	case CEL_MAP:
		for (size_t i = 0; i < v.map->len && depth < DEPTH_MAX; i++)
			sum += traversal(v.map->entries[i].key, depth + 1) + traversal(v.map->entries[i].value, depth + 1);
		return sum;
	default: return 1;
	}
}

uint64_t cel_cost_of_traversal(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)result;
	return n ? traversal(args[0], 0) : 1;
}
