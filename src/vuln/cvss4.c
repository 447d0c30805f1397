/*
 * cvss4.c: scores of CVSS 4.0 vectors, after section 8.2 of FIRST's specification. A vector belongs to one of 270 macro vectors: six
 * digits EQ1 to EQ6, each a set of metrics that experts found equally severe. The macro vector's score comes from a table. Within it,
 * the score falls with the distance to the most severe vector that the macro vector holds, in proportion to how far the next lower
 * macro vector is away: the mean over the EQs (EQ3 and EQ6 count as one).
 *
 * Everything is counted in whole steps, so that halves are rounded up exactly: distances in steps of 0.1, proportions in
 * 2520ths (all depths divide it).
 *
 * Threat, environmental and supplemental metrics count as the vector gives them (CVSS-BTE); without them it is the base score.
 */
#include "vuln/cvss.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WHOLE 2520

/* Values from the most severe on, so that an index is a distance. Modified ones begin with X, "as the base metric". */
enum { AV, AC, AT, PR, UI, VC, VI, VA, SC, SI, SA, BASE, E = BASE, CR, IR, AR, MAV, MAC, MAT, MPR, MUI, MVC, MVI, MVA, MSC, MSI, MSA };
static const struct cvss_metric metrics[] = {
	{ "AV", "NALP" },   { "AC", "LH" },    { "AT", "NP" },     { "PR", "NLH" },    { "UI", "NPA" },    { "VC", "HLN" },    { "VI", "HLN" },
	{ "VA", "HLN" },    { "SC", "HLN" },   { "SI", "HLN" },    { "SA", "HLN" },    { "E", "XAPU" },    { "CR", "XHML" },   { "IR", "XHML" },
	{ "AR", "XHML" },   { "MAV", "XNALP" }, { "MAC", "XLH" },  { "MAT", "XNP" },   { "MPR", "XNLH" },  { "MUI", "XNPA" },  { "MVC", "XHLN" },
	{ "MVI", "XHLN" },  { "MVA", "XHLN" }, { "MSC", "XHLN" },  { "MSI", "XSHLN" }, { "MSA", "XSHLN" }, { "S", "XNP" },     { "AU", "XNY" },
	{ "R", "XAUI" },    { "V", "XDC" },    { "RE", "XLMH" },   { "U", "X Clear Green Amber Red", .words = true },
};

/* Scores of the macro vectors in tenths, by EQ1, EQ2, EQ3, then EQ4, EQ5, EQ6 (the last runs fastest); EQ3 = 2 with EQ6 = 0 can't be. */
static const uint8_t scores[18][18] = {
	{ 100,  99,  98,  95,  95,  92, 100,  96,  93,  87,  91,  81,  93,  90,  89,  80,  81,  68 }, /* 000 */
	{  98,  95,  95,  92,  90,  84,  93,  92,  89,  81,  81,  65,  88,  80,  78,  70,  69,  48 }, /* 001 */
	{   0,  92,   0,  82,   0,  72,   0,  79,   0,  69,   0,  50,   0,  69,   0,  55,   0,  27 }, /* 002 */
	{  99,  97,  95,  92,  92,  85,  95,  91,  90,  83,  84,  71,  92,  81,  82,  71,  72,  53 }, /* 010 */
	{  95,  93,  92,  85,  85,  73,  92,  82,  80,  72,  70,  59,  84,  70,  71,  52,  50,  30 }, /* 011 */
	{   0,  86,   0,  75,   0,  52,   0,  71,   0,  52,   0,  29,   0,  63,   0,  29,   0,  17 }, /* 012 */
	{  98,  95,  94,  87,  91,  81,  94,  89,  86,  74,  77,  64,  87,  75,  74,  63,  63,  49 }, /* 100 */
	{  94,  89,  88,  77,  76,  67,  86,  76,  74,  58,  59,  50,  72,  57,  57,  52,  52,  25 }, /* 101 */
	{   0,  83,   0,  70,   0,  54,   0,  65,   0,  58,   0,  26,   0,  53,   0,  21,   0,  13 }, /* 102 */
	{  95,  90,  88,  76,  76,  70,  90,  77,  75,  62,  61,  53,  77,  66,  68,  59,  52,  30 }, /* 110 */
	{  89,  78,  76,  67,  62,  58,  74,  59,  57,  57,  47,  23,  61,  52,  57,  29,  24,  16 }, /* 111 */
	{   0,  71,   0,  59,   0,  30,   0,  58,   0,  26,   0,  15,   0,  23,   0,  13,   0,   6 }, /* 112 */
	{  93,  87,  86,  72,  75,  58,  86,  74,  74,  61,  56,  34,  70,  54,  52,  40,  40,  22 }, /* 200 */
	{  85,  75,  74,  55,  62,  51,  72,  57,  55,  41,  46,  19,  53,  36,  34,  19,  19,   8 }, /* 201 */
	{   0,  64,   0,  51,   0,  20,   0,  47,   0,  21,   0,  11,   0,  24,   0,   9,   0,   4 }, /* 202 */
	{  88,  75,  73,  53,  60,  50,  73,  55,  59,  40,  41,  20,  54,  43,  45,  22,  20,  11 }, /* 210 */
	{  75,  55,  58,  45,  40,  21,  61,  51,  48,  18,  20,   9,  46,  18,  17,   7,   8,   2 }, /* 211 */
	{   0,  53,   0,  24,   0,  14,   0,  24,   0,  12,   0,   5,   0,  10,   0,   3,   0,   1 }, /* 212 */
};

