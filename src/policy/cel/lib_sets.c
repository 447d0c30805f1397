/* lib_sets.c: lists as sets (cel-go ext.Sets; Kubernetes since 1.29). */
#include "policy/cel/library.h"

static bool holds(const struct cel_list *list, struct cel_value v)
{
	for (size_t i = 0; i < list->len; i++)
		if (cel_equal(list->items[i], v))
			return true;
	return false;
}

static bool holds_all(const struct cel_list *list, const struct cel_list *of)
{
	for (size_t i = 0; i < of->len; i++)
		if (!holds(list, of->items[i]))
			return false;
	return true;
}

static struct cel_value contains(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)run, (void)n;
	return cel_bool(holds_all(a[0].list, a[1].list));
}

static struct cel_value equivalent(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)run, (void)n;
	return cel_bool(holds_all(a[0].list, a[1].list) && holds_all(a[1].list, a[0].list));
}

static struct cel_value intersects(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)run, (void)n;
	for (size_t i = 0; i < a[0].list->len; i++)
		if (holds(a[1].list, a[0].list->items[i]))
			return cel_bool(true);
	return cel_bool(false);
}

/* Every element with every other. */
static uint64_t cost(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)n, (void)result;
	return 1 + args[0].list->len * args[1].list->len;
}

static uint64_t cost_both_ways(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	return 2 * cost(args, n, result) - 1;
}

static const struct cel_overload overloads[] = {
	{ "sets.contains", "list_sets_contains_list", "(list(A), list(A)) -> bool", contains, cost },
	{ "sets.equivalent", "list_sets_equivalent_list", "(list(A), list(A)) -> bool", equivalent, cost_both_ways },
	{ "sets.intersects", "list_sets_intersects_list", "(list(A), list(A)) -> bool", intersects, cost },
	{ 0 },
};

const struct cel_library cel_library_sets = { .name = "sets", .overloads = overloads };
