/* policy_show.c: policies in words, and what of them a kernel can't do (policy.h). */
#include "agent/policy.h"

#include <string.h>

static void add_names(uint32_t deeds, struct bh_buf *out)
{
	bool any = false;
	for (size_t i = 0; i < GUARD_DEEDS; i++)
		if (deeds >> i & 1) {
			bh_buf_printf(out, "%s%s", any ? ", " : "", agent_deed_at(i)->name);
			any = true;
		}
}

static void tell_missing(const struct agent_policy *p, uint32_t missing, enum agent_means means, const char *would_need, const char *instead, struct bh_buf *out)
{
	uint32_t own = 0;
	for (size_t i = 0; i < GUARD_DEEDS; i++)
		own |= missing >> i & 1 && agent_deed_at(i)->without_lsm == means ? 1u << i : 0;
	if (!own)
		return;
	bh_buf_printf(out, "policy '%s' asks to refuse ", p->name);
	add_names(own, out);
	bh_buf_printf(out, ": would need %s; %s\n", would_need, p->rules.kills_instead & own || means == AGENT_NOTHING || means == AGENT_GROUP ? instead : "only told here");
}

void agent_policies_tell(const struct agent_policies *p, uint32_t refuses, struct bh_buf *out)
{
	for (size_t i = 0; i < p->policies.len; i++) {
		const struct agent_policy *own = &p->policies.ptr[i];
		uint32_t missing = own->rules.refused & ~refuses & ~own->rules.kills;
		tell_missing(own, missing, AGENT_BEFORE, "LSM", "the process is killed before it has anything of it", out);
		tell_missing(own, missing, AGENT_AFTER, "LSM", "the process is killed when it is done, not before", out);
		tell_missing(own, missing, AGENT_NOTHING, "LSM", "nothing is done here, and nothing told", out);
		tell_missing(own, missing, AGENT_GROUP, "control groups of version 2", "nothing is done here, and nothing told", out);
	}
}

/* ---- in words ---- */

static void show_deeds(const char *what, uint32_t deeds, struct bh_buf *out)
{
	if (!deeds)
		return;
	bh_buf_printf(out, "; %s ", what);
	add_names(deeds, out);
}

static void show_patterns(const struct agent_policies *p, uint32_t number, bool is_name, struct bh_buf *out)
{
	bool any = false;
	for (size_t i = 0; i < p->matches.len; i++) {
		const struct agent_policy_match *m = &p->matches.ptr[i];
		if (m->policy != number || m->is_name != is_name)
			continue;
		bh_buf_add_str(out, any ? ", " : is_name ? " containers " : " images ");
		bh_buf_add_escaped(out, bh_slice_str(m->pattern));
		any = true;
	}
}

void agent_policies_show(const struct agent_policies *p, struct bh_buf *out)
{
	for (uint32_t i = 0; i < p->policies.len; i++) {
		const struct agent_policy *own = &p->policies.ptr[i];
		if (!own->name[0])
			continue;
		bh_buf_printf(out, "%s: for", own->name);
		show_patterns(p, i, false, out);
		show_patterns(p, i, true, out);
		bh_buf_add_str(out, i == 0 ? " containers that no other policy is for" : "");
		show_deeds("refuses", own->rules.refused, out);
		show_deeds("kills for", own->rules.kills, out);
		show_deeds("only tells", own->rules.told, out);
		bh_buf_add_byte(out, '\n');
	}
}
