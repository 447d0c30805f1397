#include "kube/owned.h"

#include "base/cleanup.h"

#define TOLD_MAX 2000000u
#define TOLD_BYTES_MAX (512u << 20)
#define KEY_BYTES_MAX 4096u

void owned_init(struct owned *o)
{
	bh_map_init(&o->told, TOLD_MAX);
	bh_arena_init(&o->arena, TOLD_BYTES_MAX);
}

void owned_done(struct owned *o)
{
	bh_map_done(&o->told);
	bh_arena_done(&o->arena);
}

/* Null when it has none. */
static struct cel_value controller_of(const struct kube_object *object)
{
	const struct cel_value owners = kube_path(object->value, "metadata.ownerReferences");
	for (size_t i = 0; owners.kind == CEL_LIST && i < owners.list->len; i++) {
		const struct cel_value is = kube_get(owners.list->items[i], "controller");
		if (cel_is_true(is))
			return owners.list->items[i];
	}
	return (struct cel_value){ .kind = CEL_NULL };
}

unsigned owned_rank(const struct kube_object *object)
{
	if (controller_of(object).kind != CEL_MAP)
		return 0;
	return bh_slice_eq_str(object->kind, "Pod") ? 2 : 1;
}

static void write_key(struct bh_buf *key, struct bh_slice namespace, struct bh_slice kind, struct bh_slice name, struct bh_slice check)
{
	bh_buf_clear(key);
	bh_buf_printf(key, "%.*s/%.*s/%.*s %.*s", BH_SLICE_FMT(namespace), BH_SLICE_FMT(kind), BH_SLICE_FMT(name), BH_SLICE_FMT(check));
}

static bool keep(struct owned *o, struct bh_slice key)
{
	static char mark;
	struct bh_slice copy;
	if (bh_map_get(&o->told, key))
		return true;
	void **at = bh_arena_copy(&o->arena, key, &copy) ? bh_map_put(&o->told, copy) : NULL;
	if (at)
		*at = &mark;
	return at != NULL;
}

int owned_tell(struct owned *o, const struct kube_object *object, struct bh_slice check, bool *ret_told, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf key = { 0 };
	const struct cel_value controller = controller_of(object);
	bh_buf_init(&key, KEY_BYTES_MAX);
	*ret_told = false;
	if (controller.kind == CEL_MAP) {
		write_key(&key, object->namespace, kube_text(controller, "kind"), kube_text(controller, "name"), check);
		*ret_told = bh_map_get(&o->told, bh_buf_slice(&key)) != NULL;
	}
	write_key(&key, object->namespace, kube_shown_kind(object), kube_shown_name(object), check);
	if (key.failed) /* names that no cluster takes: nobody owns them */
		return 0;
	return keep(o, bh_buf_slice(&key)) ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %u findings", TOLD_MAX);
}
