/* settings.h: what components are told, against settings.def. */
#ifndef BH_COMPLY_SETTINGS_H
#define BH_COMPLY_SETTINGS_H

#include "comply/component.h"

/* Where a value is set, and how. */
enum setting_state { SETTING_UNSET, SETTING_SET, SETTING_UNKNOWN /* the file that may tell was not read */ };

struct setting_value {
	enum setting_state state;
	struct bh_slice text;  /* lists: separated by commas; of UNKNOWN: why */
	struct bh_slice name;  /* "--profiling", "authentication.anonymous.enabled" */
	struct bh_slice file;
	uint32_t line;
};

/* The value of a flag or of its place in a configuration file; see settings.def. Either may be empty. */
int setting_find(struct node *n, const struct component_instance *in, struct bh_slice flag, struct bh_slice config, struct setting_value *ret, struct bh_err *err)
	BH_MUST_CHECK;

static inline bool setting_is_given(const struct setting_value *v)
{
	return v->state == SETTING_SET && v->text.len;
}

/* The row tells where the value stands. */
static inline void setting_point_at(struct comply_row *row, const struct setting_value *v)
{
	row->file = v->file.len ? v->file : row->file;
	row->line = v->line;
}

/* "http://" and another host than this one. */
bool setting_is_plain_http(struct bh_slice url);

/* A question that needs more than one setting: says its rows itself. */
typedef int setting_special(struct node *n, const struct component_instance *in, struct comply_row *row, struct bh_err *err);

/* Tells a row; `fmt` makes its text. */
int node_say(struct node *n, struct comply_row *row, enum comply_verdict verdict, struct bh_err *err, const char *fmt, ...) BH_PRINTF(5, 6) BH_MUST_CHECK;

/* All settings of all instances. */
int node_check_settings(struct node *n, struct bh_err *err) BH_MUST_CHECK;

/* Severity and fix of any check of a node; false: there is none of that name. */
bool node_check_facts(struct bh_slice check, enum bh_severity *severity, const char **fix);

#endif
