/* runtime.c: until when the runtimes of the platforms get security updates. A runtime that the table lacks is not judged: the answer is unknown. */
#include "serverless/build.h"

static const struct {
	const char *platform, *runtime, *ends, *successor;
} runtimes[] = {
#define RUNTIME(platform, runtime, ends, successor) { platform, runtime, ends, successor },
#include "serverless/runtimes.def"
#undef RUNTIME
};

static void put_end(struct fn_map *spec, const char *platform, struct fn_from from)
{
	struct fn_doc *doc = spec->doc;
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		if (!bh_slice_eq_str(from.value.text, runtimes[i].runtime) || strcmp(platform, runtimes[i].platform) != 0)
			continue;
		bool has_end = runtimes[i].ends[0];
		struct fn_map end = fn_map_at(doc, from);
		if (has_end)
			fn_put_as(&end, "date", cel_string(bh_slice_str(runtimes[i].ends)), from);
		fn_put_as(&end, "isPast", cel_bool(has_end && strcmp(doc->today, runtimes[i].ends) >= 0), from);
		if (runtimes[i].successor[0])
			fn_put_as(&end, "successor", cel_string(bh_slice_str(runtimes[i].successor)), from);
		fn_put_as(spec, "endOfLife", fn_map_end(&end), from);
		return;
	}
	fn_put_as(spec, "endOfLife", cel_unknown(), from);
}

void fn_put_runtime(struct fn_map *spec, const char *platform, struct fn_from runtime)
{
	fn_put(spec, "runtime", runtime);
	if (runtime.value.kind == CEL_STRING)
		put_end(spec, platform, runtime);
	else if (fn_has(runtime))
		fn_put_as(spec, "endOfLife", cel_unknown(), runtime);
}
