/*
 * test_tar.c: archives by GNU tar, bsdtar and Python in every format are read as Python's tarfile reads them; archives made
 * by hand show what no tool writes. Names are compared as bytes.
 */
#include "base/limits.h"
#include "bytes.h"
#include "crypto/digest.h"
#include "format/tar.h"

#include <sys/resource.h>
#include <unistd.h>

/* ---- archives made by hand ---- */

struct header {
	const char *name, *link, *size, *prefix; /* size: octal digits as stored */
	char type;
	const char *magic; /* "ustar\00000" when NULL */
	size_t magic_len;
};

static void put_field(uint8_t *block, size_t at, size_t len, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	if (n)
		memcpy(block + at, text, n < len ? n : len);
}

/* The checksum as POSIX defines it: sum of the block's bytes with blanks in the field itself. */
static void seal(uint8_t *block)
{
	unsigned sum = 0;
	char text[9];
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += block[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(block + 148, text, 7);
}

static void fill_header(uint8_t block[512], const struct header *h)
{
	memset(block, 0, 512);
	put_field(block, 0, 100, h->name);
	put_field(block, 100, 8, "0000644");
	put_field(block, 108, 8, "0001750");
	put_field(block, 116, 8, "0001751");
	put_field(block, 124, 12, h->size ? h->size : "00000000000");
	put_field(block, 136, 12, "14700000000");
	block[156] = (uint8_t)h->type;
	put_field(block, 157, 100, h->link);
	if (h->magic)
		memcpy(block + 257, h->magic, h->magic_len);
	else
		memcpy(block + 257, "ustar\00000", 8);
	put_field(block, 345, 155, h->prefix);
	seal(block);
}

static void add(struct bh_buf *to, struct bh_slice s)
{
	assert_true(bh_buf_add(to, s));
}

static void add_header(struct bh_buf *to, struct header h)
{
	uint8_t block[512];
	fill_header(block, &h);
	add(to, (struct bh_slice){ block, 512 });
}

static void add_body(struct bh_buf *to, struct bh_slice body)
{
	static const uint8_t zeros[512];
	add(to, body);
	add(to, (struct bh_slice){ zeros, -body.len & 511 });
}

static void add_zeros(struct bh_buf *to, size_t blocks)
{
	static const uint8_t zeros[512];
	while (blocks--)
		add(to, (struct bh_slice){ zeros, 512 });
}

static void add_file(struct bh_buf *to, const char *name, const char *content)
{
	char size[12];
	snprintf(size, sizeof(size), "%011zo", strlen(content));
	add_header(to, (struct header){ .name = name, .size = size, .type = '0' });
	add_body(to, bh_slice_str(content));
}

static void add_special(struct bh_buf *to, char type, struct bh_slice body)
{
	char size[12];
	snprintf(size, sizeof(size), "%011zo", body.len);
	add_header(to, (struct header){ .name = "special", .size = size, .type = type });
	add_body(to, body);
}

/* A pax record with its own length in front. */
static void add_record(struct bh_buf *to, const char *key, struct bh_slice value)
{
	size_t body = strlen(key) + value.len + 3, len = body;
	char digits[24];
	while (len != body + (size_t)snprintf(digits, sizeof(digits), "%zu", len))
		len = body + (size_t)snprintf(digits, sizeof(digits), "%zu", len);
	assert_true(bh_buf_printf(to, "%s %s=", digits, key));
	add(to, value);
	add(to, BH_SLICE_LIT("\n"));
}

static void add_pax(struct bh_buf *to, const char *key, struct bh_slice value)
{
	struct bh_buf body;
	bh_buf_init(&body, 2u << 20);
	add_record(&body, key, value);
	add_special(to, 'x', bh_buf_slice(&body));
	bh_buf_done(&body);
}

/* Records given as "key=value key=value". */
static void add_pax_words(struct bh_buf *to, const char *words)
{
	struct bh_buf body;
	struct bh_slice word, value, rest = bh_slice_str(words);
	char key[64];
	bh_buf_init(&body, 1u << 20);
	while (rest.len) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		assert_true(bh_slice_cut(word, '=', &word, &value));
		snprintf(key, sizeof(key), "%.*s", BH_SLICE_FMT(word));
		add_record(&body, key, value);
	}
	add_special(to, 'x', bh_buf_slice(&body));
	bh_buf_done(&body);
}

static void start(struct bh_buf *b)
{
	bh_buf_init(b, 64u << 20);
}

/* ---- reading ---- */

static void escape(struct bh_buf *out, struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bh_buf_printf(out, c >= 33 && c <= 126 && c != '\\' ? "%c" : "\\x%02x", c);
	}
}

