/*
 * zone.c: zone files (RFC 9636, tzfile(5)). All numbers are big-endian.
 *
 *     header  0 "TZif"  4 version: 0, '2', '3', '4'  5 unused
 *            20 isutcnt  24 isstdcnt  28 leapcnt  32 timecnt  36 typecnt  40 charcnt
 *     block     transition times    timecnt x (4 bytes in the first block, 8 in the second)
 *               their types         timecnt x 1
 *               types               typecnt x { 4 offset east of UTC, 1 is summer time, 1 name }
 *               names               charcnt
 *               leap seconds        leapcnt x (4 or 8, + 4)
 *               standard or wall    isstdcnt
 *               UTC or local        isutcnt
 *     From version 2 on there are a second header, a second block and a footer: LF, a rule as in the variable TZ of POSIX, LF.
 *
 * Before the first transition the first type counts; after the last one the footer's rule. Leap seconds are none in CEL: they are skipped.
 */
#include "policy/cel/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "policy/cel/time.h"
#include "sys/files.h"

#define FOLDER "/usr/share/zoneinfo"
#define CACHE_ZONES_MAX 16u /* an expression names one or two */
#define TYPES_MAX 256u      /* types are named by one byte */
#define OFFSET_SECONDS_MAX (26 * 3600)
#define RULE_HOURS_MAX 167  /* RFC 9636: a rule's time of day may be a week off */
#define FIXED_DIGITS_MAX 2u
#define DAYS_PER_400_YEARS 146097

/* ---- rules: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

enum day_kind {
	DAY_JULIAN,  /* J1 to J365: the leap day has no number */
	DAY_OF_YEAR, /* 0 to 365 */
	DAY_OF_WEEK, /* Mm.w.d: the w-th day d of month m, 5 being the last */
};

struct change {
	enum day_kind kind;
	int month, week, day;
	int seconds; /* of that day, on the clock before the change */
};

struct rule {
	bool is_there, has_summer;
	int standard, summer; /* seconds east of UTC */
	struct change to_summer, to_standard;
};

struct cel_zone {
	size_t n;         /* transitions */
	int64_t *instants;
	uint8_t *types;   /* which of the offsets is from then on */
	int offsets[TYPES_MAX];
	struct rule rule;
};

static bool take_byte(struct bh_reader *r, char c)
{
	struct bh_slice s;
	return bh_peek(r, 1, &s) && s.ptr[0] == (uint8_t)c && bh_skip(r, 1);
}

static bool take_number(struct bh_reader *r, int min, int max, int *ret)
{
	struct bh_slice s;
	int value = 0;
	size_t n = 0;
	for (; bh_peek(r, 1, &s) && s.ptr[0] >= '0' && s.ptr[0] <= '9'; n++) {
		value = value * 10 + (s.ptr[0] - '0');
		if (value > max)
			return false;
		(void)bh_skip(r, 1);
	}
	*ret = value;
	return n > 0 && value >= min;
}

