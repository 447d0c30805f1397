/*
 * checks_key.c: private keys. The detector finds the line a key begins with; here its body is read: with OpenSSL what is PKCS #8 or older, by hand what is
 * OpenSSH's, PuTTY's, PGP's or Java's. A beginning without a body is what programs that write keys have in them, and no secret.
 */
#include "secret/checks.h"

#include "base/base64.h"
#include "base/reader.h"
#include "crypto/privkey.h"
#include "format/codec.h"

#include <stdio.h>

#define KEY_BYTES_MAX 16384u
#define BODY_BYTES_MIN 32u
#define LINE_BYTES_MAX 200u
#define TOY_BITS 1024u
#define KNOWN_BYTES 1024u /* so much of a key store is looked up */
#define JKS_ENTRIES_MAX 64u

static bool is_base64(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

/* Up to the "-----END" that ends it; false: there is none. */
static bool body_of(struct bh_slice secret, struct bh_slice around, const char *end, struct bh_slice *ret)
{
	struct bh_slice rest = secret_behind(secret, around);
	const uint8_t *at = bh_slice_search(rest, end);
	if (at)
		*ret = bh_slice_sub(rest, 0, (size_t)(at - rest.ptr));
	return at != NULL;
}

/* Without headers (RFC 1421, RFC 4716, PGP: lines with a colon, then perhaps an empty one), also where line ends are written "\n". */
static struct bh_slice without_headers(struct bh_slice body)
{
	const uint8_t *escaped = bh_slice_search(body, "\\n\\n"), *colon = bh_slice_search(body, ": ");
	if (!colon)
		return body;
	if (escaped)
		return bh_slice_sub(body, (size_t)(escaped - body.ptr), body.len);
	struct bh_reader r = bh_reader_of(body);
	struct bh_slice line;
	size_t begin = 0;
	while (bh_take_line(&r, &line))
		begin = memchr(line.ptr, ':', line.len) ? r.pos : begin;
	return bh_slice_sub(body, begin, body.len);
}

/*
 * The base64 of a body as it stands in files, in strings of JSON ("\n" is two characters) and in string literals of programs: quotes and blanks are left out, and a "+"
 * outside of quotes or a backslash sequence is none of it. Anything else means that this is no key.
 */
static bool base64_of(struct bh_slice body, struct bh_buf *out)
{
	bool inside = true; /* of the literal that the BEGIN line stands in */
	bh_buf_init(out, KEY_BYTES_MAX * 2);
	if (!body.ptr)
		return false;
	bool literal = bh_slice_find(body, '"') < body.len || bh_slice_find(body, '\'') < body.len;
	for (size_t i = 0; i < body.len; i++) {
		uint8_t c = body.ptr[i];
		if (c == '\\' && i + 1 < body.len && body.ptr[i + 1] != '\n' && body.ptr[i + 1] != '\r')
			i++;
		else if (c == '"' || c == '\'')
			inside = !inside;
		else if (is_base64(c) && (inside || !literal))
			bh_buf_add_byte(out, c);
		else if (!strchr(" \t\r\n\\,+.;|*#/>", c) || c == 0)
			return false;
	}
	return !out->failed && out->len >= BODY_BYTES_MIN;
}

static bool decoded_body(struct bh_slice body, struct bh_buf *ret)
{
	struct bh_buf text;
	bh_buf_init(ret, KEY_BYTES_MAX);
	bool good = body.len > 0 && base64_of(body, &text);
	good = good && bh_unbase64(ret, bh_buf_slice(&text)) && !ret->failed;
	if (body.len > 0)
		bh_buf_wipe(&text);
	return good;
}

static bool take_string(struct bh_reader *r, struct bh_slice *ret)
{
	uint32_t n;
	return bh_take_u32be(r, &n) && bh_take(r, n, ret);
}

/* "openssh-key-v1", cipher, key derivation, its options, how many keys, public key, private part (PROTOCOL.key). */
static enum secret_form openssh(struct bh_slice bytes, char said[SECRET_SAID_BYTES])
{
	struct bh_reader r = bh_reader_of(bytes), public, private;
	struct bh_slice magic, cipher, derivation, options, public_key, secret_part, kind;
	uint32_t n, check_a, check_b;
	if (!bh_take(&r, 15, &magic) || memcmp(magic.ptr, "openssh-key-v1", 15) != 0 || !take_string(&r, &cipher) || !take_string(&r, &derivation) || !take_string(&r, &options) ||
	    !bh_take_u32be(&r, &n) || n != 1 || !take_string(&r, &public_key) || !take_string(&r, &secret_part))
		return SECRET_WRONG;
	public = bh_reader_of(public_key);
	if (!take_string(&public, &kind) || kind.len > 64)
		return SECRET_WRONG;
	private = bh_reader_of(secret_part);
	bool clear = bh_slice_eq_str(cipher, "none");
	if (clear && (!bh_take_u32be(&private, &check_a) || !bh_take_u32be(&private, &check_b) || check_a != check_b))
		return SECRET_WRONG;
	(void)snprintf(said, SECRET_SAID_BYTES, "%.*s, %s", BH_SLICE_FMT(kind), clear ? "not encrypted" : "encrypted with a passphrase");
	return SECRET_VALID;
}

/* RSA and DSA below 1,024 bits can be broken by anybody: nobody protects anything with them, tests use them. */
static bool is_toy(const char *kind)
{
	uint64_t bits;
	struct bh_slice name, size;
	return bh_slice_cut(bh_slice_str(kind), ' ', &name, &size) && (bh_slice_eq_str(name, "RSA") || bh_slice_eq_str(name, "DSA")) && bh_slice_u64(size, UINT32_MAX, &bits) && bits < TOY_BITS;
}

static enum secret_form der(struct bh_slice bytes, char said[SECRET_SAID_BYTES])
{
	char kind[BH_PRIVKEY_KIND_BYTES];
	enum bh_privkey is = bh_privkey_of_der(bytes, kind);
	if (is == BH_PRIVKEY_NONE || is_toy(kind))
		return SECRET_WRONG;
	(void)snprintf(said, SECRET_SAID_BYTES, is == BH_PRIVKEY_CLEAR ? "%s, not encrypted" : "encrypted with a passphrase", kind);
	return SECRET_VALID;
}

enum secret_form secret_check_pem_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice body;
	struct bh_buf bytes;
	if (!body_of(secret, around, "---- END SSH2", &body) && !body_of(secret, around, "-----END", &body))
		return SECRET_WRONG;
	bool old_cipher = bh_slice_search(body, "4,ENCRYPTED");
	bool good = decoded_body(without_headers(body), &bytes) && !secret_is_known(bh_buf_slice(&bytes));
	enum secret_form form = SECRET_WRONG;
	if (good && (old_cipher || bh_slice_search(secret, "SSH2"))) {
		(void)snprintf(said, SECRET_SAID_BYTES, old_cipher ? "encrypted with a passphrase" : "SSH2 key");
		form = SECRET_VALID;
	} else if (good) {
		form = bh_slice_search(secret, "OPENSSH") ? openssh(bh_buf_slice(&bytes), said) : der(bh_buf_slice(&bytes), said);
	}
	bh_buf_wipe(&bytes);
	return form;
}

