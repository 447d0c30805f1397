#include "cmd/rendering.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/files.h"

/* Words of a command line mean the paths beside them; those of a configuration mean charts wherever there are some. */
static bool is_said(const struct cmd_args *args, const char *option)
{
	const char *origin = cmd_origin(args, option);
	return origin && strcmp(origin, "command line") == 0;
}

static int check_values(const char *file, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	uint64_t size;
	struct bh_err why = { 0 };
	return bh_open_regular(file, &fd, &size, &why) < 0 ? bh_fail(err, BH_EUSAGE, 0, "--values: %s", why.text) : 0;
}

static int check(const struct kube_rendering *r, struct bh_err *err)
{
	if (r->n_values > KUBE_VALUES_MAX || r->n_sets > KUBE_VALUES_MAX)
		return bh_fail(err, BH_EUSAGE, 0, "--values, --set: more than %u of them", KUBE_VALUES_MAX);
	for (size_t i = 0; i < r->n_sets; i++)
		if (!strchr(r->sets[i], '='))
			return bh_fail(err, BH_EUSAGE, 0, "--set: KEY=VALUE was expected, not %s", r->sets[i]);
	for (size_t i = 0; i < r->n_values; i++)
		if (check_values(r->values[i], err) < 0)
			return err->code;
	return 0;
}

int cmd_rendering(const struct cmd_args *args, const char *version, struct kube_rendering *ret, struct bh_err *err)
{
	static const char *const options[] = { "values", "set", "release", "release-namespace" };
	struct kube_rendering r = { .release = cmd_string(args, "release"), .namespace = cmd_string(args, "release-namespace") };
	const char *from = version ? cmd_origin(args, version) : NULL;
	r.version = from && strcmp(from, "default") != 0 ? cmd_string(args, version) : NULL; /* our default is newer than many charts allow */
	r.n_values = cmd_list(args, "values", &r.values);
	r.n_sets = cmd_list(args, "set", &r.sets);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		r.wants_chart |= is_said(args, options[i]);
	int rc = check(&r, err);
	if (rc == 0)
		*ret = r;
	return rc;
}