/* "<+03>" or at least three letters. Nobody asks for the name itself. */
static bool skip_name(struct bh_reader *r)
{
	struct bh_slice s;
	size_t n = 0;
	bool quoted = take_byte(r, '<');
	for (; bh_peek(r, 1, &s); n++) {
		uint8_t c = s.ptr[0];
		bool letter = bh_lower(c) >= 'a' && bh_lower(c) <= 'z';
		if (!letter && !(quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-')))
			break;
		(void)bh_skip(r, 1);
	}
	return n >= 3 && (!quoted || take_byte(r, '>'));
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_hours(struct bh_reader *r, int max_hours, int *ret_seconds)
{
	int hours, minutes = 0, seconds = 0;
	bool negative = take_byte(r, '-');
	if (!negative)
		(void)take_byte(r, '+');
	if (!take_number(r, 0, max_hours, &hours))
		return false;
	if (take_byte(r, ':')) {
		if (!take_number(r, 0, 59, &minutes) || (take_byte(r, ':') && !take_number(r, 0, 59, &seconds)))
			return false;
	}
	*ret_seconds = (negative ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

static bool take_change(struct bh_reader *r, struct change *ret)
{
	*ret = (struct change){ .kind = DAY_OF_YEAR, .seconds = 2 * 3600 };
	bool ok;
	if (take_byte(r, 'M')) {
		ret->kind = DAY_OF_WEEK;
		ok = take_number(r, 1, 12, &ret->month) && take_byte(r, '.') && take_number(r, 1, 5, &ret->week) && take_byte(r, '.') &&
		     take_number(r, 0, 6, &ret->day);
	} else if (take_byte(r, 'J')) {
		ret->kind = DAY_JULIAN;
		ok = take_number(r, 1, 365, &ret->day);
	} else {
		ok = take_number(r, 0, 365, &ret->day);
	}
	return ok && (!take_byte(r, '/') || take_hours(r, RULE_HOURS_MAX, &ret->seconds));
}

/* POSIX counts west of UTC, we count east. */
static bool take_rule(struct bh_reader *r, struct rule *ret)
{
	int west;
	*ret = (struct rule){ .is_there = true };
	if (!skip_name(r) || !take_hours(r, 24, &west))
		return false;
	ret->standard = -west;
	if (bh_reader_left(r) == 0)
		return true;
	ret->has_summer = true;
	ret->summer = ret->standard + 3600;
	if (!skip_name(r))
		return false;
	struct bh_slice s;
	if (bh_peek(r, 1, &s) && s.ptr[0] != ',') {
		if (!take_hours(r, 24, &west))
			return false;
		ret->summer = -west;
	}
	/* Without them the changes would be up to the system; zone files always have them. */
	return take_byte(r, ',') && take_change(r, &ret->to_summer) && take_byte(r, ',') && take_change(r, &ret->to_standard) && bh_reader_left(r) == 0;
}

static int64_t change_day(const struct change *c, int64_t year)
{
	int64_t first = cel_days(year, 1, 1);
	if (c->kind == DAY_OF_YEAR)
		return first + c->day;
	if (c->kind == DAY_JULIAN)
		return first + c->day - 1 + (c->day > 59 && cel_days_in_month(year, 2) == 29);
	int64_t day = cel_days(year, c->month, 1);
	int to_day = (c->day - cel_calendar_of(day * CEL_SECONDS_PER_DAY).day_of_week + 7) % 7 + 7 * (c->week - 1);
	return day + (to_day >= cel_days_in_month(year, c->month) ? to_day - 7 : to_day);
}

/* When the change comes, given the offset of the clock before it. */
static int64_t change_instant(const struct change *c, int64_t year, int offset)
{
	return change_day(c, year) * CEL_SECONDS_PER_DAY + c->seconds - offset;
}

/* The calendar repeats every 400 years, days of the week too: the same instant of those that begin in 1970, whatever the year. */
static int64_t in_first_era(int64_t instant)
{
	const int64_t era = (int64_t)DAYS_PER_400_YEARS * CEL_SECONDS_PER_DAY;
	int64_t rest = instant % era;
	return rest < 0 ? rest + era : rest;
}

/*
 * The last change before the instant says. It may be one of the year before, and one of the year after when the clock is far from UTC. Where both
 * changes come at once summer time never ends.
 */
static int rule_at(const struct rule *rule, int64_t instant)
{
	if (!rule->has_summer)
		return rule->standard;
	instant = in_first_era(instant);
	int64_t year = cel_calendar_of(instant).year, last = INT64_MIN;
	int offset = rule->standard;
	for (int64_t y = year - 1; y <= year + 1; y++) {
		int64_t summer = change_instant(&rule->to_summer, y, rule->standard), standard = change_instant(&rule->to_standard, y, rule->summer);
		if (standard <= instant && standard > last) {
			last = standard;
			offset = rule->standard;
		}
		if (summer <= instant && summer >= last) {
			last = summer;
			offset = rule->summer;
		}
	}
	return offset;
}

/* ---- files ---- */

struct header {
	uint8_t version; /* 1 to 4 */
	uint32_t n_utc, n_standard, n_leap, n_times, n_types, n_chars;
};

static bool take_header(struct bh_reader *r, struct header *h)
{
	struct bh_slice magic;
	uint8_t version;
	if (!bh_take(r, 4, &magic) || !bh_slice_eq_str(magic, "TZif") || !bh_take_u8(r, &version) || !bh_skip(r, 15) || !bh_take_u32be(r, &h->n_utc) ||
	    !bh_take_u32be(r, &h->n_standard) || !bh_take_u32be(r, &h->n_leap) || !bh_take_u32be(r, &h->n_times) || !bh_take_u32be(r, &h->n_types) ||
	    !bh_take_u32be(r, &h->n_chars))
		return false;
	h->version = version >= '2' ? (uint8_t)(version - '0') : 1;
	/* Nothing is larger than the file, so that no product wraps. */
	const uint32_t max = CEL_ZONE_FILE_BYTES_MAX;
	return (version == 0 || version >= '2') && h->n_times <= max && h->n_chars <= max && h->n_leap <= max && h->n_types >= 1 && h->n_types <= TYPES_MAX &&
	       (h->n_utc == 0 || h->n_utc == h->n_types) && (h->n_standard == 0 || h->n_standard == h->n_types);
}

static size_t block_bytes(const struct header *h, size_t time_bytes)
{
	return h->n_times * (time_bytes + 1) + h->n_types * (size_t)6 + h->n_chars + h->n_leap * (time_bytes + 4) + h->n_standard + h->n_utc;
}

static bool take_instants(struct bh_reader *r, size_t time_bytes, struct cel_zone *zone)
{
	for (size_t i = 0; i < zone->n; i++) {
		uint32_t narrow;
		uint64_t wide;
		if (time_bytes == 4 ? !bh_take_u32be(r, &narrow) : !bh_take_u64be(r, &wide))
			return false;
		zone->instants[i] = time_bytes == 4 ? (int32_t)narrow : (int64_t)wide;
		if (i && zone->instants[i] <= zone->instants[i - 1])
			return false;
	}
	return true;
}

static bool take_types(struct bh_reader *r, const struct header *h, struct cel_zone *zone)
{
	for (size_t i = 0; i < zone->n; i++)
		if (!bh_take_u8(r, &zone->types[i]) || zone->types[i] >= h->n_types)
			return false;
	for (size_t i = 0; i < h->n_types; i++) {
		uint32_t offset;
		if (!bh_take_u32be(r, &offset) || !bh_skip(r, 2) || (int32_t)offset < -OFFSET_SECONDS_MAX || (int32_t)offset > OFFSET_SECONDS_MAX)
			return false;
		zone->offsets[i] = (int32_t)offset;
	}
	return true;
}

static bool take_footer(struct bh_reader *r, struct cel_zone *zone)
{
	struct bh_slice line;
	if (!take_byte(r, '\n') || !bh_peek(r, bh_reader_left(r), &line))
		return false;
	size_t end = bh_slice_find(line, '\n');
	struct bh_reader text = bh_reader_of(bh_slice_sub(line, 0, end));
	return end < line.len && (end == 0 || take_rule(&text, &zone->rule));
}

static struct cel_zone *zone_new(size_t n)
{
	struct cel_zone *zone = calloc(1, sizeof(*zone));
	if (!zone)
		return NULL;
	zone->n = n;
	zone->instants = calloc(n + 1, sizeof(*zone->instants));
	zone->types = calloc(n + 1, sizeof(*zone->types));
	if (!zone->instants || !zone->types) {
		cel_zone_free(zone);
		return NULL;
	}
	return zone;
}

void cel_zone_free(struct cel_zone *zone)
{
	if (!zone)
		return;
	free(zone->instants);
	free(zone->types);
	free(zone);
}

int cel_zone_parse(struct bh_slice bytes, struct cel_zone **ret, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(bytes);
	struct header h;
	size_t time_bytes = 4;
	if (bytes.len > CEL_ZONE_FILE_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "a zone file of more than %u bytes", CEL_ZONE_FILE_BYTES_MAX);
	if (!take_header(&r, &h))
		return bh_fail(err, BH_EMALFORMED, r.pos, "no zone file: the header is wrong");
	bool is_wide = h.version >= 2;
	if (is_wide) {
		time_bytes = 8;
		if (!bh_skip(&r, block_bytes(&h, 4)) || !take_header(&r, &h))
			return bh_fail(err, BH_EMALFORMED, r.pos, "a zone file whose second header is wrong");
	}
	size_t start = r.pos, size = block_bytes(&h, time_bytes);
	if (size > bh_reader_left(&r))
		return bh_fail(err, BH_ETRUNCATED, r.pos, "a zone file that ends too early");
	struct cel_zone *zone = zone_new(h.n_times);
	if (!zone)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (!take_instants(&r, time_bytes, zone) || !take_types(&r, &h, zone) || !bh_seek(&r, start + size) || (is_wide && !take_footer(&r, zone))) {
		cel_zone_free(zone);
		return bh_fail(err, BH_EMALFORMED, r.pos, "a zone file whose transitions or rule are wrong");
	}
	*ret = zone;
	return BH_OK;
}

/* The last transition that is not later than the instant; the first n are looked at by halves. */
int cel_zone_at(const struct cel_zone *zone, int64_t instant)
{
	size_t low = 0, high = zone->n; /* [0, low) are not later, [high, n) are */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (zone->instants[middle] <= instant)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->n && zone->rule.is_there)
		return rule_at(&zone->rule, instant);
	return zone->offsets[low ? zone->types[low - 1] : 0];
}

/* ---- names ---- */

/* "+01:00", "-7:30", "02:00". The same numbers that cel-go reads, as long as they have two digits at most. */
static bool fixed_offset(struct bh_slice name, int *ret_seconds)
{
	struct bh_reader r = bh_reader_of(name);
	struct bh_slice hours_text, minutes_text;
	uint64_t hours, minutes;
	bool negative = take_byte(&r, '-');
	if (!negative)
		(void)take_byte(&r, '+');
	if (!bh_slice_cut(bh_slice_sub(name, r.pos, name.len), ':', &hours_text, &minutes_text) || hours_text.len > FIXED_DIGITS_MAX ||
	    minutes_text.len > FIXED_DIGITS_MAX || !bh_slice_u64(hours_text, 99, &hours) || !bh_slice_u64(minutes_text, 99, &minutes))
		return false;
	*ret_seconds = (negative ? -1 : 1) * (int)(hours * 3600 + minutes * 60);
	return true;
}

/* Folders and a name of letters, digits, "_", "+", "-": no empty part and none with a dot. */
static bool name_ok(struct bh_slice name)
{
	uint8_t before = '/';
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i], small = bh_lower(c);
		if (c == '/' ? before == '/' : !((small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-'))
			return false;
		before = c;
	}
	return before != '/' && name.len <= CEL_ZONE_NAME_BYTES_MAX;
}

static int read_zone(const char *name, struct cel_zone **ret, struct bh_err *err)
{
	BH_CLOSE int folder = open(FOLDER, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	if (folder < 0)
		return bh_fail_errno(err, errno, "time zone '%s' is not known without the files of " FOLDER, name);
	struct bh_err why;
	BH_WITH(bh_buf_done) struct bh_buf bytes = { 0 };
	bh_buf_init(&bytes, CEL_ZONE_FILE_BYTES_MAX);
	if (faccessat(folder, name, F_OK, 0) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return bh_fail(err, BH_ENOTFOUND, 0, "unknown time zone '%s'", name);
	int rc = bh_open_beneath(folder, name, &fd, &why);
	if (rc == BH_OK)
		rc = bh_read_all(fd, CEL_ZONE_FILE_BYTES_MAX, &bytes, &why);
	if (rc == BH_OK)
		rc = cel_zone_parse(bh_buf_slice(&bytes), ret, &why);
	return rc < 0 ? bh_fail(err, why.code, 0, "time zone '%s': %s", name, why.text) : BH_OK;
}

/* Zones that were asked for lately. `lock` guards it all. */
static struct {
	pthread_mutex_t lock;
	struct {
		char name[CEL_ZONE_NAME_BYTES_MAX + 1];
		struct cel_zone *zone; /* NULL: free */
		uint64_t used;
	} entries[CACHE_ZONES_MAX];
	uint64_t clock;
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The place of the zone in the cache; it is read there when it is new, instead of the one that was not asked for the longest. */
static int cached_zone(const char *name, const struct cel_zone **ret, struct bh_err *err)
{
	size_t oldest = 0;
	for (size_t i = 0; i < CACHE_ZONES_MAX; i++) {
		if (cache.entries[i].zone && strcmp(cache.entries[i].name, name) == 0) {
			cache.entries[i].used = ++cache.clock;
			*ret = cache.entries[i].zone;
			return BH_OK;
		}
		if (cache.entries[i].used < cache.entries[oldest].used)
			oldest = i;
	}
	struct cel_zone *zone;
	int rc = read_zone(name, &zone, err);
	if (rc < 0)
		return rc;
	cel_zone_free(cache.entries[oldest].zone);
	cache.entries[oldest].zone = zone;
	cache.entries[oldest].used = ++cache.clock;
	(void)snprintf(cache.entries[oldest].name, sizeof(cache.entries[oldest].name), "%s", name);
	*ret = zone;
	return BH_OK;
}

void cel_zone_forget(void)
{
	pthread_mutex_lock(&cache.lock);
	for (size_t i = 0; i < CACHE_ZONES_MAX; i++) {
		cel_zone_free(cache.entries[i].zone);
		cache.entries[i].zone = NULL;
		cache.entries[i].used = 0;
	}
	pthread_mutex_unlock(&cache.lock);
}

int cel_zone_offset(struct bh_slice name, int64_t instant, int *ret_seconds, struct bh_err *err)
{
	char text[CEL_ZONE_NAME_BYTES_MAX + 1];
	const struct cel_zone *zone;
	if (name.len == 0 || bh_slice_eq_str(name, "UTC")) {
		*ret_seconds = 0;
		return BH_OK;
	}
	if (fixed_offset(name, ret_seconds))
		return BH_OK;
	if (bh_slice_find(name, ':') < name.len)
		return bh_fail(err, BH_EMALFORMED, 0, "'%.*s' is no offset from UTC as +01:00", BH_SLICE_FMT(name));
	if (!name_ok(name))
		return bh_fail(err, BH_EMALFORMED, 0, "'%.*s' is no name of a time zone", BH_SLICE_FMT(name));
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	pthread_mutex_lock(&cache.lock);
	int rc = cached_zone(text, &zone, err);
	if (rc == BH_OK)
		*ret_seconds = cel_zone_at(zone, instant);
	pthread_mutex_unlock(&cache.lock);
	return rc;
}
