/* fuzz_gitleaks.c: any text as a gitleaks.toml: it is refused with its place, or its rules judge without trouble. */
#include "secret/gitleaks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gitleaks_rules rules;
	struct bh_err err = { 0 };
	struct bh_slice text = { data, size }, path = BH_SLICE_LIT("test/a.conf");
	gitleaks_rules_init(&rules);
	int rc = gitleaks_rules_parse(&rules, "/nonexistent/rules.toml", text, &err);
	if (rc < 0 && err.text[0] == '\0')
		abort();
	for (size_t i = 0; rc == 0 && i < rules.rules.len; i++) {
		const struct gitleaks_rule *r = &rules.rules.ptr[i];
		if (!r->detector.id[0] || (!r->detector.pattern[0] && !r->path))
			abort();
		(void)gitleaks_wants(r, path, text);
		(void)gitleaks_is_secret(&rules, r, path, bh_slice_sub(text, 0, 40), bh_slice_sub(text, 0, 80), text);
	}
	gitleaks_rules_done(&rules);
	return 0;
}