/* Hex or base64 to the END line. */
enum secret_form secret_check_pem_body(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice body;
	struct bh_buf text;
	(void)said;
	if (!body_of(secret, around, "-----END", &body) || body.len == 0)
		return SECRET_WRONG;
	bool good = base64_of(body, &text) && text.len >= 2 * BODY_BYTES_MIN;
	bh_buf_wipe(&text);
	return good ? SECRET_UNCHECKED : SECRET_WRONG;
}

/* RFC 4880, section 6: armour with a CRC-24 in a line of its own, "=" before it; the first packet is a secret key (tag 5). */
enum secret_form secret_check_pgp_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice rest = secret_behind(secret, around), body = rest;
	const uint8_t *end = bh_slice_search(rest, "-----END"), *sum = bh_slice_search(rest, "\n=");
	struct bh_buf bytes;
	if (sum && (!end || sum < end))
		body = bh_slice_sub(rest, 0, (size_t)(sum - rest.ptr));
	else if (end)
		body = bh_slice_sub(rest, 0, (size_t)(end - rest.ptr));
	/* Keys with pictures are longer than what is looked at: their beginning is enough. */
	body = without_headers(body);
	size_t whole = bh_slice_sub(body, 0, 4000).len;
	body = end ? body : bh_slice_sub(body, 0, whole - whole % 65);
	bool good = decoded_body(body, &bytes) || bytes.len > BODY_BYTES_MIN;
	uint8_t tag = good && bytes.len ? bytes.ptr[0] : 0;
	bool key = (tag & 0xc0) == 0xc0 ? (tag & 0x3f) == 5 : (tag & 0x80) && (tag >> 2 & 0x0f) == 5;
	bh_buf_wipe(&bytes);
	(void)said;
	return key ? SECRET_VALID : SECRET_WRONG;
}

