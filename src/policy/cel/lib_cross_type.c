/*
 * lib_cross_type.c: < <= > >= of numbers of different kinds for the checker (cel-go CrossTypeNumericComparisons; Kubernetes since 1.28). At run time they
 * are compared anyway: dyn(1) < 2.0.
 */
#include "policy/cel/library.h"

#define ORDER(op, name)                                                                                              \
	{ op, #name "_int64_double", "(int, double) -> bool", NULL, NULL },                                          \
	{ op, #name "_int64_uint64", "(int, uint) -> bool", NULL, NULL },                                            \
	{ op, #name "_uint64_double", "(uint, double) -> bool", NULL, NULL },                                        \
	{ op, #name "_uint64_int64", "(uint, int) -> bool", NULL, NULL },                                            \
	{ op, #name "_double_int64", "(double, int) -> bool", NULL, NULL },                                          \
	{ op, #name "_double_uint64", "(double, uint) -> bool", NULL, NULL }

static const struct cel_overload overloads[] = {
	ORDER("_<_", less),
	ORDER("_<=_", less_equals),
	ORDER("_>_", greater),
	ORDER("_>=_", greater_equals),
	{ 0 },
};

const struct cel_library cel_library_cross_type = { .name = "cross_type", .overloads = overloads };