/* ---- macro vectors ---- */

struct eqs {
	int eq[6];
};

/* How severe each metric is in effect, 0 = worst; SC, SI and SA count from S, which only the modified ones can be. */
static void levels_of(const int values[CVSS_METRICS_MAX], int level[MAV])
{
	for (int i = AV; i < BASE; i++) {
		int modified = values[MAV + i];
		bool subsequent = i >= SC;
		level[i] = modified > 0 ? modified - 1 + (i == SC) : values[i] + subsequent;
	}
	for (int i = BASE; i < MAV; i++)
		level[i] = values[i] > 0 ? values[i] - 1 : 0;
}

static struct eqs eqs_of(const int level[MAV])
{
	bool none = level[AV] == 0 && level[PR] == 0 && level[UI] == 0, some = level[AV] == 0 || level[PR] == 0 || level[UI] == 0;
	bool high = level[VC] == 0 || level[VI] == 0 || level[VA] == 0;
	bool safety = level[SI] == 0 || level[SA] == 0, subsequent = level[SC] == 1 || level[SI] == 1 || level[SA] == 1;
	bool required = (level[CR] == 0 && level[VC] == 0) || (level[IR] == 0 && level[VI] == 0) || (level[AR] == 0 && level[VA] == 0);
	return (struct eqs){ {
		none ? 0 : some && level[AV] != 3 ? 1 : 2,
		level[AC] == 0 && level[AT] == 0 ? 0 : 1,
		level[VC] == 0 && level[VI] == 0 ? 0 : high ? 1 : 2,
		safety ? 0 : subsequent ? 1 : 2,
		level[E],
		required ? 0 : 1,
	} };
}

/* -1: there is no such macro vector. */
static int score_of(struct eqs e)
{
	static const int highest[6] = { 2, 1, 2, 2, 2, 1 };
	for (int i = 0; i < 6; i++)
		if (e.eq[i] > highest[i])
			return -1;
	if (e.eq[2] == 2 && e.eq[5] == 0)
		return -1;
	return scores[e.eq[0] * 6 + e.eq[1] * 3 + e.eq[2]][e.eq[3] * 6 + e.eq[4] * 2 + e.eq[5]];
}

static int lower(struct eqs e, int which)
{
	e.eq[which]++;
	return score_of(e);
}

/* EQ3 and EQ6 fall together; of two ways down, the shorter one. */
static int lower_3_6(struct eqs e)
{
	if (e.eq[2] == 0 && e.eq[5] == 0) {
		int left = lower(e, 5), right = lower(e, 2);
		return left > right ? left : right;
	}
	return e.eq[2] == 1 && e.eq[5] == 0 ? lower(e, 5) : lower(e, 2);
}

/* ---- the distance to the worst vector of a macro vector ---- */

/* The worst vectors of each set, as levels of its metrics; none of them is worse than another. */
struct worst {
	int eq, eq6; /* eq6: for EQ3; else -1 */
	int level[6];
};

static const struct worst worst_1[] = { { 0, -1, { 0, 0, 0 } }, { 1, -1, { 1, 0, 0 } }, { 1, -1, { 0, 1, 0 } }, { 1, -1, { 0, 0, 1 } },
					{ 2, -1, { 3, 0, 0 } }, { 2, -1, { 1, 1, 1 } } };