/* At the beginning of a file only: programs that read such keys hold the line too. */
enum secret_form secret_check_ssh1_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)said;
	return secret.ptr == around.ptr ? SECRET_VALID : SECRET_WRONG;
}

/* "Encryption: aes256-cbc" in the second line, "Private-Lines: N" before the key. */
enum secret_form secret_check_putty_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice rest = secret_behind(secret, around);
	const uint8_t *how = bh_slice_search(rest, "Encryption: ");
	bool line_ends = rest.len > 2 && (rest.ptr[0] == '\n' || (rest.ptr[0] == '\r' && rest.ptr[1] == '\n'));
	if (!line_ends || !how || !bh_slice_search(rest, "Private-Lines: ") || how > rest.ptr + LINE_BYTES_MAX)
		return SECRET_WRONG;
	bool clear = bh_slice_starts(bh_slice_sub(rest, (size_t)(how - rest.ptr), rest.len), BH_SLICE_LIT("Encryption: none"));
	(void)snprintf(said, SECRET_SAID_BYTES, "%s", clear ? "not encrypted" : "encrypted with a passphrase");
	return SECRET_VALID;
}

/* Bech32 (BIP 173): the checksum over human part and data is 1. */
enum secret_form secret_check_age_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	const struct bh_slice alphabet = BH_SLICE_LIT("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L");
	static const uint32_t generator[5] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	uint32_t sum = 1;
	size_t human = secret.len;
	(void)around, (void)said;
	while (human > 0 && secret.ptr[human - 1] != '1')
		human--;
	if (human < 2)
		return SECRET_WRONG;
	/* The human part twice: its high bits (in small letters), a zero, its low bits; then the data. */
	size_t n = human - 1, total = 2 * n + 1 + (secret.len - human);
	for (size_t i = 0; i < total; i++) {
		size_t letter = i > 2 * n ? bh_slice_find(alphabet, (char)secret.ptr[human + i - 2 * n - 1]) : 0;
		if (letter == alphabet.len)
			return SECRET_WRONG;
		uint32_t value = i < n ? bh_lower(secret.ptr[i]) >> 5 : i == n ? 0 : i <= 2 * n ? bh_lower(secret.ptr[i - n - 1]) & 31u : (uint32_t)letter;
		uint32_t top = sum >> 25;
		sum = (sum & 0x1ffffff) << 5 ^ value;
		for (unsigned bit = 0; bit < 5; bit++)
			sum ^= top >> bit & 1 ? generator[bit] : 0;
	}
	return sum == 1 ? SECRET_VALID : SECRET_WRONG;
}

