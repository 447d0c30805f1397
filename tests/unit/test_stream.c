/*
 * test_stream.c: what the distribution's compressors write comes back byte for byte, however the input is cut up; damage,
 * truncation, garbage and bombs are the right errors at the right place.
 */
#include "bytes.h"
#include "format/codec.h"

#include <sys/mman.h>
#include <unistd.h>

static const struct tool {
	enum bh_compression compression;
	const char *program, *command;
	const char *small_window; /* the same encoder where a test decodes hundreds of times; NULL: command */
} tools[] = {
	{ BH_GZIP, "gzip", "gzip -1n" },
	{ BH_GZIP, "gzip", "gzip -9" },
	{ BH_GZIP, "pigz", "pigz -p 2 -b 128" },
	{ BH_GZIP, "pigz", "pigz -i -R -b 64" },
	{ BH_ZSTD, "zstd", "zstd -qc -1" },
	{ BH_ZSTD, "zstd", "zstd -qc --ultra -22 --zstd=hlog=17,clog=17", /* 128 MiB: the largest window that is allowed */
	  "zstd -qc --ultra -22 --zstd=wlog=16,hlog=17,clog=17" },
	{ BH_ZSTD, "zstd", "zstd -qc --no-check" },
	{ BH_XZ, "xz", "xz -c0" },
	{ BH_XZ, "xz", "xz -c9e", "xz -c --lzma2=preset=9e,dict=64KiB" }, /* 64 MiB: the largest dictionary that is allowed */
	{ BH_XZ, "xz", "xz -cT2 --block-size=65536 --check=sha256" },
	{ BH_BZIP2, "bzip2", "bzip2 -c1" },
	{ BH_BZIP2, "bzip2", "bzip2 -c9", "bzip2 -c1" }, /* blocks of 900 kB: the decoder takes 4 MB */
};
#define TOOLS (sizeof(tools) / sizeof(tools[0]))

/* Text, machine code and zeros: all kinds of blocks appear. */
#define SAMPLE "{ cat /etc/services /bin/sh; head -c 300000 /dev/zero; cat /etc/passwd; }"

static struct bh_buf sample;

static const char *small_window(const struct tool *t)
{
	return t->small_window ? t->small_window : t->command;
}

/* Everything a stream gives, or its error. raw_ret may be NULL. */
static int decode(struct bh_slice raw, size_t piece, const struct bh_stream_limits *limits, struct bh_buf *out,
		  enum bh_compression *compression, struct bh_err *err)
{
	struct pieces p = { raw, piece, NULL };
	struct bh_stream *s = NULL;
	struct bh_slice got;
	int rc = bh_stream_new(pieces_source(&p), limits, NULL, NULL, &s, err);
	bh_buf_init(out, 64u << 20);
	while (rc == 0 && (rc = bh_stream_read(s, &got, err)) == 0 && got.len) {
		assert_true(got.len <= 256u << 10);
		assert_true(bh_buf_add(out, got));
	}
	if (compression)
		*compression = bh_stream_compression(s);
	if (rc == 0) {
		assert_int_equal(bh_stream_raw_bytes(s), raw.len);
		assert_int_equal(bh_stream_plain_bytes(s), out->len);
		assert_int_equal(bh_stream_read(s, &got, err), 0); /* the end stays the end */
		assert_int_equal(got.len, 0);
	} else {
		struct bh_err again = { 0 };
		assert_int_equal(bh_stream_read(s, &got, &again), rc); /* and an error an error */
		assert_string_equal(again.text, err->text);
	}
	bh_stream_free(s);
	pieces_done(&p);
	return rc;
}

static void expect_plain(struct bh_slice raw, size_t piece, struct bh_slice want, const char *what)
{
	struct bh_buf out;
	struct bh_err err = { 0 };
	int rc = decode(raw, piece, NULL, &out, NULL, &err);
	if (rc < 0)
		fail_msg("%s in pieces of %zu: %s", what, piece, err.text);
	if (!bh_slice_eq(bh_buf_slice(&out), want))
		fail_msg("%s in pieces of %zu: other bytes, %zu instead of %zu", what, piece, out.len, want.len);
	bh_buf_done(&out);
}