static int hash_content(struct bh_tar *t, uint64_t *size, char text[BH_DIGEST_TEXT_BYTES], struct bh_err *err)
{
	struct bh_hasher *h = NULL;
	struct bh_slice got;
	struct bh_digest d;
	int rc = bh_hasher_new(BH_DIGEST_SHA256, &h, err);
	assert_int_equal(rc, 0);
	*size = 0;
	while ((rc = bh_tar_read(t, &got, err)) == 0 && got.len) {
		bh_hasher_update(h, got);
		*size += got.len;
	}
	bh_hasher_finish(h, &d);
	bh_digest_text(&d, text);
	bh_hasher_free(h);
	return rc;
}

/* As tar_list.py prints: kind|mode|uid|gid|mtime|size|digest|name|link, folders without their last "/". */
static int list(struct bh_slice archive, size_t piece, bool contents, struct bh_buf *out, struct bh_err *err)
{
	struct pieces p = { archive, piece, NULL };
	struct bh_tar *t = NULL;
	struct bh_tar_entry e;
	int rc;
	start(out);
	assert_int_equal(bh_tar_new(pieces_source(&p), &t, err), 0);
	while ((rc = bh_tar_next(t, &e, err)) == 1) {
		char digest[BH_DIGEST_TEXT_BYTES] = "-";
		uint64_t size = e.size_bytes;
		if (contents && e.type == BH_TAR_FILE) {
			rc = hash_content(t, &size, digest, err);
			if (rc < 0)
				break;
			assert_true(size == e.size_bytes);
		}
		if (e.type == BH_TAR_DIR && bh_slice_ends(e.name, BH_SLICE_LIT("/")))
			e.name.len--;
		bh_buf_printf(out, "%c|%o|%u|%u|%lld|%llu|%s|", "fdlho"[e.type], e.mode, e.uid, e.gid, (long long)e.mtime_s,
			      (unsigned long long)(e.type == BH_TAR_FILE ? size : 0), digest);
		escape(out, e.name);
		bh_buf_add_byte(out, '|');
		escape(out, e.link);
		assert_true(bh_buf_add_byte(out, '\n'));
	}
	struct bh_err again = { 0 };
	assert_int_equal(bh_tar_next(t, &e, &again), rc); /* the end stays the end, an error an error */
	bh_tar_free(t);
	pieces_done(&p);
	return rc;
}

static void expect_list(struct bh_buf *archive, const char *want)
{
	static const size_t pieces[] = { 1, 300, 512, 100000 };
	for (size_t i = 0; i < 4; i++) {
		struct bh_buf got;
		struct bh_err err = { 0 };
		int rc = list(bh_buf_slice(archive), pieces[i], false, &got, &err);
		if (rc < 0)
			fail_msg("%s", err.text);
		assert_true(bh_buf_add_byte(&got, '\0'));
		assert_string_equal((const char *)got.ptr, want);
		bh_buf_done(&got);
	}
}

static void expect_error(struct bh_buf *archive, enum bh_code code, uint64_t offset, const char *said)
{
	static const size_t pieces[] = { 1, 512, 100000 };
	for (size_t i = 0; i < 3; i++) {
		struct bh_buf got;
		struct bh_err err = { 0 };
		int rc = list(bh_buf_slice(archive), pieces[i], true, &got, &err);
		if (rc != (int)code || !strstr(err.text, said))
			fail_msg("expected %s \"%s\", got %s: %s", bh_code_name(code), said, bh_code_name((enum bh_code)rc), err.text);
		assert_int_equal(err.offset_bytes, offset);
		bh_buf_done(&got);
	}
	bh_buf_done(archive);
}

/* What a hand-made regular file looks like in a list; mtime 14700000000 octal, uid 1750, gid 1751 octal. */
#define FILE_LINE(size, name) "f|644|1000|1001|1728053248|" size "|-|" name "|\n"

/* ---- against tools ---- */

/* A tree with all that tars can hold; made in a scratch folder whose path is printed. */
static const char make_tree[] =
	"set -e; d=$(mktemp -d); cd $d; mkdir tree; cd tree\n"
	"cp /etc/services plain; ln plain hard; ln -s plain soft; ln -s /does/not/exist dangling; mkfifo fifo; : >empty\n"
	"long=$(printf 'd%.0s' $(seq 90)); mkdir -p $long/$long/$long; echo deep >$long/$long/$long/file\n"
	"ln -s $long/$long/$long/file long-link\n"
	"echo x >\"$(printf 'bad\\377\\376utf8')\"; echo x >\"$(printf 'caf\\303\\251')\"; echo x >\"$(printf 'nfd-e\\314\\201')\"\n"
	"echo x >\"$(printf 'status\\363\\240\\201\\201')\"; echo x >'with blank'; echo x >\"$(printf 'new\\nline')\"\n"
	"truncate -s 3M sparse; printf mid | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none\n"
	"printf end | dd of=sparse bs=1 seek=2900000 conv=notrunc status=none; truncate -s 1M hole\n"
	"for i in $(seq 1 40); do printf $i | dd of=many bs=1 seek=$((i * 131072)) conv=notrunc status=none; done\n"
	"touch -d @-5 old; touch -d 2500-01-01 future; chmod 4755 plain; mkdir sticky; chmod 1777 sticky\n"
	"echo $d";

