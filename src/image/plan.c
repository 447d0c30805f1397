/* plan.c: the plan as a value: its memory and its wire form. */
#include "image/plan.h"

#include "base/limits.h"
#include "model/wire.h"

#define PLAN_BYTES_MAX (16u << 20)
#define HISTORY_MAX 1024u    /* instructions; the longest seen have some 150 */
#define LABELS_MAX 1024u
#define TEXTS_MAX 20000u /* of the configuration */
#define SETTINGS_MAX 2048u /* words of the command, variables, ports */
#define TEXT_BYTES_MAX 4096u /* media types, names, history entries: longer ones are cut when the plan is made */

void image_plan_init(struct image_plan *plan)
{
	*plan = (struct image_plan){ .layers.max = BH_LAYERS_MAX, .history.max = HISTORY_MAX, .labels.max = LABELS_MAX, .texts.max = TEXTS_MAX, .texts_of = "config",
				     .settings.max = SETTINGS_MAX };
	bh_arena_init(&plan->arena, PLAN_BYTES_MAX);
	bh_buf_init(&plan->config, BH_MANIFEST_BYTES_MAX);
}

void image_plan_done(struct image_plan *plan)
{
	image_plan_layer_vec_done(&plan->layers);
	bh_history_vec_done(&plan->history);
	bh_label_vec_done(&plan->labels);
	image_text_vec_done(&plan->texts);
	bh_setting_vec_done(&plan->settings);
	bh_buf_done(&plan->config);
	bh_arena_done(&plan->arena);
}

static void put_text(struct bh_buf *b, struct bh_slice s)
{
	bh_wire_put_slice(b, bh_slice_sub(s, 0, TEXT_BYTES_MAX));
}

static bool get_text(struct bh_reader *r, struct bh_arena *a, struct bh_slice *out)
{
	struct bh_slice s;
	return bh_wire_get_slice(r, TEXT_BYTES_MAX, &s) && bh_arena_copy(a, s, out);
}

bool image_plan_put_head(struct bh_buf *b, const struct image_plan *plan)
{
	bh_wire_put_digest(b, &plan->digest);
	bh_wire_put_digest(b, &plan->config_digest);
	put_text(b, plan->os);
	put_text(b, plan->architecture);
	put_text(b, plan->variant);
	put_text(b, plan->created);
	put_text(b, plan->reference);
	return !b->failed;
}

bool image_plan_get_head(struct bh_slice frame, struct image_plan *plan)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_arena *a = &plan->arena;
	return bh_wire_get_digest(&r, &plan->digest) && bh_wire_get_digest(&r, &plan->config_digest) && get_text(&r, a, &plan->os) &&
	       get_text(&r, a, &plan->architecture) && get_text(&r, a, &plan->variant) && get_text(&r, a, &plan->created) &&
	       get_text(&r, a, &plan->reference) && bh_reader_left(&r) == 0;
}

bool image_plan_put_layer(struct bh_buf *b, const struct image_plan_layer *layer)
{
	bh_wire_put_digest(b, &layer->digest);
	bh_wire_put_digest(b, &layer->diff_id);
	bh_wire_put_u64(b, layer->size_bytes);
	put_text(b, layer->media_type);
	put_text(b, layer->created_by);
	put_text(b, layer->skip);
	bh_wire_put_u8(b, (uint8_t)layer->place.kind);
	bh_wire_put_u64(b, layer->place.offset);
	bh_wire_put_u64(b, layer->place.length);
	bh_wire_put_u32(b, layer->place.unit);
	return !b->failed;
}

bool image_plan_get_layer(struct bh_slice frame, struct image_plan *plan)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_arena *a = &plan->arena;
	struct image_plan_layer l = { 0 };
	uint8_t kind;
	if (!bh_wire_get_digest(&r, &l.digest) || !bh_wire_get_digest(&r, &l.diff_id) || !bh_take_u64le(&r, &l.size_bytes) ||
	    !get_text(&r, a, &l.media_type) || !get_text(&r, a, &l.created_by) || !get_text(&r, a, &l.skip) || !bh_take_u8(&r, &kind) ||
	    !bh_take_u64le(&r, &l.place.offset) || !bh_take_u64le(&r, &l.place.length) || !bh_take_u32le(&r, &l.place.unit) ||
	    bh_reader_left(&r) != 0)
		return false;
	if (kind > IMAGE_PLACE_UNIT || (kind == IMAGE_PLACE_NONE) != (l.skip.len > 0) || l.place.offset > INT64_MAX || l.place.length > INT64_MAX)
		return false;
	l.place.kind = (enum image_place_kind)kind;
	return image_plan_layer_vec_push(&plan->layers, l);
}

bool image_plan_put_history(struct bh_buf *b, const struct bh_history *entry)
{
	put_text(b, entry->created_by);
	put_text(b, entry->comment);
	put_text(b, entry->created);
	return bh_wire_put_u32(b, entry->layer);
}

bool image_plan_get_history(struct bh_slice frame, struct image_plan *plan)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_arena *a = &plan->arena;
	struct bh_history h = { 0 };
	return get_text(&r, a, &h.created_by) && get_text(&r, a, &h.comment) && get_text(&r, a, &h.created) && bh_take_u32le(&r, &h.layer) &&
	       bh_reader_left(&r) == 0 && (h.layer < BH_LAYERS_MAX || h.layer == BH_NO_LAYER) && bh_history_vec_push(&plan->history, h);
}

bool image_plan_put_setting(struct bh_buf *b, const struct bh_setting *setting)
{
	bh_wire_put_u8(b, (uint8_t)setting->kind);
	put_text(b, setting->value);
	return !b->failed;
}

bool image_plan_get_setting(struct bh_slice frame, struct image_plan *plan)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_setting s = { 0 };
	uint8_t kind;
	if (!bh_take_u8(&r, &kind) || kind >= BH_SETTING_KINDS || !get_text(&r, &plan->arena, &s.value) || bh_reader_left(&r))
		return false;
	s.kind = (enum bh_setting_kind)kind;
	return bh_setting_vec_push(&plan->settings, s);
}

bool image_plan_put_label(struct bh_buf *b, const struct bh_label *label)
{
	put_text(b, label->name);
	put_text(b, label->value);
	return !b->failed;
}

bool image_plan_get_label(struct bh_slice frame, struct image_plan *plan)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_label l = { 0 };
	return get_text(&r, &plan->arena, &l.name) && get_text(&r, &plan->arena, &l.value) && bh_reader_left(&r) == 0 &&
	       bh_label_vec_push(&plan->labels, l);
}

bool image_plan_get_document(struct bh_slice frame, struct image_plan *plan)
{
	return bh_buf_add(&plan->config, frame);
}
