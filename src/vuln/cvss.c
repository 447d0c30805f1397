/*
 * cvss.c: base scores of CVSS vectors, after FIRST's specifications: v2 (section 3.2.1), v3.0 (8.1) and v3.1 (7.1, with the
 * Roundup of its appendix A); v4.0 is in cvss4.c. Vectors are read strictly: known metrics with known values, each at most once,
 * the base metrics complete. Temporal and environmental metrics may be there; they don't count before v4.0.
 *
 * Doubles are off by less than 1e-13 here, and a base score that is no multiple of 0.1 is at least 4e-6 away from one (seen
 * by going through all of them with fractions), so NEAR decides every border as exact numbers would.
 */
#include "vuln/cvss.h"

#include "vuln/builder.h"

#define NEAR 1e-10
#define BASE_METRICS_MAX 8

/* ---- the vectors ---- */

static const double v3_av[] = { 0.85, 0.62, 0.55, 0.2 }, v3_ac[] = { 0.77, 0.44 }, v3_pr[] = { 0.85, 0.62, 0.27 }, v3_ui[] = { 0.85, 0.62 };
static const double v3_scope[] = { 0, 1 }, v3_impact[] = { 0, 0.22, 0.56 };
static const double v3_pr_changed[] = { 0.85, 0.68, 0.5 };
static const double v2_av[] = { 0.395, 0.646, 1.0 }, v2_ac[] = { 0.35, 0.61, 0.71 }, v2_au[] = { 0.45, 0.56, 0.704 },
	v2_impact[] = { 0, 0.275, 0.66 };

enum { V3_AV, V3_AC, V3_PR, V3_UI, V3_S, V3_C, V3_I, V3_A, V3_BASE };
static const struct cvss_metric v3_metrics[] = {
	{ "AV", "NALP", v3_av },    { "AC", "LH", v3_ac },      { "PR", "NLH", v3_pr },    { "UI", "NR", v3_ui }, { "S", "UC", v3_scope },
	{ "C", "NLH", v3_impact },  { "I", "NLH", v3_impact },  { "A", "NLH", v3_impact }, { "E", "XUPFH" },      { "RL", "XOTWU" },
	{ "RC", "XURC" },           { "CR", "XLMH" },           { "IR", "XLMH" },          { "AR", "XLMH" },      { "MAV", "XNALP" },
	{ "MAC", "XLH" },           { "MPR", "XNLH" },          { "MUI", "XNR" },          { "MS", "XUC" },       { "MC", "XNLH" },
	{ "MI", "XNLH" },           { "MA", "XNLH" },
};

