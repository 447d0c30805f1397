/*
 * checks_token.c: tokens whose last characters are a checksum of the others, or which are something else in base64. Where a vendor documents the checksum, a
 * token that misses it is none; where the rule is only known from what programs do, a token that keeps it is valid, and of others nothing is said.
 */
#include "secret/checks.h"

#include "base/base64.h"
#include "format/codec.h"

#include <stdio.h>

#define DECODED_BYTES_MAX 16384u
#define AWS_ACCOUNT_MASK 0x7fffffffff80ull
#define GITHUB_SUM_BYTES 6u
#define GITLAB_SUM_BYTES 7u
#define GITLAB_TAIL_BYTES 9u /* the length of the payload, and the checksum */

bool secret_decode(struct bh_buf *out, struct bh_slice text, size_t max_bytes)
{
	struct bh_buf plain;
	bh_buf_init(&plain, max_bytes * 2);
	for (size_t i = 0; i < text.len; i++)
		bh_buf_add_byte(&plain, text.ptr[i] == '-' ? '+' : text.ptr[i] == '_' ? '/' : text.ptr[i]);
	bh_buf_init(out, max_bytes);
	bool good = !plain.failed && bh_unbase64(out, bh_buf_slice(&plain)) && !out->failed;
	bh_buf_wipe(&plain);
	return good;
}

/* A number in digits of a base, most significant first, with zeros in front. */
static void digits_of(uint32_t value, const char *alphabet, unsigned base, size_t n, char *ret)
{
	for (size_t i = n; i-- > 0; value /= base)
		ret[i] = alphabet[value % base];
}

static bool ends_with_sum(struct bh_slice summed, struct bh_slice sum, const char *alphabet)
{
	char wanted[16];
	if (sum.len > sizeof(wanted))
		return false;
	digits_of(bh_crc32(0, summed), alphabet, (unsigned)strlen(alphabet), sum.len, wanted);
	return bh_slice_eq(sum, (struct bh_slice){ (const uint8_t *)wanted, sum.len });
}

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char base36[] = "0123456789abcdefghijklmnopqrstuvwxyz";

/* "ghp_" + 30 characters + the CRC-32 of these in six digits: GitHub's "new authentication token formats" of 2021. */
enum secret_form secret_check_github_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice head, body;
	(void)around;
	if (!bh_slice_cut(secret, '_', &head, &body) || body.len <= GITHUB_SUM_BYTES)
		return SECRET_WRONG;
	size_t n = body.len - GITHUB_SUM_BYTES;
	if (!ends_with_sum(bh_slice_sub(body, 0, n), bh_slice_sub(body, n, GITHUB_SUM_BYTES), base62))
		return SECRET_WRONG;
	(void)snprintf(said, SECRET_SAID_BYTES, "valid checksum");
	return SECRET_VALID;
}

enum secret_form secret_check_npm_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	return secret_check_github_token(secret, around, said);
}

/* Routable tokens: prefix + base64url of where it belongs + "." + ... + two digits of length + the CRC-32 of all before it in seven. */
enum secret_form secret_check_gitlab_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around;
	if (secret.len <= GITLAB_TAIL_BYTES + 1 || secret.ptr[secret.len - GITLAB_TAIL_BYTES - 1] != '.')
		return secret_check_mixed(secret, around, said);
	size_t n = secret.len - GITLAB_SUM_BYTES;
	if (!ends_with_sum(bh_slice_sub(secret, 0, n), bh_slice_sub(secret, n, GITLAB_SUM_BYTES), base36))
		return SECRET_UNCHECKED;
	(void)snprintf(said, SECRET_SAID_BYTES, "valid checksum");
	return SECRET_VALID;
}

/* "glsa_" + 32 characters + "_" + the CRC-32 of all before it, its bytes in little endian. */
enum secret_form secret_check_grafana_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	char wanted[9], other[9];
	(void)around;
	if (secret.len < 10)
		return SECRET_WRONG;
	uint32_t crc = bh_crc32(0, bh_slice_sub(secret, 0, secret.len - 9));
	(void)snprintf(wanted, sizeof(wanted), "%08x", (unsigned)__builtin_bswap32(crc));
	(void)snprintf(other, sizeof(other), "%08x", (unsigned)crc);
	struct bh_slice sum = bh_slice_sub(secret, secret.len - 8, 8);
	if (!bh_slice_eq_str(sum, wanted) && !bh_slice_eq_str(sum, other))
		return SECRET_UNCHECKED;
	(void)snprintf(said, SECRET_SAID_BYTES, "valid checksum");
	return SECRET_VALID;
}

/* "syt_" + user in base64 + "_" + 20 letters + "_" + the CRC-32 of all before the last "_" in six digits: what Synapse makes. */
enum secret_form secret_check_matrix_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around;
	if (secret.len < GITHUB_SUM_BYTES + 2)
		return SECRET_WRONG;
	size_t n = secret.len - GITHUB_SUM_BYTES - 1;
	static const char synapse[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct bh_slice sum = bh_slice_sub(secret, n + 1, GITHUB_SUM_BYTES);
	if (!ends_with_sum(bh_slice_sub(secret, 0, n), sum, synapse) && !ends_with_sum(bh_slice_sub(secret, 0, n), sum, base62))
		return SECRET_UNCHECKED;
	(void)snprintf(said, SECRET_SAID_BYTES, "valid checksum");
	return SECRET_VALID;
}

