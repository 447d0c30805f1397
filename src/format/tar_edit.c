/* tar_edit.c: see tar_edit.h; where fields stand tells tar.c. */
#include "format/tar_edit.h"

#include <stdio.h>
#include <string.h>

#define MODE_AT 100u
#define UID_AT 108u
#define GID_AT 116u
#define SIZE_AT 124u
#define MTIME_AT 136u
#define CHECKSUM_AT 148u
#define TYPE_AT 156u
#define MAGIC_AT 257u
#define NAME_BYTES 100u
#define PERMISSIONS 07777u
#define PAX_BYTES_MAX (1u << 20)

/* Octal with a zero byte at its end when it fits, else base-256, which GNU tar and Go write too. */
static void put_number(uint8_t *field, size_t bytes, uint64_t value)
{
	if (value >> (3 * (bytes - 1)) == 0) {
		for (size_t i = bytes - 1; i-- > 0; value >>= 3)
			field[i] = (uint8_t)('0' + (value & 7));
		field[bytes - 1] = 0;
		return;
	}
	for (size_t i = bytes; i-- > 0; value >>= 8)
		field[i] = (uint8_t)value;
	field[0] |= 0x80;
}

/* What stands in an octal field; anything else is 0. */
static uint64_t get_octal(const uint8_t *field, size_t bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes; i++)
		if (field[i] >= '0' && field[i] <= '7')
			value = value << 3 | (uint64_t)(field[i] - '0');
	return value;
}

static void put_checksum(uint8_t *block)
{
	uint64_t sum = 0;
	memset(block + CHECKSUM_AT, ' ', 8);
	for (size_t i = 0; i < BH_TAR_BLOCK_BYTES; i++)
		sum += block[i];
	put_number(block + CHECKSUM_AT, 7, sum);
	block[CHECKSUM_AT + 7] = ' ';
}

static bool pad(struct bh_buf *out, uint64_t size_bytes)
{
	static const uint8_t zeros[BH_TAR_BLOCK_BYTES];
	return bh_buf_add(out, (struct bh_slice){ zeros, bh_tar_padding(size_bytes) });
}

/* ---- pax headers ---- */

static bool is_dropped(struct bh_slice key, const struct bh_tar_edit *edit)
{
	bool capability = bh_slice_eq_str(key, "SCHILY.xattr.security.capability") || bh_slice_eq_str(key, "LIBARCHIVE.xattr.security.capability");
	bool owner = bh_slice_eq_str(key, "uid") || bh_slice_eq_str(key, "gid");
	return (capability && edit->drop_capability) || (owner && edit->set_owner);
}

/* Records "LENGTH KEY=VALUE\n" but the dropped ones. */
static bool filter_records(struct bh_slice body, const struct bh_tar_edit *edit, struct bh_buf *out)
{
	while (body.len) {
		uint64_t len;
		size_t digits = bh_slice_find(body, ' ');
		if (!bh_slice_u64(bh_slice_sub(body, 0, digits), body.len, &len) || len < digits + 3)
			return false;
		struct bh_slice key, value, record = bh_slice_sub(body, 0, (size_t)len);
		if (!bh_slice_cut(bh_slice_sub(record, digits + 1, record.len), '=', &key, &value))
			return false;
		if (!is_dropped(key, edit) && !bh_buf_add(out, record))
			return false;
		body = bh_slice_sub(body, (size_t)len, body.len);
	}
	return true;
}

/* Header and body of a pax header, or nothing when no record is left. */
static bool put_pax(struct bh_slice header, struct bh_slice records, struct bh_buf *out)
{
	uint8_t block[BH_TAR_BLOCK_BYTES];
	if (records.len == 0)
		return true;
	memcpy(block, header.ptr, sizeof(block));
	put_number(block + SIZE_AT, 12, records.len);
	put_checksum(block);
	return bh_buf_add(out, (struct bh_slice){ block, sizeof(block) }) && bh_buf_add(out, records) && pad(out, records.len);
}

static bool edit_pax(struct bh_slice header, struct bh_slice body, const struct bh_tar_edit *edit, struct bh_buf *out)
{
	struct bh_buf records;
	bh_buf_init(&records, PAX_BYTES_MAX);
	bool ok = filter_records(body, edit, &records) && put_pax(header, bh_buf_slice(&records), out);
	bh_buf_done(&records);
	return ok;
}

/* ---- headers of an entry ---- */

static bool edit_own(struct bh_slice header, const struct bh_tar_edit *edit, struct bh_buf *out)
{
	uint8_t block[BH_TAR_BLOCK_BYTES];
	memcpy(block, header.ptr, sizeof(block));
	if (edit->set_mode) /* some writers keep the file's type in it, too */
		put_number(block + MODE_AT, 8, (get_octal(block + MODE_AT, 8) & ~(uint64_t)PERMISSIONS) | (edit->mode & PERMISSIONS));
	if (edit->set_owner) {
		put_number(block + UID_AT, 8, edit->uid);
		put_number(block + GID_AT, 8, edit->gid);
	}
	put_checksum(block);
	return bh_buf_add(out, (struct bh_slice){ block, sizeof(block) });
}