static char tree[256];

static int prepare(void **state)
{
	(void)state;
	struct bh_buf out;
	if (!output_of(make_tree, &out))
		return -1;
	snprintf(tree, sizeof(tree), "%.*s", BH_SLICE_FMT(bh_slice_trim(bh_buf_slice(&out))));
	bh_buf_done(&out);
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	char command[300];
	if (!tree[0])
		return 0;
	snprintf(command, sizeof(command), "rm -rf '%s'", tree);
	return system(command);
}

static void archives_of_real_tools_read_as_python_reads_them(void **state)
{
	(void)state;
	static const struct {
		const char *program, *command;
		size_t entries; /* at least: the tool left nothing out that its format can hold */
	} makers[] = {
		{ "tar", "tar --format=gnu -cf - .", 24 },
		{ "tar", "tar --format=gnu -S -cf - .", 24 },
		{ "tar", "tar --format=oldgnu -S -cf - .", 24 },
		{ "tar", "tar --format=posix -cf - .", 24 },
		{ "tar", "tar --format=posix -S --sparse-version=0.0 -cf - .", 24 },
		{ "tar", "tar --format=posix -S --sparse-version=0.1 -cf - .", 24 },
		{ "tar", "tar --format=posix -S --sparse-version=1.0 -cf - .", 24 },
		{ "tar", "tar --format=ustar -cf - . 2>/dev/null || :", 18 },
		{ "tar", "tar --format=v7 -cf - . 2>/dev/null || :", 18 },
		{ "tar", "tar --format=posix --pax-option=globexthdr.name=g,comment=hello -cf - .", 24 },
		{ "tar", "tar --format=gnu --owner=:4000000000 --group=:3000000 --numeric-owner -cf - .", 24 },
		{ "tar", "tar --format=gnu -H gnu -b 1 -cf - . .", 48 }, /* everything twice; one block per record */
		{ "bsdtar", "bsdtar --format=pax -cf - . 2>/dev/null || :", 24 },
		{ "bsdtar", "bsdtar --format=gnutar -cf - . 2>/dev/null || :", 23 },
		{ "bsdtar", "bsdtar --format=ustar -cf - . 2>/dev/null || :", 18 },
		{ "python3", "python3 -c 'import tarfile,sys; tarfile.open(fileobj=sys.stdout.buffer,mode=\"w|\",format=tarfile.PAX_FORMAT).add(\".\")'",
		  24 },
		{ "python3", "python3 -c 'import tarfile,sys; tarfile.open(fileobj=sys.stdout.buffer,mode=\"w|\",format=tarfile.GNU_FORMAT).add(\".\")'",
		  24 },
	};
	if (!have("python3")) {
		print_message("# skipped: no python3 here, nothing to compare with\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		struct bh_buf archive, want, got;
		struct bh_err err = { 0 };
		char command[1200];
		if (!have(makers[i].program)) {
			print_message("# no %s here: %s is not tested\n", makers[i].program, makers[i].command);
			continue;
		}
		snprintf(command, sizeof(command), "cd %s/tree && { %s; }", tree, makers[i].command);
		assert_true(output_of(command, &archive));
		snprintf(command, sizeof(command), "{ cd %s/tree && { %s; }; } | python3 tests/unit/tar_list.py", tree, makers[i].command);
		assert_true(output_of(command, &want));
		size_t lines = 0;
		for (size_t n = 0; n < want.len; n++)
			lines += want.ptr[n] == '\n';
		if (lines < makers[i].entries)
			fail_msg("%s: only %zu entries", makers[i].command, lines);
		static const size_t pieces[] = { 77, 512, 10240, SIZE_MAX };
		for (size_t n = 0; n < 4; n++) {
			if (list(bh_buf_slice(&archive), pieces[n], true, &got, &err) < 0)
				fail_msg("%s: %s", makers[i].command, err.text);
			if (!bh_slice_eq(bh_buf_slice(&got), bh_buf_slice(&want)))
				fail_msg("%s:\n%.*s\ninstead of\n%.*s", makers[i].command, BH_SLICE_FMT(bh_buf_slice(&got)),
					 BH_SLICE_FMT(bh_buf_slice(&want)));
			bh_buf_done(&got);
		}
		bh_buf_done(&archive);
		bh_buf_done(&want);
	}
}

/* ---- ends ---- */

static void archives_end_in_many_ways(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	expect_list(&b, ""); /* nothing at all */
	for (size_t zeros = 1; zeros < 4; zeros++) {
		add_zeros(&b, 1);
		expect_list(&b, "");
	}
	bh_buf_clear(&b);
	add_file(&b, "a", "content");
	expect_list(&b, FILE_LINE("7", "a")); /* no end mark: Docker accepts it */
	b.len -= 505;
	expect_list(&b, FILE_LINE("7", "a")); /* not even the padding */
	b.len += 505;
	for (size_t zeros = 1; zeros < 21; zeros++) {
		add_zeros(&b, 1);
		expect_list(&b, FILE_LINE("7", "a"));
	}
	add(&b, BH_SLICE_LIT("whatever follows the end is not part of the archive"));
	expect_list(&b, FILE_LINE("7", "a"));
	bh_buf_done(&b);
}

static void a_lone_zero_block_is_damage(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	add_file(&b, "a", "x");
	add_zeros(&b, 1);
	add_file(&b, "hidden", "x");
	expect_error(&b, BH_EMALFORMED, 1024, "a single block of zeros at byte 1024");
}

static void truncation_is_seen_everywhere(void **state)
{
	(void)state;
	struct bh_buf b, got;
	start(&b);
	add_file(&b, "first", "content that is longer than nothing");
	add_pax(&b, "path", BH_SLICE_LIT("second"));
	add_file(&b, "x", "more");
	add_special(&b, 'L', BH_SLICE_LIT("third"));
	add_file(&b, "y", "");
	size_t clean = 0;
	for (size_t n = 0; n <= b.len; n++) {
		struct bh_err err = { 0 };
		int rc = list(bh_slice_sub(bh_buf_slice(&b), 0, n), 400, true, &got, &err);
		if (rc == 0) {
			clean++; /* before the first entry, behind one, or in the padding there */
			assert_true(n == 0 || (n >= 512 + 35 && n <= 1024) || (n >= 2560 + 4 && n <= 3072) || n == b.len);
		} else {
			assert_int_equal(rc, BH_ETRUNCATED);
			assert_int_equal(err.offset_bytes, n);
			assert_non_null(strstr(err.text, "ends too early"));
		}
		bh_buf_done(&got);
	}
	assert_int_equal(clean, 1 + 478 + 509 + 1);
	bh_buf_done(&b);
}

static void damaged_headers_are_errors(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	add_file(&b, "a", "x");
	size_t second = b.len;
	add_file(&b, "b", "x");
	for (size_t bit = 0; bit < 512 * 8; bit++) {
		struct bh_buf got;
		struct bh_err err = { 0 };
		b.ptr[second + bit / 8] ^= (uint8_t)(1u << bit % 8);
		int rc = list(bh_buf_slice(&b), SIZE_MAX, false, &got, &err);
		bool in_checksum = bit / 8 >= 148 && bit / 8 < 156; /* blank and zero both end the number there */
		if (rc != BH_EMALFORMED && !in_checksum)
			fail_msg("bit %zu goes unnoticed", bit);
		if (rc < 0)
			assert_int_equal(err.offset_bytes, second);
		b.ptr[second + bit / 8] ^= (uint8_t)(1u << bit % 8);
		bh_buf_done(&got);
	}
	b.ptr[0]++;
	expect_error(&b, BH_EMALFORMED, 0, "not a tar archive");
}

/* ---- names ---- */

static void names_are_raw_bytes(void **state)
{
	(void)state;
	static const char *const names[] = { "status\xf3\xa0\x81\x81", "e\xcc\x81", "\xc3\xa9", "\xff\xfe", "a\\b", "caf\xe9/\x01\x1b[31m" };
	static const char want[] = FILE_LINE("1", "status\\xf3\\xa0\\x81\\x81") FILE_LINE("1", "e\\xcc\\x81") FILE_LINE("1", "\\xc3\\xa9")
		FILE_LINE("1", "\\xff\\xfe") FILE_LINE("1", "a\\x5cb") FILE_LINE("1", "caf\\xe9/\\x01\\x1b[31m");
	for (int form = 0; form < 3; form++) {
		struct bh_buf b;
		start(&b);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (form == 1)
				add_pax(&b, "path", bh_slice_str(names[i]));
			if (form == 2)
				add_special(&b, 'L', bh_slice_str(names[i]));
			add_file(&b, form ? "short" : names[i], "x");
		}
		expect_list(&b, want);
		bh_buf_done(&b);
	}
}

