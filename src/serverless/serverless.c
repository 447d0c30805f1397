#include "serverless/serverless.h"

#include <time.h>

#include "serverless/code.h"
#include "serverless/format.h"

#define FORMAT(name) extern const struct fn_format fn_format_##name;
#include "serverless/formats.def"
#undef FORMAT

static const struct fn_format *const formats[] = {
#define FORMAT(name) &fn_format_##name,
#include "serverless/formats.def"
#undef FORMAT
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct fn_format *format_of(const struct bh_yaml_node *root)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (formats[i]->knows && formats[i]->knows(root))
			return formats[i];
	return NULL;
}

static bool knows(void *ctx, const struct bh_yaml_node *root)
{
	(void)ctx;
	return bh_yaml_is(root, BH_YAML_MAPPING) && format_of(root) != NULL;
}

static int read_as(const struct serverless *s, const struct fn_format *format, const struct kube_document *d, struct bh_err *err)
{
	struct fn_doc doc = { .d = d, .arena = kube_set_arena(d->set), .root = d->root, .today = s->today };
	format->read(&doc);
	fn_code_done(&doc);
	return doc.failed ? bh_fail(err, BH_ELIMIT, 0, "the functions need more memory than there is for manifests") : 0;
}

static int read(void *ctx, const struct kube_document *d, struct bh_err *err)
{
	const struct fn_format *format = format_of(d->tree->places.ptr[0].node);
	return format ? read_as(ctx, format, d, err) : 0;
}

static int read_object(void *ctx, const struct kube_document *d, struct bh_err *err)
{
	struct bh_slice group, version, api = kube_text(d->root, "apiVersion");
	if (!bh_slice_cut(api, '/', &group, &version))
		return 0;
	for (size_t i = 0; i < N_FORMATS; i++)
		if (formats[i]->knows_object && formats[i]->knows_object(group, kube_text(d->root, "kind")))
			return read_as(ctx, formats[i], d, err);
	return 0;
}

void serverless_init(struct serverless *s, int64_t now_s)
{
	time_t now = (time_t)now_s;
	struct tm tm;
	*s = (struct serverless){ .foreign = { s, knows, read, read_object } };
	if (!gmtime_r(&now, &tm) || strftime(s->today, sizeof(s->today), "%Y-%m-%d", &tm) == 0)
		s->today[0] = '\0';
}
