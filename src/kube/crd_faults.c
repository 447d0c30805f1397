#include "kube/crd_faults.h"

#include <stdarg.h>
#include <stdio.h>

int crd_tell(const struct kube_fault_taker *taker, enum kube_fault fault, const void *container, struct bh_slice field, struct bh_err *err, const char *format, ...)
{
	char text[CRD_MESSAGE_BYTES_MAX];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	struct bh_slice message = { (const uint8_t *)text, n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 };
	return taker->take(taker->ctx, fault, container, field, message, err);
}

struct crd_spot crd_field_spot(const struct crd_spot *of, const struct cel_entry *e)
{
	bool is_map = of->written.kind == CEL_MAP;
	const struct cel_value *written = is_map ? cel_map_field(of->written.map, e->key.text) : NULL;
	struct crd_spot at = { .value = e->value, .written = written ? *written : cel_null(), .name = e->key.text };
	at.container = is_map ? (const void *)of->written.map : of->container;
	at.field = is_map ? e->key.text : of->field;
	return at;
}

struct crd_spot crd_item_spot(const struct crd_spot *of, size_t i, char name[CRD_NAME_BYTES_MAX])
{
	bool is_list = of->written.kind == CEL_LIST, is_written = is_list && i < of->written.list->len;
	int n = snprintf(name, CRD_NAME_BYTES_MAX, "%.*s[%zu]", BH_SLICE_FMT(bh_slice_sub(of->name, 0, CRD_NAME_BYTES_MAX / 2)), i);
	struct crd_spot at = { .value = of->value.list->items[i], .name = { (const uint8_t *)name, n < 0 ? 0 : (size_t)n } };
	at.written = is_written ? of->written.list->items[i] : cel_null();
	at.container = is_list ? (const void *)of->written.list : of->container;
	if (!is_list)
		at.field = of->field;
	if (at.written.kind == CEL_MAP) /* which has a place of its own, and so a line */
		at.container = at.written.map;
	else if (at.written.kind == CEL_LIST)
		at.container = at.written.list;
	return at;
}