static void long_names_have_a_limit(void **state)
{
	(void)state;
	enum { LONG = 100000 };
	struct bh_buf b, got;
	struct bh_err err = { 0 };
	static char name[(1u << 20) + 2];
	memset(name, 'n', sizeof(name) - 1);
	for (int form = 0; form < 2; form++) {
		start(&b);
		if (form)
			add_pax(&b, "path", (struct bh_slice){ (uint8_t *)name, LONG });
		else
			add_special(&b, 'L', (struct bh_slice){ (uint8_t *)name, LONG });
		add_file(&b, "short", "x");
		assert_int_equal(list(bh_buf_slice(&b), 4096, false, &got, &err), 0);
		assert_true(got.len > LONG && got.len < LONG + 100);
		bh_buf_done(&got);
		bh_buf_done(&b);
	}
	start(&b);
	add_special(&b, 'L', (struct bh_slice){ (uint8_t *)name, (1u << 20) + 1 });
	expect_error(&b, BH_ELIMIT, 0, "extended header of more than 1048576");
	start(&b); /* 1 GB announced: refused before anything is read */
	add_header(&b, (struct header){ .name = "pax", .size = "10000000000", .type = 'x' });
	expect_error(&b, BH_ELIMIT, 0, "extended header of more than 1048576");
}

