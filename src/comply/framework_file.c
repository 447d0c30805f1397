#include "comply/framework_file.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "base/vec.h"
#include "comply/settings.h"
#include "kube/rules.h"
#include "sys/files.h"

#include <stdio.h>

#define FILE_BYTES_MAX (4u << 20)
#define CONTROLS_MAX 10000u
#define CHECKS_MAX 200u /* of one control */
#define COLUMNS 5u
#define NAME_BYTES_MAX 128u

BH_VEC(control_vec, struct comply_control)
BH_VEC(check_vec, struct comply_check)

struct parsing {
	const char *file;
	unsigned line;
	struct bh_arena *arena;
	struct comply_framework framework;
	struct control_vec controls;
	struct bh_map ids;
	struct bh_err *err;
};

static int bad(const struct parsing *p, const char *what, struct bh_slice detail)
{
	return bh_fail(p->err, BH_EUSAGE, 0, "%s:%u: %s%.*s", p->file, p->line, what, BH_SLICE_FMT(detail));
}

static int no_memory(const struct parsing *p)
{
	return bh_fail(p->err, BH_ELIMIT, 0, "%s: more than %u controls, or %u checks of one", p->file, CONTROLS_MAX, CHECKS_MAX);
}

/* ---- which checks there are ---- */

static bool is_built_in_policy(struct bh_slice check)
{
	char wanted[NAME_BYTES_MAX];
	if (check.len + 32 > sizeof(wanted))
		return false;
	(void)snprintf(wanted, sizeof(wanted), "bulkhead.io/check: %.*s\n", BH_SLICE_FMT(check));
	for (size_t i = 0; i < kube_rules_count; i++)
		if (strstr(kube_rules[i].text, wanted))
			return true;
	return false;
}

static bool recognise(struct bh_slice *name, enum comply_source *ret)
{
	static const char *const classes[] = { "class:vulnerability", "class:secret", "class:misconfiguration", "class:malware", "class:end-of-life", "class:license", NULL };
	enum bh_severity severity;
	const char *fix;
	if (bh_slice_starts(*name, BH_SLICE_LIT("policy:"))) {
		*name = bh_slice_sub(*name, 7, name->len);
		*ret = COMPLY_OWN;
		return name->len > 0;
	}
	if (bh_slice_is_one_of(*name, classes))
		*ret = COMPLY_CLASS;
	else if (node_check_facts(*name, &severity, &fix))
		*ret = COMPLY_NODE;
	else if (is_built_in_policy(*name))
		*ret = COMPLY_POLICY;
	else
		return false;
	return true;
}

/* ---- a line ---- */

static int take_checks(struct parsing *p, struct bh_slice names, struct comply_control *control)
{
	struct check_vec checks = { .max = CHECKS_MAX };
	int rc = 0;
	while (rc == 0 && names.len) {
		struct bh_slice name;
		struct comply_check check;
		(void)bh_slice_cut(names, ' ', &name, &names);
		if (name.len == 0)
			continue;
		if (!recognise(&name, &check.source))
			rc = bad(p, "no check is called ", name);
		else if (!(check.id = bh_arena_strdup(p->arena, name)) || !check_vec_push(&checks, check))
			rc = no_memory(p);
	}
	struct comply_check *list = rc == 0 ? bh_arena_array(p->arena, checks.len + 1, sizeof(*list)) : NULL;
	if (rc == 0 && !list)
		rc = no_memory(p);
	if (rc == 0 && checks.len)
		memcpy(list, checks.ptr, checks.len * sizeof(*list));
	control->checks = list;
	control->n_checks = checks.len;
	check_vec_done(&checks);
	return rc;
}

static int check_control(struct parsing *p, const struct comply_control *c)
{
	bool has_note = c->note[0] != '\0';
	if (c->id[0] == '\0' || c->title[0] == '\0')
		return bad(p, "a control without id or title", (struct bh_slice){ 0 });
	if (c->how == COMPLY_DECIDED && (c->n_checks == 0 || has_note))
		return bad(p, "a decided control has checks and no note", (struct bh_slice){ 0 });
	if (c->how == COMPLY_FINDS && (c->n_checks == 0 || !has_note))
		return bad(p, "a control that finds has checks, and a note that says what else to look at", (struct bh_slice){ 0 });
	if (c->how == COMPLY_MANUAL && (c->n_checks || !has_note))
		return bad(p, "a manual control has no checks, and a note that says what to look at", (struct bh_slice){ 0 });
	void **at = bh_map_put(&p->ids, bh_slice_str(c->id));
	if (at && *at)
		return bad(p, "a second control is called ", bh_slice_str(c->id));
	if (!at || !control_vec_push(&p->controls, *c))
		return no_memory(p);
	*at = p;
	return 0;
}

