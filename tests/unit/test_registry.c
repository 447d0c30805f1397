/* test_registry.c: names, challenges, base64 and registries.conf as tables. Registries themselves: tests/live/registry.py, tests/cli/registry.py. */
#include "base/base64.h"
#include "registry/client.h"
#include "registry/endpoints.h"
#include "registry/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* From the tests of github.com/distribution/reference (reference_test.go, normalize_test.go), and their like. */
static const struct {
	const char *text, *full; /* full NULL: refused */
} names[] = {
	{ "debian", "docker.io/library/debian:latest" },
	{ "debian:12", "docker.io/library/debian:12" },
	{ "team/app", "docker.io/team/app:latest" },
	{ "docker.io/debian", "docker.io/library/debian:latest" },
	{ "index.docker.io/library/debian:12", "docker.io/library/debian:12" },
	{ "localhost/app", "localhost/app:latest" },
	{ "localhost:5000/app", "localhost:5000/app:latest" },
	{ "127.0.0.1:5000/a/b/c:v1", "127.0.0.1:5000/a/b/c:v1" },
	{ "[::1]:5000/app", "[::1]:5000/app:latest" },
	{ "ghcr.io/Team/app", NULL },
	{ "UPPER/app", "UPPER/app:latest" }, /* upper case makes it a host */
	{ "quay.io/a_b__c-d--e.f/x:T_1.2-3", "quay.io/a_b__c-d--e.f/x:T_1.2-3" },
	{ "app@sha256:" HEX64, "docker.io/library/app@sha256:" HEX64 },
	{ "app:v1@sha256:" HEX64, "docker.io/library/app:v1@sha256:" HEX64 },
	{ "app@sha256:abc", NULL },
	{ "app@md5:" HEX64, NULL },
	{ "", NULL },
	{ ":tag", NULL },
	{ "app:", NULL },
	{ "app:.dot", NULL },
	{ "app:bad tag", NULL },
	{ "a//b", NULL },
	{ "/a", NULL },
	{ "a/", NULL },
	{ "a_/b", NULL },
	{ "a___b", NULL },
	{ "a..b/c", NULL },
	{ "-a.b/c", NULL },
	{ "-a", NULL },
	{ "reg.example:0/a", NULL },
	{ "reg.example:99999/a", NULL },
	{ "reg.example:/a", NULL },
	{ "http://reg.example/a", NULL },
	{ "user@reg.example/a", NULL },
	{ "reg.example/a\nb", NULL },
	{ "reg.example/a?b", NULL },
	{ "reg.example/../a", NULL },
};

static void references(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct registry_ref ref;
		struct bh_err err = { 0 };
		char text[REGISTRY_REF_BYTES];
		int rc = registry_ref_parse(names[i].text, &ref, &err);
		if ((rc == 0) != (names[i].full != NULL))
			fail_msg("\"%s\": %s", names[i].text, rc == 0 ? registry_ref_text(&ref, text) : err.text);
		if (rc == 0)
			assert_string_equal(registry_ref_text(&ref, text), names[i].full);
		else
			assert_int_equal(rc, BH_EUSAGE);
	}
}

static void long_names(void **state)
{
	(void)state;
	char text[700];
	struct registry_ref ref;
	struct bh_err err = { 0 };
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(registry_ref_parse(text, &ref, &err), BH_EUSAGE);
	text[200] = ':';
	assert_int_equal(registry_ref_parse(text, &ref, &err), BH_EUSAGE);
	text[200 + 129] = '\0';
	assert_int_equal(registry_ref_parse(text, &ref, &err), 0);
}

static void local_hosts(void **state)
{
	(void)state;
	assert_true(registry_is_local("localhost"));
	assert_true(registry_is_local("localhost:5000"));
	assert_true(registry_is_local("127.1.2.3:80"));
	assert_true(registry_is_local("[::1]:5000"));
	assert_false(registry_is_local("localhost.example"));
	assert_false(registry_is_local("docker.io"));
	assert_false(registry_is_local("[::2]"));
}

static const struct {
	const char *header, *scheme, *parameter, *value; /* value NULL: not there */
} challenges[] = {
	{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/debian:pull\"", "Bearer", "realm",
	  "https://auth.docker.io/token" },
	{ "Bearer realm=\"https://a/b\", service=\"x y\"", "bearer", "service", "x y" },
	{ "bearer  realm=https://a/b , service=s", "Bearer", "service", "s" },
	{ "Bearer realm=\"a,b=c\",scope=\"d\"", "Bearer", "scope", "d" },
	{ "Bearer realm=\"never ends", "Bearer", "realm", NULL },
	{ "Bearer =x,realm=\"r\"", "Bearer", "realm", NULL },
	{ "Bearer", "Bearer", "realm", NULL },
	{ "Basic realm=\"r\"", "Bearer", "realm", NULL },
	{ "Basic realm=\"r\"", "Basic", "realm", "r" },
	{ "", "Basic", "realm", NULL },
};