static void names_come_from_prefix_and_gnu_magic(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	add_header(&b, (struct header){ .name = "n", .prefix = "posix/prefix", .type = '0' });
	/* GNU keeps times there; Go before 1.8 a prefix all the same */
	add_header(&b, (struct header){ .name = "n", .prefix = "14700000000", .type = '0', .magic = "ustar  ", .magic_len = 8 });
	add_header(&b, (struct header){ .name = "n", .prefix = "old/go", .type = '0', .magic = "ustar  ", .magic_len = 8 });
	add_header(&b, (struct header){ .name = "n", .prefix = "v7 has none", .type = '0', .magic = "", .magic_len = 1 });
	expect_list(&b, FILE_LINE("0", "posix/prefix/n") FILE_LINE("0", "n") FILE_LINE("0", "old/go/n") FILE_LINE("0", "n"));
	bh_buf_done(&b);
	/* A name of exactly 100 bytes has no zero behind it. */
	char name[101], want[200];
	memset(name, 'a', 100);
	name[100] = '\0';
	snprintf(want, sizeof(want), "f|644|1000|1001|1728053248|1|-|%s|\n", name);
	start(&b);
	add_file(&b, name, "x");
	expect_list(&b, want);
	bh_buf_done(&b);
}

static void bad_pax_records_are_errors(void **state)
{
	(void)state;
	static const struct bh_slice bad[] = {
		BH_SLICE_LIT("12 path=a\0b\n"), BH_SLICE_LIT("16 linkpath=a\0b\n"), BH_SLICE_LIT("9 path=ab"), BH_SLICE_LIT("x path=a\n"),
		BH_SLICE_LIT("999 path=a\n"),   BH_SLICE_LIT("0 path=a\n"),        BH_SLICE_LIT("6 path\n"),  BH_SLICE_LIT("4 =a\n"),
		BH_SLICE_LIT("11 path=a\nxx"),  BH_SLICE_LIT("11 size=-1\n"),    BH_SLICE_LIT("12 size=0x1\n"),
		BH_SLICE_LIT("28 size=9223372036854775808\n"), BH_SLICE_LIT("99999999999999999999999 path=a\n"), BH_SLICE_LIT("12 mtime=x1\n"),
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bh_buf b;
		start(&b);
		add_special(&b, 'x', bad[i]);
		add_file(&b, "a", "x");
		expect_error(&b, BH_EMALFORMED, 1024, "in a pax header at byte 1024");
	}
}

static void pax_records_override_and_stay_with_their_entry(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	add_special(&b, 'g', BH_SLICE_LIT("15 path=global\n")); /* for git's sake: archive/tar gives it no effect */
	add_pax_words(&b, "path=first path=second uid=3000000000 gid=7 mtime=-1.5 size=3");
	add_header(&b, (struct header){ .name = "a", .size = "00000000777", .type = '0' });
	add_body(&b, BH_SLICE_LIT("abc"));
	add_pax_words(&b, "path=lost path="); /* empty: the header's own name */
	add_file(&b, "own", "x");
	add_file(&b, "next", "x");
	add_pax_words(&b, "path=pax linkpath=target");
	add_header(&b, (struct header){ .name = "a", .link = "b", .type = '2' });
	expect_list(&b, "f|644|3000000000|7|-2|3|-|second|\n" FILE_LINE("1", "own") FILE_LINE("1", "next")
		    "l|644|1000|1001|1728053248|0|-|pax|target\n");
	bh_buf_done(&b);
}

