/* checks_file.c: secrets that only the rest of their file makes one. */
#include "secret/checks.h"

#include <stdio.h>

#define BEFORE_BYTES 4096u

enum secret_form secret_check_gcp_service_account(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)secret;
	const uint8_t *at = bh_slice_search(around, "\"client_email\"");
	if (!bh_slice_search(around, "service_account") || !bh_slice_search(around, "PRIVATE KEY-----"))
		return SECRET_WRONG;
	struct bh_slice name, rest = at ? bh_slice_sub(around, (size_t)(at - around.ptr) + 14, 300) : (struct bh_slice){ 0 };
	bool quoted = bh_slice_cut(rest, '"', &name, &rest); /* what stands in front of the value */
	quoted = quoted && bh_slice_cut(rest, '"', &name, &rest);
	if (quoted && name.len && name.len < 100)
		(void)snprintf(said, SECRET_SAID_BYTES, "of %.*s", BH_SLICE_FMT(name));
	return SECRET_VALID;
}

static bool is_kind_secret(struct bh_slice around)
{
	static const char *const forms[] = { "\nkind: Secret\n", "\nkind: Secret\r", "\nkind: \"Secret\"", "\nkind: 'Secret'", "\nkind:  Secret", NULL };
	for (size_t i = 0; forms[i]; i++)
		if (bh_slice_search(around, forms[i]))
			return true;
	return bh_slice_starts(around, BH_SLICE_LIT("kind: Secret"));
}

/* The document of a stream of YAML in which the secret stands. */
static struct bh_slice document_of(struct bh_slice secret, struct bh_slice around)
{
	size_t at = (size_t)(secret.ptr - around.ptr), from = at, to = at;
	while (from > 0 && !(around.ptr[from] == '\n' && bh_slice_starts(bh_slice_sub(around, from, 4), BH_SLICE_LIT("\n---"))))
		from--;
	while (to < around.len && !(around.ptr[to] == '\n' && bh_slice_starts(bh_slice_sub(around, to, 4), BH_SLICE_LIT("\n---"))))
		to++;
	return bh_slice_sub(around, from, to - from);
}

enum secret_form secret_check_kubernetes_secret(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice document = document_of(secret, around);
	struct bh_buf bytes;
	(void)said;
	if (!is_kind_secret(document) || bh_slice_search(document, "{{") || bh_slice_starts(secret, BH_SLICE_LIT("ENC[")))
		return SECRET_WRONG;
	bool plain = bh_slice_search(document, "\nstringData:") && !bh_slice_search(document, "\ndata:");
	bool good = plain || (secret_decode(&bytes, secret, BEFORE_BYTES) && bytes.len >= 4 && !secret_is_placeholder(bh_buf_slice(&bytes)));
	if (!plain)
		bh_buf_wipe(&bytes);
	return !good ? SECRET_WRONG : plain ? SECRET_UNCHECKED : SECRET_VALID;
}

enum secret_form secret_check_kubeconfig_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)said;
	return bh_slice_search(around, "users:") && bh_slice_search(around, "clusters:") ? secret_check_mixed(secret, around, said) : SECRET_WRONG;
}

static const char *method_of(struct bh_slice hash)
{
	static const struct {
		const char *head, *name;
	} methods[] = { { "$1$", "MD5-crypt, quickly guessed" }, { "$2", "bcrypt" }, { "$5$", "SHA-256-crypt" }, { "$6$", "SHA-512-crypt" }, { "$7$", "scrypt" }, { "$y$", "yescrypt" }, { "$gy$", "gost-yescrypt" },
			{ "$sha1$", "SHA-1-crypt" }, { "$argon2", "Argon2" }, { "$scrypt$", "scrypt" }, { NULL, NULL } };
	size_t i = 0;
	while (methods[i].head && !bh_slice_starts(hash, bh_slice_str(methods[i].head)))
		i++;
	return methods[i].name;
}

enum secret_form secret_check_crypt_hash(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	const char *method = method_of(secret);
	(void)around;
	if (method)
		(void)snprintf(said, SECRET_SAID_BYTES, "%s", method);
	return method ? SECRET_VALID : SECRET_WRONG;
}
