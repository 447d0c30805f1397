/*
 * checks.h: what can be said offline of the structure of a secret: secret_check_NAME, as detectors.def names them. A check looks at hostile bytes; it says
 * SECRET_WRONG only of what can't be a secret, since then nobody hears of it.
 */
#ifndef BH_SECRET_CHECKS_H
#define BH_SECRET_CHECKS_H

#include "base/buf.h"
#include "secret/detector.h"

#define secret_check_none NULL

/* checks.c: words */

/* Words that stand in the place of a secret: "${TOKEN}", "<your-key>", "changeme", "xxxxxxxx". */
bool secret_is_placeholder(struct bh_slice secret);

/* known.def: examples of documentation and keys of test suites, which everybody has. Of keys in PEM, the bytes of their base64. */
bool secret_is_known(struct bh_slice bytes);

enum secret_form secret_check_mixed(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);            /* letters and digits, or both cases */
enum secret_form secret_check_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);            /* made by a machine: digits among letters, no words */
enum secret_form secret_check_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);         /* no expression, no name of something, no well-known word */
enum secret_form secret_check_env_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);     /* of a variable: the same, and no path */
enum secret_form secret_check_weak_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);    /* where even "root" is one */
enum secret_form secret_check_url_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);     /* "user:HERE@host" */
enum secret_form secret_check_user_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);    /* "user:password" */
enum secret_form secret_check_generic_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_generic_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_env_secret(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);       /* NAME=value in an environment file */
bool secret_is_password_word(struct bh_slice s); /* "s3cret", "test123" */
enum secret_form secret_check_snmp(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);

/* checks_token.c: tokens with a checksum or a structure */

enum secret_form secret_check_aws_key_id(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);       /* says the account */
enum secret_form secret_check_bedrock_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_github_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);     /* CRC-32 in base 62 */
enum secret_form secret_check_npm_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_gitlab_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);     /* routable ones: CRC-32 in base 36 */
enum secret_form secret_check_grafana_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);    /* CRC-32 in hex */
enum secret_form secret_check_matrix_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);     /* CRC-32 in base 62 */
enum secret_form secret_check_pypi_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);       /* a macaroon */
enum secret_form secret_check_intercom_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_jfrog_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_registry_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);   /* of a package registry: any form but a variable */
enum secret_form secret_check_dsn(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);             /* of a URL that says whose it is */
enum secret_form secret_check_uuid(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_base64(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_base64_32(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);        /* of 32 bytes */
enum secret_form secret_check_base64_64(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_base64_json(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);      /* a prefix that ends in "_", then JSON */
enum secret_form secret_check_base64_pem(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_basic_auth(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);       /* base64 of "user:password" */

/* checks_jwt.c */

enum secret_form secret_check_jwt(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);              /* says issuer and expiry */
enum secret_form secret_check_kubernetes_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]); /* says the account */
enum secret_form secret_check_supabase_jwt(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);

/* checks_key.c: the secret is what a key begins with, the rest of it stands behind */

enum secret_form secret_check_pem_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_pem_body(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);         /* only: there is one */
enum secret_form secret_check_pgp_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_putty_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_ssh1_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_age_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);          /* Bech32 */
enum secret_form secret_check_jks(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_pkcs12(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_minisign_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_dnssec_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_eth_keystore(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);

/* checks_file.c: what the rest of the file must say */

enum secret_form secret_check_gcp_service_account(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_kubernetes_secret(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_kubeconfig_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);
enum secret_form secret_check_crypt_hash(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);       /* says the method */

/* For the checks: the decoded bytes of base64 or base64url of at most max_bytes; false when it is neither. */
bool secret_decode(struct bh_buf *out, struct bh_slice text, size_t max_bytes);

/* What stands in `around` behind the secret. */
struct bh_slice secret_behind(struct bh_slice secret, struct bh_slice around);

#endif