/* ---- types and sizes ---- */

static void hard_links_may_have_data(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	/* The size of what it links to, no data: next comes a header, the end mark, or nothing. */
	add_header(&b, (struct header){ .name = "h1", .link = "t", .size = "00000000144", .type = '1' });
	add_file(&b, "f", "x");
	/* Data, as `pax -o linkdata` writes */
	add_header(&b, (struct header){ .name = "h2", .link = "t", .size = "00000000004", .type = '1' });
	add_body(&b, BH_SLICE_LIT("data"));
	add_header(&b, (struct header){ .name = "h3", .link = "t", .size = "00000000144", .type = '1' });
	static const char want[] = "h|644|1000|1001|1728053248|0|-|h1|t\n" FILE_LINE("1", "f") "h|644|1000|1001|1728053248|0|-|h2|t\n"
				   "h|644|1000|1001|1728053248|0|-|h3|t\n";
	expect_list(&b, want);
	add_zeros(&b, 2);
	expect_list(&b, want);
	struct pieces p = { bh_buf_slice(&b), 700, NULL };
	struct bh_tar *t = NULL;
	struct bh_tar_entry e;
	struct bh_slice got;
	struct bh_err err;
	assert_int_equal(bh_tar_new(pieces_source(&p), &t, &err), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(bh_tar_next(t, &e, &err), 1);
	assert_int_equal(e.size_bytes, 4);
	assert_int_equal(e.offset, 1536);
	assert_int_equal(bh_tar_read(t, &got, &err), 0);
	assert_true(bh_slice_eq_str(got, "data"));
	assert_int_equal(bh_tar_next(t, &e, &err), 1);
	assert_int_equal(e.size_bytes, 0);
	bh_tar_free(t);
	pieces_done(&p);
	bh_buf_done(&b);
}

static void types_are_told_apart(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	static const char types[] = { '\0', '0', '7', 'Z', '5', '2', '3', '4', '6', 'D', 'V', 'M' };
	for (size_t i = 0; i < sizeof(types); i++) /* those without a body have none, whatever their size says */
		add_header(&b, (struct header){ .name = "n", .link = "l", .size = types[i] >= '2' && types[i] <= '6' ? "00000000777" : NULL,
						.type = types[i] });
	add_header(&b, (struct header){ .name = "folder/", .type = '\0' });
	add_header(&b, (struct header){ .name = "file/", .type = '0' });
	static const char want[] = "ffffdlooooood" "f";
	struct bh_buf got;
	struct bh_err err = { 0 };
	assert_int_equal(list(bh_buf_slice(&b), 4096, false, &got, &err), 0);
	size_t n = 0;
	for (size_t i = 0; i < got.len; i++) {
		if (i == 0 || got.ptr[i - 1] == '\n') {
			assert_int_equal(got.ptr[i], want[n]);
			n++;
		}
	}
	assert_int_equal(n, sizeof(want) - 1);
	bh_buf_done(&got);
	bh_buf_done(&b);
}

static void sizes_are_checked(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", /* -1 in base 256 */
		"\x80\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01", /* more than 63 bits */
		"-0000000001", "0000000009", "12345678901z",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bh_buf b;
		start(&b);
		add_header(&b, (struct header){ .name = "a", .size = bad[i], .type = '0' });
		expect_error(&b, BH_EMALFORMED, 0, "bad size at byte 0");
	}
	struct bh_buf b;
	start(&b); /* 8 EiB that are not there: a truncation, found without waiting */
	uint8_t block[512];
	fill_header(block, &(struct header){ .name = "a", .type = '0' });
	memcpy(block + 124, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
	seal(block);
	add(&b, (struct bh_slice){ block, 512 });
	add_zeros(&b, 3);
	expect_error(&b, BH_ETRUNCATED, 2048, "ends too early");
}

/* ---- sparse files ---- */

static void sparse_maps_are_checked(void **state)
{
	(void)state;
	static const char *const maps[] = {
		"GNU.sparse.map=0,512,512,9 GNU.sparse.size=512",     /* past the end of the file */
		"GNU.sparse.map=512,512,0,512 GNU.sparse.size=2048",  /* backwards */
		"GNU.sparse.map=0,512,511,512 GNU.sparse.size=2048",  /* overlap */
		"GNU.sparse.map=0,2048 GNU.sparse.size=2048",         /* more than the body */
		"GNU.sparse.map=0,512,",
		"GNU.sparse.map=0",
		"GNU.sparse.map=0,18446744073709551616",
		"GNU.sparse.numbytes=5000",
		"GNU.sparse.offset=0",
		"GNU.sparse.offset=0 GNU.sparse.offset=1",
		"GNU.sparse.offset=0 GNU.sparse.numbytes=x",
	};
	struct bh_buf b;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		start(&b);
		add_pax_words(&b, maps[i]);
		add_header(&b, (struct header){ .name = "a", .size = "00000001000", .type = '0' });
		add_zeros(&b, 1);
		struct bh_buf got;
		struct bh_err err = { 0 };
		int rc = list(bh_buf_slice(&b), 512, true, &got, &err);
		if (rc != BH_EMALFORMED || !strstr(err.text, "sparse map") || err.offset_bytes != 1024)
			fail_msg("map %zu: %d %s", i, rc, err.text);
		bh_buf_done(&got);
		bh_buf_done(&b);
	}
	start(&b); /* version 1.0: the map lies in the body, here without end */
	add_pax_words(&b, "GNU.sparse.major=1 GNU.sparse.minor=0 GNU.sparse.realsize=9999");
	add_header(&b, (struct header){ .name = "a", .size = "00000001000", .type = '0' });
	add_body(&b, BH_SLICE_LIT("100000\n0\n1\n"));
	expect_error(&b, BH_EMALFORMED, 1024, "bad sparse map");
	start(&b);
	uint8_t block[512]; /* the map of GNU's old format */
	fill_header(block, &(struct header){ .name = "a", .size = "00000001000", .type = 'S', .magic = "ustar  ", .magic_len = 8 });
	put_field(block, 386, 12, "00000001000");
	put_field(block, 398, 12, "77777777777");
	put_field(block, 483, 12, "00000002000");
	seal(block);
	add(&b, (struct bh_slice){ block, 512 });
	add_zeros(&b, 1);
	expect_error(&b, BH_EMALFORMED, 0, "sparse map out of order");
}