static const struct worst worst_2[] = { { 0, -1, { 0, 0 } }, { 1, -1, { 1, 0 } }, { 1, -1, { 0, 1 } } };
static const struct worst worst_3[] = {
	{ 0, 0, { 0, 0, 0, 0, 0, 0 } }, { 0, 1, { 0, 0, 1, 1, 1, 0 } }, { 0, 1, { 0, 0, 0, 1, 1, 1 } }, { 1, 0, { 1, 0, 0, 0, 0, 0 } },
	{ 1, 0, { 0, 1, 0, 0, 0, 0 } }, { 1, 1, { 1, 0, 1, 0, 1, 0 } }, { 1, 1, { 1, 0, 0, 0, 1, 1 } }, { 1, 1, { 0, 1, 0, 1, 0, 1 } },
	{ 1, 1, { 0, 1, 1, 1, 0, 0 } }, { 1, 1, { 1, 1, 0, 0, 0, 1 } }, { 2, 1, { 1, 1, 1, 0, 0, 0 } },
};
static const struct worst worst_4[] = { { 0, -1, { 1, 0, 0 } }, { 1, -1, { 1, 1, 1 } }, { 2, -1, { 2, 2, 2 } } };

/* Steps from the first worst vector that is worse than, or as bad as, this one in every metric. */
static int distance(const struct worst *worst, size_t n, int eq, int eq6, const int level[MAV], const int *set, size_t n_set)
{
	for (size_t i = 0; i < n; i++) {
		int sum = 0;
		bool above = worst[i].eq == eq && worst[i].eq6 == eq6;
		for (size_t k = 0; k < n_set; k++) {
			int d = level[set[k]] - worst[i].level[k];
			above = above && d >= 0;
			sum += d;
		}
		if (above)
			return sum;
	}
	return 0;
}

/* Adds one set's share: what lies between this macro vector and the next lower one, as far as the vector is down. */
static void add_share(int value, int next, int steps, int depth, int *sum, int *n)
{
	if (next < 0)
		return;
	*sum += (value - next) * steps * (WHOLE / depth);
	++*n;
}

bool cvss4_score(struct bh_slice vector, uint16_t *ret_tenths)
{
	static const int set_1[] = { AV, PR, UI }, set_2[] = { AC, AT }, set_3[] = { VC, VI, VA, CR, IR, AR }, set_4[] = { SC, SI, SA };
	static const int depth_1[] = { 1, 4, 5 }, depth_2[] = { 1, 2 }, depth_3[3][2] = { { 7, 6 }, { 8, 8 }, { 10, 10 } }, depth_4[] = { 6, 5, 4 };
	int values[CVSS_METRICS_MAX], level[MAV], sum = 0, n = 0;
	if (!cvss_read_vector(vector, metrics, COUNT(metrics), BASE, values))
		return false;
	levels_of(values, level);
	if (level[VC] == 2 && level[VI] == 2 && level[VA] == 2 && level[SC] == 3 && level[SI] == 3 && level[SA] == 3) {
		*ret_tenths = 0; /* no impact */
		return true;
	}
	struct eqs e = eqs_of(level);
	const int *q = e.eq, value = score_of(e);
	add_share(value, lower(e, 0), distance(worst_1, COUNT(worst_1), q[0], -1, level, set_1, 3), depth_1[q[0]], &sum, &n);
	add_share(value, lower(e, 1), distance(worst_2, COUNT(worst_2), q[1], -1, level, set_2, 2), depth_2[q[1]], &sum, &n);
	add_share(value, lower_3_6(e), distance(worst_3, COUNT(worst_3), q[2], q[5], level, set_3, 6), depth_3[q[2]][q[5]], &sum, &n);
	add_share(value, lower(e, 3), distance(worst_4, COUNT(worst_4), q[3], -1, level, set_4, 3), depth_4[q[3]], &sum, &n);
	add_share(value, lower(e, 4), 0, 1, &sum, &n);
	int scale = n ? n * WHOLE : WHOLE, scaled = value * scale - sum; /* tenths * scale */
	unsigned tenths = scaled > 0 ? (2u * (unsigned)scaled + (unsigned)scale) / (2u * (unsigned)scale) : 0;
	*ret_tenths = (uint16_t)tenths;
	return true;
}
