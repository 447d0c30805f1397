/* lib_bindings.c: cel.bind(name, value, body): a name for a value that is used several times (cel-go ext.Bindings). */
#include "policy/cel/library.h"
#include "policy/cel/macros.h"

static struct cel_expr *bind(struct cel_maker *m, const struct cel_macro_call *call)
{
	struct bh_slice name;
	if (!cel_macro_is_namespace(call->target, "cel") || !cel_macro_name(m, call->args[0], &name))
		return NULL;
	return cel_macro_bind(m, call->offset_bytes, name, call->args[1], call->args[2]);
}

static const struct cel_macro macros[] = {
	{ "bind", true, 3, bind },
	{ 0 },
};

const struct cel_library cel_library_bindings = { .name = "bindings", .macros = macros };