enum { V2_AV, V2_AC, V2_AU, V2_C, V2_I, V2_A, V2_BASE };
static const struct cvss_metric v2_metrics[] = {
	{ "AV", "LAN", v2_av },
	{ "AC", "HML", v2_ac },
	{ "Au", "MSN", v2_au },
	{ "C", "NPC", v2_impact },
	{ "I", "NPC", v2_impact },
	{ "A", "NPC", v2_impact },
	{ "E", "U POC F H ND", .words = true },
	{ "RL", "OF TF W U ND", .words = true },
	{ "RC", "UC UR C ND", .words = true },
	{ "CDP", "N L LM MH H ND", .words = true },
	{ "TD", "N L M H ND", .words = true },
	{ "CR", "L M H ND", .words = true },
	{ "IR", "L M H ND", .words = true },
	{ "AR", "L M H ND", .words = true },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The index of a value, or -1. */
static int value_of(const struct cvss_metric *m, struct bh_slice text)
{
	if (!m->words) {
		const char *at = text.len == 1 && text.ptr[0] ? strchr(m->values, text.ptr[0]) : NULL;
		return at ? (int)(at - m->values) : -1;
	}
	struct bh_slice word, rest = bh_slice_str(m->values);
	bool more = true;
	for (int i = 0; more; i++) {
		more = bh_slice_cut(rest, ' ', &word, &rest);
		if (bh_slice_eq(word, text))
			return i;
	}
	return -1;
}

bool cvss_read_vector(struct bh_slice vector, const struct cvss_metric *metrics, size_t n, size_t n_base, int values[CVSS_METRICS_MAX])
{
	bool more = true;
	for (size_t i = 0; i < CVSS_METRICS_MAX; i++)
		values[i] = -1;
	while (more) {
		struct bh_slice part, name, value;
		more = bh_slice_cut(vector, '/', &part, &vector);
		size_t i = 0;
		if (!bh_slice_cut(part, ':', &name, &value))
			return false;
		while (i < n && !bh_slice_eq_str(name, metrics[i].name))
			i++;
		if (i == n || values[i] >= 0 || (values[i] = value_of(&metrics[i], value)) < 0)
			return false;
	}
	for (size_t i = 0; i < n_base; i++)
		if (values[i] < 0)
			return false;
	return true;
}

static void weigh(const struct cvss_metric *metrics, size_t n_base, const int values[CVSS_METRICS_MAX], double weights[BASE_METRICS_MAX])
{
	for (size_t i = 0; i < n_base; i++)
		weights[i] = metrics[i].weights[values[i]];
}

/* ---- the formulas ---- */

static double power(double x, int n)
{
	double p = 1;
	while (n-- > 0)
		p *= x;
	return p;
}

/* Up to the next tenth: the ceiling of v3.0, and the Roundup of v3.1, which says the same without trusting doubles. */
static uint16_t tenths_up(double score)
{
	double t = score * 10 - NEAR;
	uint16_t whole = t > 0 ? (uint16_t)t : 0;
	return (uint16_t)(whole + (t > whole));
}

/* Roundup of v3.1: round to 5 digits first, so what is 0.000005 above a tenth stays there. */
static uint16_t tenths_up_31(double score)
{
	uint32_t n = (uint32_t)(score * 100000 + 0.5 + NEAR);
	return (uint16_t)(n / 10000 + (n % 10000 != 0));
}

static uint16_t score_v3(const double w[BASE_METRICS_MAX], const int v[CVSS_METRICS_MAX], bool v31)
{
	bool changed = v[V3_S] == 1;
	double iss = 1 - (1 - w[V3_C]) * (1 - w[V3_I]) * (1 - w[V3_A]);
	double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * power(iss - 0.02, 15) : 6.42 * iss;
	double exploitability = 8.22 * w[V3_AV] * w[V3_AC] * (changed ? v3_pr_changed[v[V3_PR]] : w[V3_PR]) * w[V3_UI];
	if (impact <= 0)
		return 0;
	double score = (changed ? 1.08 : 1) * (impact + exploitability);
	if (score > 10)
		score = 10;
	return v31 ? tenths_up_31(score) : tenths_up(score);
}

/* To the nearest tenth, halves up. */
static uint16_t score_v2(const double w[BASE_METRICS_MAX])
{
	double impact = 10.41 * (1 - (1 - w[V2_C]) * (1 - w[V2_I]) * (1 - w[V2_A]));
	double exploitability = 20 * w[V2_AV] * w[V2_AC] * w[V2_AU];
	double score = (0.6 * impact + 0.4 * exploitability - 1.5) * (impact > NEAR ? 1.176 : 0);
	return score > 0 ? (uint16_t)(score * 10 + 0.5 + NEAR) : 0;
}

bool vuln_cvss_score(struct bh_slice vector, uint16_t *ret_tenths)
{
	const struct bh_slice v30 = BH_SLICE_LIT("CVSS:3.0/"), v31 = BH_SLICE_LIT("CVSS:3.1/"), v40 = BH_SLICE_LIT("CVSS:4.0/");
	double weights[BASE_METRICS_MAX] = { 0 };
	int values[CVSS_METRICS_MAX];
	bool is_31 = bh_slice_starts(vector, v31);
	if (bh_slice_starts(vector, v40))
		return cvss4_score(bh_slice_sub(vector, v40.len, vector.len), ret_tenths);
	if (is_31 || bh_slice_starts(vector, v30)) {
		if (!cvss_read_vector(bh_slice_sub(vector, v30.len, vector.len), v3_metrics, COUNT(v3_metrics), V3_BASE, values))
			return false;
		weigh(v3_metrics, V3_BASE, values, weights);
		*ret_tenths = score_v3(weights, values, is_31);
		return true;
	}
	if (!cvss_read_vector(vector, v2_metrics, COUNT(v2_metrics), V2_BASE, values))
		return false;
	weigh(v2_metrics, V2_BASE, values, weights);
	*ret_tenths = score_v2(weights);
	return true;
}

enum bh_severity vuln_cvss_severity(uint16_t score_tenths)
{
	if (score_tenths == 0)
		return BH_SEV_UNKNOWN;
	if (score_tenths < 40)
		return BH_SEV_LOW;
	if (score_tenths < 70)
		return BH_SEV_MEDIUM;
	return score_tenths < 90 ? BH_SEV_HIGH : BH_SEV_CRITICAL;
}