static void expect_error(struct bh_slice raw, enum bh_code code, uint64_t offset, const char *said)
{
	static const size_t pieces[] = { 1, 100, SIZE_MAX };
	for (size_t i = 0; i < 3; i++) {
		struct bh_buf out;
		struct bh_err err = { 0 };
		int rc = decode(raw, pieces[i], NULL, &out, NULL, &err);
		if (rc != (int)code || err.code != code || !strstr(err.text, said))
			fail_msg("expected %s and \"%s\", got %s: %s", bh_code_name(code), said, bh_code_name((enum bh_code)rc), err.text);
		if (offset != UINT64_MAX)
			assert_int_equal(err.offset_bytes, offset);
		bh_buf_done(&out);
	}
}

/* SAMPLE, or another shell pipeline's output, through a compressor. */
static void compress(const char *from, const char *command, struct bh_buf *out)
{
	char line[512];
	snprintf(line, sizeof(line), "%s | %s", from, command);
	if (!output_of(line, out))
		fail_msg("can't run: %s", line);
}

static void append(struct bh_buf *to, struct bh_slice s)
{
	assert_true(bh_buf_add(to, s));
}

static void compressors_round_trip(void **state)
{
	(void)state;
	static const size_t pieces[] = { 1, 2, 511, 4096, 65537, SIZE_MAX };
	for (size_t t = 0; t < TOOLS; t++) {
		struct bh_buf raw, out;
		struct bh_err err = { 0 };
		enum bh_compression c;
		if (!have(tools[t].program)) {
			print_message("# no %s here: %s is not tested\n", tools[t].program, tools[t].command);
			continue;
		}
		compress(SAMPLE, tools[t].command, &raw);
		for (size_t i = tools[t].small_window ? 4 : 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
			expect_plain(bh_buf_slice(&raw), pieces[i], bh_buf_slice(&sample), tools[t].command);
		assert_int_equal(decode(bh_buf_slice(&raw), 4096, NULL, &out, &c, &err), 0);
		assert_int_equal(c, tools[t].compression);
		assert_string_equal(bh_compression_name(c), tools[t].compression == BH_GZIP ? "gzip" : tools[t].program);
		bh_buf_done(&out);
		bh_buf_done(&raw);
	}
}

static void plain_bytes_pass_without_a_copy(void **state)
{
	(void)state;
	expect_plain(bh_buf_slice(&sample), 1, bh_buf_slice(&sample), "plain");
	expect_plain(bh_buf_slice(&sample), 99999, bh_buf_slice(&sample), "plain");
	expect_plain((struct bh_slice){ 0 }, 1, (struct bh_slice){ 0 }, "nothing at all");
	struct pieces p = { bh_buf_slice(&sample), SIZE_MAX, NULL };
	struct bh_stream *s = NULL;
	struct bh_slice got;
	struct bh_err err;
	assert_int_equal(bh_stream_new(pieces_source(&p), NULL, NULL, NULL, &s, &err), 0);
	assert_int_equal(bh_stream_read(s, &got, &err), 0);
	assert_ptr_equal(got.ptr, p.lent);
	bh_stream_free(s);
	pieces_done(&p);
}

/* Frames behind each other (cat a.gz b.gz), with padding, cut into pieces at every place that matters. */
static void frames_follow_each_other(void **state)
{
	(void)state;
	static const uint8_t zeros[1000];
	for (size_t t = 0; t < TOOLS; t++) {
		struct bh_buf a, b, all;
		if (!have(tools[t].program))
			continue;
		compress("printf 'first '", small_window(&tools[t]), &a);
		compress("printf 'second'", small_window(&tools[t]), &b);
		bh_buf_init(&all, 1u << 20);
		append(&all, bh_buf_slice(&a));
		append(&all, bh_buf_slice(&b));
		for (size_t piece = 1; piece <= all.len; piece++)
			expect_plain(bh_buf_slice(&all), piece, BH_SLICE_LIT("first second"), small_window(&tools[t]));
		append(&all, (struct bh_slice){ zeros, 7 });
		expect_plain(bh_buf_slice(&all), 3, BH_SLICE_LIT("first second"), "padded");
		append(&all, (struct bh_slice){ zeros, sizeof(zeros) });
		append(&all, bh_buf_slice(&a));
		expect_plain(bh_buf_slice(&all), 64, BH_SLICE_LIT("first secondfirst "), "padding between");
		uint64_t good = all.len;
		append(&all, BH_SLICE_LIT("x"));
		expect_error(bh_buf_slice(&all), BH_EMALFORMED, good, "garbage behind the");
		append(&all, BH_SLICE_LIT("yz, and more of it"));
		expect_error(bh_buf_slice(&all), BH_EMALFORMED, good, "garbage behind the");
		bh_buf_done(&a);
		bh_buf_done(&b);
		bh_buf_done(&all);
	}
}

/* Cut at every byte: never a success, never another complaint than "too early", and it says where. */
static void truncation_is_seen_at_every_byte(void **state)
{
	(void)state;
	for (size_t t = 0; t < TOOLS; t++) {
		struct bh_buf raw;
		if (!have(tools[t].program))
			continue;
		compress("head -c 400 /etc/services", small_window(&tools[t]), &raw);
		for (size_t n = BH_CODEC_HEAD_BYTES; n < raw.len; n++)
			expect_error(bh_slice_sub(bh_buf_slice(&raw), 0, n), BH_ETRUNCATED, n, "ends too early");
		bh_buf_done(&raw);
	}
}

/* Flip each bit in turn: the answer is an error or the right bytes (bits of names and times in headers), nothing else. */
static void flipped_bits_never_change_the_content(void **state)
{
	(void)state;
	static const char *const checked[] = { "gzip", "zstd -qc --zstd=wlog=16", "xz -c --lzma2=dict=64KiB", "bzip2 -c1" };
	for (size_t t = 0; t < 4; t++) {
		struct bh_buf raw, want;
		assert_true(output_of("head -c 600 /etc/services", &want));
		compress("head -c 600 /etc/services", checked[t], &raw);
		size_t silent = 0;
		for (size_t bit = 0; bit < 8 * raw.len; bit++) {
			struct bh_buf out;
			struct bh_err err = { 0 };
			enum bh_compression c;
			raw.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
			int rc = decode(bh_buf_slice(&raw), 4096, NULL, &out, &c, &err);
			if (rc == 0 && c != BH_PLAIN) {
				silent++;
				if (!bh_slice_eq(bh_buf_slice(&out), bh_buf_slice(&want)))
					fail_msg("%s: bit %zu changes the content unnoticed", checked[t], bit);
			}
			raw.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
			bh_buf_done(&out);
		}
		assert_true(silent < 8 * 12); /* gzip's time, flags and system: the rest is protected */
		bh_buf_done(&raw);
		bh_buf_done(&want);
	}
}

/* Extra field, name, comment and header checksum (RFC 1952 section 2.3), in pieces of every size. */
static void gzip_headers_have_many_fields(void **state)
{
	(void)state;
	struct bh_buf raw;
	if (!have("python3")) {
		print_message("# skipped: no python3 here, gzip's optional fields are not tested\n");
		skip();
	}
	assert_true(output_of("python3 -c 'import zlib,struct,sys\n"
			      "h=bytes([31,139,8,2|4|8|16,1,2,3,4,0,3])+struct.pack(\"<H\",300)+bytes(300)+b\"name\\0\"+b\"c\"*700+b\"\\0\"\n"
			      "h+=struct.pack(\"<H\",zlib.crc32(h)&65535)\n"
			      "d=b\"content\"\n"
			      "c=zlib.compressobj(9,8,-15)\n"
			      "sys.stdout.buffer.write((h+c.compress(d)+c.flush()+struct.pack(\"<II\",zlib.crc32(d),len(d)))*2)'",
			      &raw));
	for (size_t piece = 1; piece < 1100; piece++)
		expect_plain(bh_buf_slice(&raw), piece, BH_SLICE_LIT("contentcontent"), "gzip with all fields");
	raw.ptr[20] ^= 1;
	expect_error(bh_buf_slice(&raw), BH_EMALFORMED, UINT64_MAX, "wrong checksum");
	bh_buf_done(&raw);
}

/* zstd:chunked and pzstd put frames between the others that hold no content. */
static void skippable_frames_are_skipped(void **state)
{
	(void)state;
	struct bh_buf frame, all;
	compress("printf 'content'", "zstd -qc", &frame);
	bh_buf_init(&all, 1u << 20);
	for (int i = 0; i < 3; i++) {
		append(&all, BH_SLICE_LIT("\x5e\x2a\x4d\x18\x05\0\0\0skip."));
		append(&all, BH_SLICE_LIT("\x50\x2a\x4d\x18\0\0\0\0"));
		append(&all, bh_buf_slice(&frame));
	}
	append(&all, BH_SLICE_LIT("\x5f\x2a\x4d\x18\x01\0\0\0x"));
	for (size_t piece = 1; piece < all.len; piece++)
		expect_plain(bh_buf_slice(&all), piece, BH_SLICE_LIT("contentcontentcontent"), "skippable frames");
	expect_error(bh_slice_sub(bh_buf_slice(&all), 0, all.len - 1), BH_ETRUNCATED, all.len - 1, "ends too early");
	bh_buf_done(&frame);
	bh_buf_done(&all);
}

static void size_is_limited(void **state)
{
	(void)state;
	struct bh_buf raw, out;
	struct bh_err err = { 0 };
	struct bh_stream_limits limits = { .max_bytes = sample.len - 1 };
	compress(SAMPLE, "gzip", &raw);
	assert_int_equal(decode(bh_buf_slice(&raw), 4096, &limits, &out, NULL, &err), BH_ELIMIT);
	assert_non_null(strstr(err.text, "decompresses to more than"));
	bh_buf_done(&out);
	assert_int_equal(decode(bh_buf_slice(&sample), 4096, &limits, &out, NULL, &err), BH_ELIMIT);
	assert_non_null(strstr(err.text, "holds more than"));
	bh_buf_done(&out);
	limits.max_bytes++;
	assert_int_equal(decode(bh_buf_slice(&raw), 4096, &limits, &out, NULL, &err), 0);
	bh_buf_done(&out);
	bh_buf_done(&raw);
}

static void bombs_are_called_by_their_name(void **state)
{
	(void)state;
	static const struct {
		const char *command;
		uint32_t max_ratio; /* 0: the default */
	} bombs[] = { { "zstd -qc -1", 0 }, { "gzip -1", 200 } };
	for (size_t i = 0; i < 2; i++) {
		struct bh_buf raw;
		struct bh_err err = { 0 };
		struct bh_stream_limits limits = { .max_ratio = bombs[i].max_ratio };
		/* 22 members or frames behind each other */
		compress("head -c 50M /dev/zero", bombs[i].command, &raw);
		struct bh_buf one = raw;
		bh_buf_init(&raw, 64u << 20);
		for (int k = 0; k < 22; k++)
			append(&raw, bh_buf_slice(&one));
		bh_buf_done(&one);
		struct pieces p = { bh_buf_slice(&raw), 1u << 16, NULL };
		struct bh_stream *s = NULL;
		struct bh_slice got = { NULL, 1 };
		assert_int_equal(bh_stream_new(pieces_source(&p), &limits, NULL, NULL, &s, &err), 0);
		int rc = 0;
		while (got.len && (rc = bh_stream_read(s, &got, &err)) == 0)
			;
		assert_int_equal(rc, BH_ELIMIT);
		assert_non_null(strstr(err.text, "looks like a decompression bomb"));
		assert_true(bh_stream_plain_bytes(s) <= (1ull << 30) + (256u << 10)); /* stopped at once */
		bh_stream_free(s);
		pieces_done(&p);
		bh_buf_done(&raw);
	}
}

static void memory_is_limited(void **state)
{
	(void)state;
	struct bh_buf raw;
	compress("head -c 3M /dev/zero", "zstd -qc --long=28", &raw);
	expect_error(bh_buf_slice(&raw), BH_ELIMIT, UINT64_MAX, "window of more than 128 MiB");
	bh_buf_done(&raw);
	compress("head -c 1M /dev/zero", "xz -c --lzma2=dict=128MiB", &raw);
	expect_error(bh_buf_slice(&raw), BH_ELIMIT, UINT64_MAX, "more than 66 MiB of memory");
	bh_buf_done(&raw);
}

static void collect(void *ctx, struct bh_slice raw)
{
	append(ctx, raw);
}

static void the_tap_sees_every_raw_byte_once(void **state)
{
	(void)state;
	struct bh_buf raw, seen;
	struct bh_err err = { 0 };
	struct bh_slice got;
	compress(SAMPLE, "gzip", &raw);
	append(&raw, BH_SLICE_LIT("this is no gzip"));
	for (int reads = 0; reads < 4; reads++) { /* drained before, while and after reading */
		struct pieces p = { bh_buf_slice(&raw), 7001, NULL };
		struct bh_stream *s = NULL;
		bh_buf_init(&seen, raw.len);
		assert_int_equal(bh_stream_new(pieces_source(&p), NULL, collect, &seen, &s, &err), 0);
		for (int i = 0; i < reads * reads; i++)
			if (bh_stream_read(s, &got, &err) < 0)
				break;
		assert_int_equal(bh_stream_drain(s, &err), 0);
		assert_true(bh_slice_eq(bh_buf_slice(&seen), bh_buf_slice(&raw)));
		assert_int_equal(bh_stream_raw_bytes(s), raw.len);
		bh_stream_free(s);
		pieces_done(&p);
		bh_buf_done(&seen);
	}
	bh_buf_done(&raw);
}

static void compressions_are_recognised_by_their_first_bytes(void **state)
{
	(void)state;
	static const struct {
		struct bh_slice head;
		enum bh_compression want;
	} heads[] = {
		{ BH_SLICE_LIT("\x1f\x8b\x08\0\0\0\0\0\0\x03"), BH_GZIP },
		{ BH_SLICE_LIT("\x1f\x8b"), BH_PLAIN },
		{ BH_SLICE_LIT("\x28\xb5\x2f\xfd\x04\0"), BH_ZSTD },
		{ BH_SLICE_LIT("\x57\x2a\x4d\x18\0\0\0\0"), BH_ZSTD },
		{ BH_SLICE_LIT("\x67\x2a\x4d\x18\0\0\0\0"), BH_PLAIN },
		{ BH_SLICE_LIT("\xfd" "7zXZ\0"), BH_XZ },
		{ BH_SLICE_LIT("BZh91AY&SY"), BH_BZIP2 },
		{ BH_SLICE_LIT("BZh1\x17rE8P\x90"), BH_BZIP2 }, /* nothing inside */
		{ BH_SLICE_LIT("BZh9.txt\0\0"), BH_PLAIN },      /* a tar whose first file is called so */
		{ BH_SLICE_LIT("BZh01AY&SY"), BH_PLAIN },
		{ BH_SLICE_LIT(""), BH_PLAIN },
	};
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(bh_compression_sniff(heads[i].head), heads[i].want);
	assert_string_equal(bh_compression_name(BH_PLAIN), "none");
}

static void read_whole_source(struct bh_file_source *f, struct bh_buf *out, int *rc, struct bh_err *err)
{
	struct bh_source src = bh_file_source(f);
	struct bh_slice got;
	bh_buf_init(out, 64u << 20);
	while ((*rc = src.read(src.ctx, &got, err)) == 0 && got.len)
		append(out, got);
}

static void file_sources_give_their_region(void **state)
{
	(void)state;
	struct bh_file_source f;
	struct bh_buf out;
	struct bh_err err = { 0 };
	int rc, ends[2], fd = memfd_create("sample", 0);
	assert_true(fd >= 0 && write(fd, sample.ptr, sample.len) == (ssize_t)sample.len);
	static const struct {
		uint64_t offset, length;
	} regions[] = { { 0, UINT64_MAX }, { 1000, 300001 }, { 5, 0 }, { 100, UINT64_MAX } };
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		assert_int_equal(bh_file_source_init(&f, fd, regions[i].offset, regions[i].length, false, &err), 0);
		read_whole_source(&f, &out, &rc, &err);
		assert_int_equal(rc, 0);
		assert_true(bh_slice_eq(bh_buf_slice(&out), bh_slice_sub(bh_buf_slice(&sample), regions[i].offset, regions[i].length)));
		bh_buf_done(&out);
		bh_file_source_done(&f);
	}
	/* A region that the file does not have */
	assert_int_equal(bh_file_source_init(&f, fd, 10, sample.len, false, &err), 0);
	read_whole_source(&f, &out, &rc, &err);
	assert_int_equal(rc, BH_ETRUNCATED);
	assert_non_null(strstr(err.text, "10 bytes early"));
	bh_buf_done(&out);
	bh_file_source_done(&f);
	assert_int_equal(bh_file_source_init(&f, fd, UINT64_MAX - 5, 100, false, &err), 0);
	read_whole_source(&f, &out, &rc, &err);
	assert_int_equal(rc, BH_EMALFORMED);
	bh_buf_done(&out);
	bh_file_source_done(&f);
	close(fd);
	/* A pipe */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "through a pipe", 14), 14);
	close(ends[1]);
	assert_int_equal(bh_file_source_init(&f, ends[0], 0, UINT64_MAX, true, &err), 0);
	read_whole_source(&f, &out, &rc, &err);
	assert_int_equal(rc, 0);
	assert_true(bh_slice_eq_str(bh_buf_slice(&out), "through a pipe"));
	bh_buf_done(&out);
	bh_file_source_done(&f);
	close(ends[0]);
	/* Not readable */
	assert_int_equal(bh_file_source_init(&f, -1, 0, UINT64_MAX, true, &err), 0);
	read_whole_source(&f, &out, &rc, &err);
	assert_int_equal(rc, BH_EIO);
	bh_buf_done(&out);
	bh_file_source_done(&f);
}

static int make_sample(void **state)
{
	(void)state;
	return output_of(SAMPLE, &sample) && sample.len > 400000 ? 0 : -1;
}

static int free_sample(void **state)
{
	(void)state;
	bh_buf_done(&sample);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compressors_round_trip),
		cmocka_unit_test(plain_bytes_pass_without_a_copy),
		cmocka_unit_test(frames_follow_each_other),
		cmocka_unit_test(truncation_is_seen_at_every_byte),
		cmocka_unit_test(flipped_bits_never_change_the_content),
		cmocka_unit_test(gzip_headers_have_many_fields),
		cmocka_unit_test(skippable_frames_are_skipped),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(bombs_are_called_by_their_name),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(the_tap_sees_every_raw_byte_once),
		cmocka_unit_test(compressions_are_recognised_by_their_first_bytes),
		cmocka_unit_test(file_sources_give_their_region),
	};
	return cmocka_run_group_tests_name("stream", tests, make_sample, free_sample);
}