static int take_control(struct parsing *p, struct bh_slice line)
{
	static const char *const hows[] = { "decided", "finds", "manual", NULL };
	struct bh_slice cells[COLUMNS];
	struct comply_control c = { 0 };
	size_t n = 0, how = 0;
	for (bool more = true; more && n < COLUMNS; n++)
		more = bh_slice_cut(line, '\t', &cells[n], &line);
	if (n < COLUMNS || line.len)
		return bad(p, "five columns were expected: id, title, how, checks, note", (struct bh_slice){ 0 });
	if (bh_slice_eq_str(cells[0], "id") && bh_slice_eq_str(cells[1], "title"))
		return 0;
	while (hows[how] && !bh_slice_eq_str(cells[2], hows[how]))
		how++;
	if (!hows[how])
		return bad(p, "decided, finds or manual was expected, not ", cells[2]);
	c.how = (enum comply_how)how;
	c.id = bh_arena_strdup(p->arena, bh_slice_trim(cells[0]));
	c.title = bh_arena_strdup(p->arena, bh_slice_trim(cells[1]));
	c.note = bh_arena_strdup(p->arena, bh_slice_trim(cells[4]));
	if (!c.id || !c.title || !c.note)
		return no_memory(p);
	int rc = take_checks(p, cells[3], &c);
	return rc < 0 ? rc : check_control(p, &c);
}

/* "#name<TAB>acme"; other lines that begin with "#" are comments. */
static int take_head(struct parsing *p, struct bh_slice line)
{
	const struct {
		const char *key;
		const char **value;
	} keys[] = { { "#name", &p->framework.name }, { "#version", &p->framework.version }, { "#title", &p->framework.title }, { "#for", &p->framework.applies_to } };
	struct bh_slice key, value;
	if (!bh_slice_cut(line, '\t', &key, &value))
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!bh_slice_eq_str(key, keys[i].key))
			continue;
		*keys[i].value = bh_arena_strdup(p->arena, bh_slice_trim(value));
		if (!*keys[i].value)
			return no_memory(p);
	}
	return 0;
}

static int finish(struct parsing *p, struct comply_framework *ret)
{
	struct comply_framework *f = &p->framework;
	p->line = 1;
	if (!f->name || !f->version || !f->title || bh_slice_find(bh_slice_str(f->name), ':') < strlen(f->name))
		return bad(p, "lines #name, #version and #title were expected, and no \":\" in the name", (struct bh_slice){ 0 });
	if (p->controls.len == 0)
		return bad(p, "there is no control", (struct bh_slice){ 0 });
	struct comply_control *list = bh_arena_array(p->arena, p->controls.len, sizeof(*list));
	if (!list)
		return no_memory(p);
	memcpy(list, p->controls.ptr, p->controls.len * sizeof(*list));
	f->controls = list;
	f->n_controls = p->controls.len;
	f->applies_to = f->applies_to ? f->applies_to : p->file;
	*ret = *f;
	return 0;
}

int comply_framework_parse(struct bh_slice text, const char *file, struct bh_arena *arena, struct comply_framework *ret, struct bh_err *err)
{
	struct parsing p = { .file = file, .arena = arena, .controls = { .max = CONTROLS_MAX }, .err = err };
	int rc = 0;
	bh_map_init(&p.ids, CONTROLS_MAX);
	while (rc == 0 && text.len) {
		struct bh_slice line;
		(void)bh_slice_cut(text, '\n', &line, &text);
		p.line++;
		if (bh_slice_ends(line, BH_SLICE_LIT("\r")))
			line.len--;
		if (line.len && memchr(line.ptr, '\0', line.len))
			rc = bad(&p, "a NUL byte", (struct bh_slice){ 0 });
		else if (line.len && line.ptr[0] == '#')
			rc = take_head(&p, line);
		else if (line.len)
			rc = take_control(&p, line);
	}
	rc = rc < 0 ? rc : finish(&p, ret);
	bh_map_done(&p.ids);
	control_vec_done(&p.controls);
	return rc;
}

int comply_framework_load(const char *path, struct bh_arena *arena, struct comply_framework *ret, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = bh_read_file(path, FILE_BYTES_MAX, &text, err);
	return rc < 0 ? rc : comply_framework_parse(bh_buf_slice(&text), path, arena, ret, err);
}
