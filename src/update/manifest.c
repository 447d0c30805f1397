/* manifest.c: see manifest.h and docs/formats/manifest.md. */
#include "update/manifest.h"

#include "base/reader.h"
#include "crypto/digest.h"
#include "vuln/db.h"

#define PIECES_MAX 400000u
#define TITLE "bulkhead-manifest 1"
#define SIGNATURE "signature "

void update_manifest_init(struct update_manifest *m)
{
	*m = (struct update_manifest){ .created_day = VULN_NO_DAY, .expires_day = VULN_NO_DAY, .pieces.max = PIECES_MAX };
}

void update_manifest_done(struct update_manifest *m)
{
	update_piece_vec_done(&m->pieces);
}

const char *update_hex(const uint8_t bytes[32], char out[65])
{
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return out;
}

static bool add_hex(struct bh_buf *b, struct bh_slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		bh_buf_printf(b, "%02x", bytes.ptr[i]);
	return !b->failed;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool update_unhex(struct bh_slice text, uint8_t *out, size_t n)
{
	if (text.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text.ptr[2 * i]), low = hex_digit(text.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* ---- writing ---- */

static int hash_lines(struct bh_slice lines, uint8_t ret[32], struct bh_err *err)
{
	struct bh_digest digest = { 0 };
	int rc = bh_digest_of(BH_DIGEST_SHA256, lines, &digest, err);
	if (rc == 0)
		memcpy(ret, digest.bytes, 32);
	return rc;
}

static void add_pieces(const struct update_manifest *m, struct bh_buf *b)
{
	char name[65], packed[65];
	for (size_t i = 0; i < m->pieces.len; i++) {
		const struct update_piece *p = &m->pieces.ptr[i];
		bh_buf_printf(b, "%s %u %s %u\n", update_hex(p->sha256, name), p->bytes, update_hex(p->packed_sha256, packed), p->packed_bytes);
	}
}

static int add_signature(const struct bh_sign_key *key, struct bh_buf *out, size_t from, struct bh_err *err)
{
	uint8_t signature[BH_SIGNATURE_BYTES_MAX];
	size_t len = 0;
	int rc = bh_sign(key, bh_slice_sub(bh_buf_slice(out), from, out->len), signature, &len, err);
	if (rc < 0)
		return rc;
	bh_buf_printf(out, SIGNATURE "%s ", bh_sign_key_kind(key));
	add_hex(out, (struct bh_slice){ signature, len });
	bh_buf_add_byte(out, '\n');
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the manifest is too large") : 0;
}

int update_manifest_write(struct update_manifest *m, const struct bh_sign_key *key, struct bh_buf *out, struct bh_err *err)
{
	struct bh_buf lines;
	char created[16], expires[16], sha256[65], root[65];
	size_t from = out->len;
	bh_buf_init(&lines, UPDATE_MANIFEST_BYTES_MAX);
	add_pieces(m, &lines);
	int rc = lines.failed ? bh_fail(err, BH_ELIMIT, 0, "more pieces than a manifest may have") : hash_lines(bh_buf_slice(&lines), m->root, err);
	if (rc == 0) {
		bh_buf_printf(out, TITLE "\nversion %llu\ncreated %s\nexpires %s\n", (unsigned long long)m->version, vuln_day_text(m->created_day, created),
			      m->expires_day == VULN_NO_DAY ? "never" : vuln_day_text(m->expires_day, expires));
		bh_buf_printf(out, "bytes %llu\nsha256 %s\nroot %s\npieces %zu\n", (unsigned long long)m->bytes, update_hex(m->sha256, sha256),
			      update_hex(m->root, root), m->pieces.len);
		bh_buf_add(out, bh_buf_slice(&lines));
		rc = out->failed ? bh_fail(err, BH_ELIMIT, 0, "the manifest is too large") : add_signature(key, out, from, err);
	}
	bh_buf_done(&lines);
	return rc;
}

/* ---- reading ---- */

/* The signature is the last line; it covers all lines before. */
static int check_signature(struct bh_slice text, const struct bh_sign_key *key, struct bh_slice *ret_signed, struct bh_err *err)
{
	const struct bh_slice word = BH_SLICE_LIT(SIGNATURE);
	uint8_t bytes[BH_SIGNATURE_BYTES_MAX];
	size_t end = text.len && text.ptr[text.len - 1] == '\n' ? text.len - 1 : 0, start = end;
	while (start && text.ptr[start - 1] != '\n')
		start--;
	struct bh_slice line = bh_slice_sub(text, start, end - start), kind, hex;
	if (!bh_slice_starts(text, BH_SLICE_LIT(TITLE "\n")) || !bh_slice_starts(line, word))
		return bh_fail(err, BH_EMALFORMED, 0, "not a manifest of a database, or not a whole one");
	(void)bh_slice_cut(bh_slice_sub(line, word.len, line.len), ' ', &kind, &hex);
	if (hex.len / 2 > sizeof(bytes) || !update_unhex(hex, bytes, hex.len / 2))
		return bh_fail(err, BH_EMALFORMED, 0, "the manifest's signature is no signature");
	if (!bh_slice_eq_str(kind, bh_sign_key_kind(key)))
		return bh_fail(err, BH_EMISMATCH, 0, "the manifest is signed with another kind of key (%.*s)", BH_SLICE_FMT(bh_slice_sub(kind, 0, 20)));
	*ret_signed = bh_slice_sub(text, 0, start);
	return bh_sign_check(key, *ret_signed, (struct bh_slice){ bytes, hex.len / 2 }, err);
}

/* "name VALUE" */
static bool take_field(struct bh_reader *r, const char *name, struct bh_slice *ret)
{
	struct bh_slice line, key;
	return bh_take_line(r, &line) && bh_slice_cut(line, ' ', &key, ret) && bh_slice_eq_str(key, name);
}

static bool take_number(struct bh_reader *r, const char *name, uint64_t max, uint64_t *ret)
{
	struct bh_slice value;
	return take_field(r, name, &value) && bh_slice_u64(value, max, ret);
}

static bool take_piece(struct bh_reader *r, struct update_piece *ret)
{
	struct bh_slice line, name, bytes, packed, packed_bytes;
	uint64_t n = 0, packed_n = 0;
	bool whole = bh_take_line(r, &line) && bh_slice_cut(line, ' ', &name, &line) && bh_slice_cut(line, ' ', &bytes, &line) &&
		     bh_slice_cut(line, ' ', &packed, &packed_bytes);
	if (!whole || !update_unhex(name, ret->sha256, 32) || !bh_slice_u64(bytes, UINT32_MAX, &n) || !update_unhex(packed, ret->packed_sha256, 32) ||
	    !bh_slice_u64(packed_bytes, UINT32_MAX, &packed_n))
		return false;
	ret->bytes = (uint32_t)n;
	ret->packed_bytes = (uint32_t)packed_n;
	return true;
}

static bool take_head(struct bh_reader *r, struct update_manifest *m, uint64_t *ret_pieces)
{
	struct bh_slice title, created, expires, sha256, root;
	return bh_take_line(r, &title) && take_number(r, "version", UINT64_MAX, &m->version) && take_field(r, "created", &created) &&
	       vuln_day_parse(created, &m->created_day) && take_field(r, "expires", &expires) &&
	       (bh_slice_eq_str(expires, "never") || vuln_day_parse(expires, &m->expires_day)) && take_number(r, "bytes", UINT64_MAX, &m->bytes) &&
	       take_field(r, "sha256", &sha256) && update_unhex(sha256, m->sha256, 32) && take_field(r, "root", &root) && update_unhex(root, m->root, 32) &&
	       take_number(r, "pieces", PIECES_MAX, ret_pieces);
}

static int read_signed(struct bh_slice text, struct update_manifest *m, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(text);
	uint64_t n = 0, sum = 0;
	uint8_t root[32];
	if (!take_head(&r, m, &n))
		return bh_fail(err, BH_EMALFORMED, r.pos, "the manifest is of another version than this program reads (at byte %zu)", r.pos);
	int rc = hash_lines(bh_slice_sub(text, r.pos, text.len), root, err);
	if (rc == 0 && memcmp(root, m->root, 32) != 0)
		return bh_fail(err, BH_EMISMATCH, 0, "the manifest's list of pieces is not the one it was made with");
	for (uint64_t i = 0; rc == 0 && i < n; i++) {
		struct update_piece p;
		if (!take_piece(&r, &p) || !update_piece_vec_push(&m->pieces, p))
			return bh_fail(err, BH_EMALFORMED, r.pos, "the manifest's list of pieces is damaged at byte %zu", r.pos);
		sum += p.bytes;
	}
	if (rc == 0 && (sum != m->bytes || bh_reader_left(&r)))
		return bh_fail(err, BH_EMALFORMED, 0, "the manifest's pieces don't add up to the database");
	return rc;
}

int update_manifest_read(struct bh_slice text, const struct bh_sign_key *key, struct update_manifest *ret, struct bh_err *err)
{
	struct bh_slice covered = { 0 };
	struct update_manifest m;
	update_manifest_init(&m);
	int rc = check_signature(text, key, &covered, err);
	rc = rc < 0 ? rc : read_signed(covered, &m, err);
	if (rc < 0)
		update_manifest_done(&m);
	else
		*ret = m;
	return rc;
}