int bh_tar_edit_headers(struct bh_slice headers, size_t own_at, const struct bh_tar_edit *edit, struct bh_buf *out, struct bh_err *err)
{
	size_t at = 0;
	bool ok = own_at % BH_TAR_BLOCK_BYTES == 0 && own_at + BH_TAR_BLOCK_BYTES <= headers.len;
	while (ok && at < own_at) {
		struct bh_slice block = bh_slice_sub(headers, at, BH_TAR_BLOCK_BYTES);
		uint64_t size = get_octal(block.ptr + SIZE_AT, 12), whole = BH_TAR_BLOCK_BYTES + size + bh_tar_padding(size);
		ok = block.ptr[SIZE_AT] < 0x80 && whole <= own_at - at;
		if (!ok)
			break;
		bool pax = block.ptr[TYPE_AT] == 'x';
		struct bh_slice body = bh_slice_sub(headers, at + BH_TAR_BLOCK_BYTES, (size_t)size);
		ok = pax ? edit_pax(block, body, edit, out) : bh_buf_add(out, bh_slice_sub(headers, at, (size_t)whole));
		at += (size_t)whole;
	}
	ok = ok && at == own_at && edit_own(bh_slice_sub(headers, own_at, BH_TAR_BLOCK_BYTES), edit, out) &&
	     bh_buf_add(out, bh_slice_sub(headers, own_at + BH_TAR_BLOCK_BYTES, headers.len));
	return ok ? 0 : bh_fail(err, BH_EMALFORMED, 0, "headers of a tar entry that can't be changed");
}

/* ---- new members ---- */

static void fill_header(uint8_t *block, const struct bh_tar_member *m, struct bh_slice name, uint8_t type, uint64_t size)
{
	static const uint8_t magic[] = { 'u', 's', 't', 'a', 'r', 0, '0', '0' };
	memset(block, 0, BH_TAR_BLOCK_BYTES);
	name = bh_slice_sub(name, 0, NAME_BYTES);
	memcpy(block, name.ptr, name.len);
	put_number(block + MODE_AT, 8, m->mode & PERMISSIONS);
	put_number(block + UID_AT, 8, m->uid);
	put_number(block + GID_AT, 8, m->gid);
	put_number(block + SIZE_AT, 12, size);
	put_number(block + MTIME_AT, 12, m->mtime_s < 0 ? 0 : (uint64_t)m->mtime_s);
	block[TYPE_AT] = type;
	memcpy(block + MAGIC_AT, magic, sizeof(magic));
	put_checksum(block);
}

/* The length counts its own digits. */
static bool put_path_record(struct bh_slice name, struct bh_buf *out)
{
	size_t rest = strlen(" path=\n") + name.len, len = rest + 1;
	for (char digits[24]; (size_t)snprintf(digits, sizeof(digits), "%zu", len) + rest != len;)
		len++;
	return bh_buf_printf(out, "%zu path=", len) && bh_buf_add(out, name) && bh_buf_add_byte(out, '\n');
}

static bool put_long_name(const struct bh_tar_member *m, struct bh_buf *out)
{
	uint8_t block[BH_TAR_BLOCK_BYTES];
	struct bh_buf record;
	bh_buf_init(&record, PAX_BYTES_MAX);
	fill_header(block, m, BH_SLICE_LIT("pax"), 'x', 0);
	bool ok = put_path_record(m->name, &record) && put_pax((struct bh_slice){ block, sizeof(block) }, bh_buf_slice(&record), out);
	bh_buf_done(&record);
	return ok;
}

int bh_tar_put(const struct bh_tar_member *m, struct bh_buf *out, struct bh_err *err)
{
	uint8_t block[BH_TAR_BLOCK_BYTES];
	bool folder = bh_slice_ends(m->name, BH_SLICE_LIT("/"));
	uint64_t size = m->content.len ? m->content.len : m->size_bytes;
	bool ok = m->name.len <= NAME_BYTES || put_long_name(m, out);
	fill_header(block, m, m->name, folder ? '5' : '0', folder ? 0 : size);
	ok = ok && bh_buf_add(out, (struct bh_slice){ block, sizeof(block) });
	ok = ok && (m->content.len == 0 || (bh_buf_add(out, m->content) && pad(out, m->content.len)));
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "a tar archive larger than %zu bytes, or out of memory", out->max_bytes);
}

bool bh_tar_put_end(struct bh_buf *out)
{
	static const uint8_t zeros[2 * BH_TAR_BLOCK_BYTES];
	return bh_buf_add(out, (struct bh_slice){ zeros, sizeof(zeros) });
}