/* JKS (0xfeedfeed) and JCEKS: version, number of entries, then entries: tag (1 private key, 2 certificate, 3 secret key), alias, date, ... */
enum secret_form secret_check_jks(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_reader r = bh_reader_of(bh_slice_sub(around, (size_t)(secret.ptr - around.ptr), around.len));
	uint32_t magic, version, n, tag, len;
	uint16_t name, kind;
	uint64_t date;
	if (secret.ptr != around.ptr || !bh_take_u32be(&r, &magic) || !bh_take_u32be(&r, &version) || !bh_take_u32be(&r, &n) || n == 0)
		return SECRET_WRONG;
	for (uint32_t i = 0; i < n && i < JKS_ENTRIES_MAX; i++) {
		if (!bh_take_u32be(&r, &tag) || tag < 1 || tag > 3 || !bh_take_u16be(&r, &name) || !bh_skip(&r, name) || !bh_take_u64be(&r, &date))
			return SECRET_WRONG;
		if (tag != 2) {
			(void)snprintf(said, SECRET_SAID_BYTES, "encrypted with a password");
			return SECRET_VALID;
		}
		if (!bh_take_u16be(&r, &kind) || !bh_skip(&r, kind) || !bh_take_u32be(&r, &len) || !bh_skip(&r, len))
			return SECRET_WRONG; /* the window ends: so far only certificates */
	}
	return SECRET_WRONG;
}

/* A bag with a key is named by an object identifier outside of what is encrypted. */
enum secret_form secret_check_pkcs12(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice file = bh_slice_sub(around, (size_t)(secret.ptr - around.ptr), around.len);
	static const char bag[] = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01";
	const uint8_t *at = memmem(file.ptr, file.len, bag, sizeof(bag) - 1);
	if (secret.ptr != around.ptr || secret_is_known(bh_slice_sub(file, 0, KNOWN_BYTES)) || !at || at + sizeof(bag) > file.ptr + file.len)
		return SECRET_WRONG;
	uint8_t kind = at[sizeof(bag) - 1];
	if (kind != 1 && kind != 2)
		return SECRET_WRONG;
	(void)snprintf(said, SECRET_SAID_BYTES, "%s", kind == 2 ? "encrypted with a password" : "not encrypted");
	return SECRET_VALID;
}

/* Algorithm "Ed", key derivation "Sc" or none, checksum "B2", ... 158 bytes; signify's is 104 bytes with "BK". */
enum secret_form secret_check_minisign_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_buf bytes;
	(void)around;
	bool good = secret_decode(&bytes, secret, KEY_BYTES_MAX) && bytes.len >= 104 && bytes.ptr[0] == 'E' && bytes.ptr[1] == 'd';
	bool clear = good && bytes.ptr[2] == 0 && bytes.ptr[3] == 0;
	bh_buf_wipe(&bytes);
	if (good)
		(void)snprintf(said, SECRET_SAID_BYTES, "%s", clear ? "not encrypted" : "encrypted with a password");
	return good ? SECRET_VALID : SECRET_WRONG;
}

enum secret_form secret_check_dnssec_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice rest = bh_slice_sub(secret_behind(secret, around), 0, 4096);
	(void)said;
	return bh_slice_search(rest, "\nPrivateKey: ") || bh_slice_search(rest, "\nPrivateExponent: ") || bh_slice_search(rest, "\nKey: ") || bh_slice_search(rest, "\nPrivate_value(x): ") ? SECRET_VALID
																					      : SECRET_WRONG;
}

enum secret_form secret_check_eth_keystore(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)secret;
	bool good = bh_slice_search(around, "\"kdfparams\"") && bh_slice_search(around, "\"mac\"");
	if (good)
		(void)snprintf(said, SECRET_SAID_BYTES, "encrypted with a passphrase");
	return good ? SECRET_VALID : SECRET_WRONG;
}
