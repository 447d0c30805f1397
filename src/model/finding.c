/* finding.c: the names of severities, classes, states, rulings and baselines. */
#include "model/finding.h"

static const char *const severities[] = {
	[BH_SEV_UNKNOWN] = "unknown", [BH_SEV_NEGLIGIBLE] = "negligible", [BH_SEV_LOW] = "low",
	[BH_SEV_MEDIUM] = "medium",   [BH_SEV_HIGH] = "high",             [BH_SEV_CRITICAL] = "critical",
};

static const char *const states[] = {
	[BH_STATE_AFFECTED] = "affected",         [BH_STATE_FIXED] = "fixed",         [BH_STATE_NOT_AFFECTED] = "not_affected",
	[BH_STATE_IGNORED] = "ignored",           [BH_STATE_POSTPONED] = "postponed", [BH_STATE_END_OF_LIFE] = "end_of_life",
	[BH_STATE_UNDETERMINED] = "undetermined",
};

static const char *const classes[] = {
	[BH_CLASS_VULNERABILITY] = "vulnerability", [BH_CLASS_SECRET] = "secret",           [BH_CLASS_MISCONFIGURATION] = "misconfiguration",
	[BH_CLASS_MALWARE] = "malware",             [BH_CLASS_END_OF_LIFE] = "end-of-life", [BH_CLASS_DRIFT] = "drift",
	[BH_CLASS_LICENSE] = "license",             [BH_CLASS_EXCEPTION] = "exception",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool name_index(struct bh_slice s, const char *const *names, size_t n, size_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (bh_slice_eq_str(s, names[i])) {
			*out = i;
			return true;
		}
	return false;
}

const char *bh_severity_name(enum bh_severity s)
{
	return (size_t)s < COUNT(severities) ? severities[s] : "unknown";
}

bool bh_severity_parse(struct bh_slice s, enum bh_severity *out)
{
	size_t i;
	if (!name_index(s, severities, COUNT(severities), &i))
		return false;
	*out = (enum bh_severity)i;
	return true;
}

const char *bh_class_name(enum bh_finding_class c)
{
	return (size_t)c < COUNT(classes) ? classes[c] : "unknown";
}

const char *bh_ruling_name(enum bh_ruling_kind k)
{
	switch (k) {
	case BH_RULING_NONE: return "none";
	case BH_RULING_EXCEPTION: return "exception";
	case BH_RULING_VEX: return "vex";
	}
	return "none";
}

const char *bh_patch_level_name(enum bh_patch_level l)
{
	switch (l) {
	case BH_PATCH_NONE: return "none";
	case BH_PATCH_SAFE: return "safe";
	case BH_PATCH_ALL: return "all";
	}
	return "none";
}

const char *bh_baseline_name(enum bh_baseline b)
{
	switch (b) {
	case BH_BASELINE_NONE: return "none";
	case BH_BASELINE_UNCHANGED: return "unchanged";
	case BH_BASELINE_NEW: return "new";
	case BH_BASELINE_WORSE: return "worse";
	}
	return "none";
}

const char *bh_state_name(enum bh_state s)
{
	return (size_t)s < COUNT(states) ? states[s] : "undetermined";
}

bool bh_state_parse(struct bh_slice s, enum bh_state *out)
{
	size_t i;
	if (!name_index(s, states, COUNT(states), &i))
		return false;
	*out = (enum bh_state)i;
	return true;
}