static void challenge_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(challenges) / sizeof(challenges[0]); i++) {
		struct bh_slice value = { 0 };
		bool found = registry_challenge(bh_slice_str(challenges[i].header), challenges[i].scheme, challenges[i].parameter, &value);
		if (found != (challenges[i].value != NULL) || (found && !bh_slice_eq_str(value, challenges[i].value)))
			fail_msg("%s: %s is \"%.*s\"", challenges[i].header, challenges[i].parameter, BH_SLICE_FMT(value));
	}
}

/* RFC 4648, section 10. */
static void base64_vectors(void **state)
{
	(void)state;
	static const char *const vectors[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
						  { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	static const char *const wrong[] = { "A", "Zg=g", "Z g=", "Zm9v!", "=A" };
	struct bh_buf b;
	bh_buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		bh_buf_clear(&b);
		assert_true(bh_base64(&b, bh_slice_str(vectors[i][0])));
		assert_true(bh_slice_eq_str(bh_buf_slice(&b), vectors[i][1]));
		bh_buf_clear(&b);
		assert_true(bh_unbase64(&b, bh_slice_str(vectors[i][1])));
		assert_true(bh_slice_eq_str(bh_buf_slice(&b), vectors[i][0]));
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(bh_unbase64(&b, bh_slice_str(wrong[i])));
	bh_buf_done(&b);
}

/* Examples of containers-registries.conf(5). */
static const char config[] =
	"unqualified-search-registries = [\"registry.example\"]\n"
	"[[registry]]\nprefix = \"example.com/foo\"\ninsecure = false\nblocked = false\nlocation = \"internal-registry-for-example.com/bar\"\n"
	"[[registry.mirror]]\nlocation = \"example-mirror-0.local/mirror-for-foo\"\n"
	"[[registry.mirror]]\nlocation = \"example-mirror-1.local/mirrors/foo\"\ninsecure = true\n"
	"[[registry]]\nlocation = \"registry.com\"\n[[registry.mirror]]\nlocation = \"mirror.registry.com\"\n"
	"[[registry]]\nprefix = \"*.example.net\"\nlocation = \"cache.local/net\"\n"
	"[[registry]]\nprefix = \"example.com/foo/secret\"\nblocked = true\n"
	"[[registry]]\nprefix = \"docker.io\"\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"hub.local:5000\"\n";

static const struct {
	const char *image, *want; /* "host path[!]" of each endpoint, "; " between; NULL: refused; "": the configuration says nothing */
} places[] = {
	{ "example.com/foo/image", "example-mirror-0.local mirror-for-foo/image; example-mirror-1.local mirrors/foo/image!; "
				   "internal-registry-for-example.com bar/image" },
	{ "example.com/foobar/image", "" },
	{ "example.com/foo/secret/x", NULL },
	{ "registry.com/a/b", "mirror.registry.com a/b; registry.com a/b" },
	{ "sub.example.net/a", "cache.local net/a" },
	{ "example.net/a", "" },
	{ "debian", "hub.local:5000 library/debian; registry-1.docker.io library/debian" },
};

static void registries_conf(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct registry_ref ref;
		struct registry_endpoints found = { 0 };
		struct bh_err err = { 0 };
		struct bh_buf text;
		bh_buf_init(&text, 4096);
		assert_int_equal(registry_ref_parse(places[i].image, &ref, &err), 0);
		int rc = registry_endpoints_read(bh_slice_str(config), &ref, &found, &err);
		assert_int_equal(rc == 0, places[i].want != NULL);
		for (size_t k = 0; rc == 0 && k < found.n; k++)
			bh_buf_printf(&text, "%s%s %s%s", k ? "; " : "", found.list[k].host, found.list[k].path, found.list[k].insecure ? "!" : "");
		if (rc == 0 && !bh_slice_eq_str(bh_buf_slice(&text), places[i].want))
			fail_msg("%s: %.*s", places[i].image, BH_SLICE_FMT(bh_buf_slice(&text)));
		bh_buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references),          cmocka_unit_test(long_names),     cmocka_unit_test(local_hosts),
		cmocka_unit_test(challenge_parameters), cmocka_unit_test(base64_vectors), cmocka_unit_test(registries_conf),
	};
	return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