static void holes_read_as_zeros(void **state)
{
	(void)state;
	struct bh_buf b;
	start(&b);
	add_pax_words(&b, "GNU.sparse.map=3,2,100000,3,200000,0 GNU.sparse.size=200000 GNU.sparse.name=real");
	add_header(&b, (struct header){ .name = "a", .size = "00000000005", .type = '0' });
	add_body(&b, BH_SLICE_LIT("ABxyz"));
	add_file(&b, "next", "x");
	struct pieces p = { bh_buf_slice(&b), 100, NULL };
	struct bh_tar *t = NULL;
	struct bh_tar_entry e;
	struct bh_slice got;
	struct bh_err err = { 0 };
	struct bh_buf content;
	static uint8_t want[200000];
	memcpy(want + 3, "AB", 2);
	memcpy(want + 100000, "xyz", 3);
	assert_int_equal(bh_tar_new(pieces_source(&p), &t, &err), 0);
	assert_int_equal(bh_tar_next(t, &e, &err), 1);
	assert_true(bh_slice_eq_str(e.name, "real"));
	assert_int_equal(e.size_bytes, 200000);
	start(&content);
	while (bh_tar_read(t, &got, &err) == 0 && got.len)
		add(&content, got);
	assert_true(bh_slice_eq(bh_buf_slice(&content), (struct bh_slice){ want, sizeof(want) }));
	assert_int_equal(bh_tar_next(t, &e, &err), 1);
	assert_true(bh_slice_eq_str(e.name, "next"));
	assert_int_equal(bh_tar_next(t, &e, &err), 0);
	bh_tar_free(t);
	pieces_done(&p);
	bh_buf_done(&content);
	bh_buf_done(&b);
}

/* ---- size of the archive ---- */

struct endless {
	uint8_t block[512];
	uint64_t left;
};

static int endless_read(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct endless *e = ctx;
	(void)err;
	*ret = (struct bh_slice){ e->block, e->left ? 512 : 0 };
	e->left -= e->left != 0;
	return 0;
}

static void millions_of_entries_take_no_memory(void **state)
{
	(void)state;
	static const char kinds[] = { '0', 'x', 'L' }; /* also endless special headers, which nothing follows */
	for (size_t i = 0; i < 3; i++) {
		struct endless src = { .left = 2000000 };
		struct bh_tar *t = NULL;
		struct bh_tar_entry e;
		struct bh_err err = { 0 };
		struct rusage before, after;
		uint64_t n = 0;
		int rc;
		fill_header(src.block, &(struct header){ .name = "some/file/of/a/usual/length", .type = kinds[i] });
		assert_int_equal(bh_tar_new((struct bh_source){ endless_read, &src }, &t, &err), 0);
		getrusage(RUSAGE_SELF, &before);
		while ((rc = bh_tar_next(t, &e, &err)) == 1)
			n++;
		getrusage(RUSAGE_SELF, &after);
		assert_int_equal(rc, i == 0 ? 0 : BH_ETRUNCATED); /* special headers promise an entry */
		assert_int_equal(n, i == 0 ? 2000000 : 0);
		assert_true(after.ru_maxrss - before.ru_maxrss < 1024);
		bh_tar_free(t);
	}
}