/* The characters behind the prefix are base 32; their first 40 bits are the account's number, shifted by one. */
enum secret_form secret_check_aws_key_id(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	const struct bh_slice alphabet = BH_SLICE_LIT("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	uint64_t bits = 0;
	(void)around;
	if (secret.len != 20)
		return SECRET_WRONG;
	for (size_t i = 4; i < 14; i++) {
		size_t value = bh_slice_find(alphabet, (char)secret.ptr[i]);
		if (value == alphabet.len)
			return SECRET_WRONG;
		bits = bits << 5 | value;
	}
	/* 50 bits of ten characters: the first 48 are six bytes. */
	uint64_t account = (bits >> 2 & AWS_ACCOUNT_MASK) >> 7;
	if (secret.ptr[4] == 'I' || secret.ptr[4] == 'J') /* keys from before 2019 tell nothing of the account */
		return SECRET_UNCHECKED;
	if (account < 1000000000000ull)
		(void)snprintf(said, SECRET_SAID_BYTES, "of account %012llu", (unsigned long long)account);
	return account < 1000000000000ull ? SECRET_VALID : SECRET_UNCHECKED;
}

static bool decodes_to(struct bh_slice text, size_t wanted)
{
	struct bh_buf out;
	bool good = secret_decode(&out, text, DECODED_BYTES_MAX) && out.len == wanted;
	bh_buf_wipe(&out);
	return good;
}

static bool decodes_with(struct bh_slice text, const char *head)
{
	struct bh_buf out;
	bool good = secret_decode(&out, text, DECODED_BYTES_MAX) && bh_slice_starts(bh_buf_slice(&out), bh_slice_str(head));
	bh_buf_wipe(&out);
	return good;
}

static enum secret_form valid_if(bool good)
{
	return good ? SECRET_VALID : SECRET_WRONG;
}

/* "ABSK" + base64 of "BedrockAPIKey-...:..." */
enum secret_form secret_check_bedrock_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return decodes_with(bh_slice_sub(secret, 4, secret.len), "Bedrock") ? SECRET_VALID : SECRET_UNCHECKED;
}

/* Behind "pypi-": a macaroon, version 2 (2), its location (1), the host's name. */
enum secret_form secret_check_pypi_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice body = bh_slice_sub(secret, 5, secret.len);
	(void)around, (void)said;
	bool main_site = decodes_with(body, "\x02\x01\x08pypi.org\x02"), test_site = decodes_with(body, "\x02\x01\x0dtest.pypi.org\x02");
	if (test_site)
		(void)snprintf(said, SECRET_SAID_BYTES, "for test.pypi.org");
	return main_site || test_site ? SECRET_VALID : SECRET_WRONG;
}

enum secret_form secret_check_intercom_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return valid_if(decodes_with(secret, "tok:"));
}

enum secret_form secret_check_jfrog_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return valid_if(decodes_with(secret, "reftkn:"));
}

enum secret_form secret_check_registry_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	bool word = memchr(secret.ptr, '$', secret.len) || memchr(secret.ptr, '(', secret.len) || bh_slice_search(secret, "env.") || bh_slice_search(secret, "token") || bh_slice_search(secret, "TOKEN");
	return word ? SECRET_WRONG : secret_check_mixed(secret, around, said);
}

enum secret_form secret_check_dsn(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)secret, (void)around, (void)said;
	return SECRET_VALID;
}

/* Zeros, counted digits: examples. */
enum secret_form secret_check_uuid(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	static const char *const samples[] = { "12345678-", "01234567-", "-1234-1234-", "-1111-1111-", "-0000-0000-", "-2222-3333-", "-aaaa-bbbb-", "abcd-", NULL };
	bool sample = false;
	(void)around, (void)said;
	for (size_t i = 0; samples[i]; i++)
		sample = sample || bh_slice_search(secret, samples[i]);
	return sample ? SECRET_WRONG : SECRET_UNCHECKED;
}

enum secret_form secret_check_base64(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_buf out;
	(void)around, (void)said;
	bool good = secret_decode(&out, secret, DECODED_BYTES_MAX) && out.len > 2;
	bh_buf_wipe(&out);
	return good ? SECRET_UNCHECKED : SECRET_WRONG;
}

enum secret_form secret_check_base64_32(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return decodes_to(secret, 32) ? SECRET_UNCHECKED : SECRET_WRONG;
}

enum secret_form secret_check_base64_64(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return decodes_to(secret, 64) ? SECRET_UNCHECKED : SECRET_WRONG;
}

enum secret_form secret_check_base64_json(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	const uint8_t *prefix = memchr(secret.ptr, '_', secret.len < 8 ? secret.len : 8);
	struct bh_slice body = prefix ? bh_slice_sub(secret, (size_t)(prefix - secret.ptr) + 1, secret.len) : secret;
	(void)around, (void)said;
	return valid_if(decodes_with(body, "{\""));
}

enum secret_form secret_check_base64_pem(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_buf out;
	(void)around, (void)said;
	bool good = secret_decode(&out, secret, DECODED_BYTES_MAX) && bh_slice_search(bh_buf_slice(&out), "PRIVATE KEY-----");
	bh_buf_wipe(&out);
	return valid_if(good);
}

static bool is_text(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] >= 0x7f)
			return false;
	return true;
}

enum secret_form secret_check_basic_auth(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_buf out;
	struct bh_slice user, password;
	(void)around;
	bool good = secret_decode(&out, secret, DECODED_BYTES_MAX) && is_text(bh_buf_slice(&out)) && bh_slice_cut(bh_buf_slice(&out), ':', &user, &password) && password.len >= 4 &&
		    !secret_is_placeholder(password) && !secret_is_password_word(password);
	if (good && user.len && user.len < 64)
		(void)snprintf(said, SECRET_SAID_BYTES, "of user %.*s", BH_SLICE_FMT(user));
	bh_buf_wipe(&out);
	return valid_if(good);
}
