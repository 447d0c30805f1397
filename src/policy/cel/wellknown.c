#include "policy/cel/wellknown.h"

#include <math.h>

#include "policy/cel/time.h"

#define NANOS_PER_SECOND 1000000000

/* ---- wrappers: the value, or the zero of its kind ---- */

static struct cel_value bool_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return f[0] ? *f[0] : cel_bool(false);
}

static struct cel_value bytes_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return f[0] ? *f[0] : cel_bytes((struct bh_slice){ 0 });
}

static struct cel_value string_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return f[0] ? *f[0] : cel_string((struct bh_slice){ 0 });
}

static struct cel_value double_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return f[0] ? *f[0] : cel_double(0);
}

static struct cel_value float_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	if (!f[0] || f[0]->kind != CEL_DOUBLE)
		return f[0] ? *f[0] : cel_double(0);
	double v = f[0]->real;
	/* Beyond the largest float is infinity; the cast itself would be undefined. */
	return cel_double(isfinite(v) && fabs(v) > 0x1.fffffep127 ? copysign(INFINITY, v) : (double)(float)v);
}

static struct cel_value int64_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return f[0] ? *f[0] : cel_int(0);
}

static struct cel_value int32_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	if (f[0] && f[0]->kind == CEL_INT && (f[0]->integer < INT32_MIN || f[0]->integer > INT32_MAX))
		return cel_error("integer overflow: range error for int32");
	return f[0] ? *f[0] : cel_int(0);
}

static struct cel_value uint64_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return f[0] ? *f[0] : cel_uint(0);
}

static struct cel_value uint32_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	if (f[0] && f[0]->kind == CEL_UINT && f[0]->natural > UINT32_MAX)
		return cel_error("unsigned integer overflow: range error for uint32");
	return f[0] ? *f[0] : cel_uint(0);
}

/* ---- times ---- */

/* Nanoseconds beyond a second carry over; those of a timestamp count up, those of a duration have the sign of its seconds. */
static struct cel_value time_value(enum cel_kind kind, const struct cel_value *const *f)
{
	int64_t nanos = f[1] ? f[1]->integer : 0, seconds = f[0] ? f[0]->integer : 0;
	if (__builtin_add_overflow(seconds, nanos / NANOS_PER_SECOND, &seconds))
		return cel_error("seconds out of range");
	nanos %= NANOS_PER_SECOND;
	if (nanos < 0 && (kind == CEL_TIMESTAMP || seconds > 0)) {
		nanos += NANOS_PER_SECOND;
		if (__builtin_sub_overflow(seconds, 1, &seconds))
			return cel_error("seconds out of range");
	} else if (kind == CEL_DURATION && nanos > 0 && seconds < 0) {
		nanos -= NANOS_PER_SECOND;
		seconds++;
	}
	struct cel_time time = { seconds, (int32_t)nanos };
	int64_t all;
	if (kind == CEL_TIMESTAMP ? !cel_timestamp_in_range(seconds) : !cel_duration_nanos(time, &all))
		return cel_error("range error: a time that is too far away");
	return (struct cel_value){ .kind = kind, .integer = seconds, .nanos = (int32_t)nanos };
}

static struct cel_value duration(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return time_value(CEL_DURATION, f);
}

static struct cel_value timestamp(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	return time_value(CEL_TIMESTAMP, f);
}

/* ---- JSON ---- */

static struct cel_value json_list(struct cel_run *run, const struct cel_value *const *f)
{
	return f[0] ? *f[0] : cel_list_of(cel_arena(run), NULL, 0);
}

static struct cel_value json_struct(struct cel_run *run, const struct cel_value *const *f)
{
	return f[0] ? *f[0] : cel_map_of(cel_arena(run), NULL, 0);
}

/* One field at most is set; none is null. */
static struct cel_value json_value(struct cel_run *run, const struct cel_value *const *f)
{
	(void)run;
	for (size_t i = 1; i < 6; i++)
		if (f[i])
			return *f[i];
	return cel_null();
}

static const struct cel_wellknown known[] = {
	{ "google.protobuf.BoolValue", "wrapper(bool)", { { "value", "bool" } }, bool_value },
	{ "google.protobuf.BytesValue", "wrapper(bytes)", { { "value", "bytes" } }, bytes_value },
	{ "google.protobuf.DoubleValue", "wrapper(double)", { { "value", "double" } }, double_value },
	{ "google.protobuf.FloatValue", "wrapper(double)", { { "value", "double" } }, float_value },
	{ "google.protobuf.Int32Value", "wrapper(int)", { { "value", "int" } }, int32_value },
	{ "google.protobuf.Int64Value", "wrapper(int)", { { "value", "int" } }, int64_value },
	{ "google.protobuf.StringValue", "wrapper(string)", { { "value", "string" } }, string_value },
	{ "google.protobuf.UInt32Value", "wrapper(uint)", { { "value", "uint" } }, uint32_value },
	{ "google.protobuf.UInt64Value", "wrapper(uint)", { { "value", "uint" } }, uint64_value },
	{ "google.protobuf.Duration", "duration", { { "seconds", "int" }, { "nanos", "int" } }, duration },
	{ "google.protobuf.Timestamp", "timestamp", { { "seconds", "int" }, { "nanos", "int" } }, timestamp },
	{ "google.protobuf.ListValue", "list(dyn)", { { "values", "list(dyn)" } }, json_list },
	{ "google.protobuf.Struct", "map(string, dyn)", { { "fields", "map(string, dyn)" } }, json_struct },
	{ "google.protobuf.Value", "dyn",
	  { { "null_value", "int" }, { "number_value", "double" }, { "string_value", "string" }, { "bool_value", "bool" },
	    { "struct_value", "map(string, dyn)" }, { "list_value", "list(dyn)" } }, json_value },
};

const struct cel_wellknown *cel_wellknown_find(struct bh_slice name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bh_slice_eq_str(name, known[i].name))
			return &known[i];
	return NULL;
}