/* ---- paths ---- */

static void paths_have_one_clean_form(void **state)
{
	(void)state;
	static const struct {
		struct bh_slice raw;
		const char *want; /* NULL: refused */
		bool climbed;
	} cases[] = {
		{ BH_SLICE_LIT("a/b"), "a/b", false },
		{ BH_SLICE_LIT("./a/b/"), "a/b", false },
		{ BH_SLICE_LIT("/a//b///c"), "a/b/c", false },
		{ BH_SLICE_LIT("a/./b/."), "a/b", false },
		{ BH_SLICE_LIT("a/../b"), "b", false },
		{ BH_SLICE_LIT("a/b/../../c"), "c", false },
		{ BH_SLICE_LIT("../../etc/passwd"), "etc/passwd", true },
		{ BH_SLICE_LIT("a/../../b"), "b", true },
		{ BH_SLICE_LIT("/../x"), "x", true },
		{ BH_SLICE_LIT("..a/.b./..."), "..a/.b./...", false },
		{ BH_SLICE_LIT("."), "", false },
		{ BH_SLICE_LIT("./"), "", false },
		{ BH_SLICE_LIT("/"), "", false },
		{ BH_SLICE_LIT("//./"), "", false },
		{ BH_SLICE_LIT(""), NULL, false },
		{ BH_SLICE_LIT(".."), NULL, true },
		{ BH_SLICE_LIT("a/.."), NULL, false },
		{ BH_SLICE_LIT("a\0b"), NULL, false },
		{ BH_SLICE_LIT("\xff\xfe/\xc3\xa9"), "\xff\xfe/\xc3\xa9", false },
		{ BH_SLICE_LIT("a b\n/c"), "a b\n/c", false },
	};
	uint8_t out[BH_PATH_BYTES_MAX];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bh_slice got = BH_SLICE_LIT("untouched");
		bool climbed = !cases[i].climbed;
		bool ok = bh_path_clean(cases[i].raw, out, &got, &climbed);
		if (ok != (cases[i].want != NULL) || !bh_slice_eq_str(got, ok ? cases[i].want : "untouched") || climbed != cases[i].climbed)
			fail_msg("case %zu gives %d \"%.*s\" %d", i, ok, BH_SLICE_FMT(got), climbed);
	}
}

static void paths_have_a_limit(void **state)
{
	(void)state;
	uint8_t out[BH_PATH_BYTES_MAX], raw[BH_PATH_BYTES_MAX + 3];
	struct bh_slice got;
	bool climbed;
	memset(raw, 'x', sizeof(raw));
	raw[1] = '/';
	assert_true(bh_path_clean((struct bh_slice){ raw, BH_PATH_BYTES_MAX }, out, &got, &climbed));
	assert_int_equal(got.len, BH_PATH_BYTES_MAX);
	assert_false(bh_path_clean((struct bh_slice){ raw, BH_PATH_BYTES_MAX + 1 }, out, &got, &climbed));
	raw[2] = '.', raw[3] = '/'; /* what is cleaned away doesn't count */
	assert_true(bh_path_clean((struct bh_slice){ raw, BH_PATH_BYTES_MAX + 2 }, out, &got, &climbed));
	assert_false(bh_path_clean((struct bh_slice){ raw, BH_PATH_BYTES_MAX + 3 }, out, &got, &climbed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archives_of_real_tools_read_as_python_reads_them),
		cmocka_unit_test(archives_end_in_many_ways),
		cmocka_unit_test(a_lone_zero_block_is_damage),
		cmocka_unit_test(truncation_is_seen_everywhere),
		cmocka_unit_test(damaged_headers_are_errors),
		cmocka_unit_test(names_are_raw_bytes),
		cmocka_unit_test(long_names_have_a_limit),
		cmocka_unit_test(names_come_from_prefix_and_gnu_magic),
		cmocka_unit_test(bad_pax_records_are_errors),
		cmocka_unit_test(pax_records_override_and_stay_with_their_entry),
		cmocka_unit_test(hard_links_may_have_data),
		cmocka_unit_test(types_are_told_apart),
		cmocka_unit_test(sizes_are_checked),
		cmocka_unit_test(sparse_maps_are_checked),
		cmocka_unit_test(holes_read_as_zeros),
		cmocka_unit_test(millions_of_entries_take_no_memory),
		cmocka_unit_test(paths_have_one_clean_form),
		cmocka_unit_test(paths_have_a_limit),
	};
	return cmocka_run_group_tests_name("tar", tests, prepare, clean_up);
}
