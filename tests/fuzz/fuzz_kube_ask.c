/*
 * fuzz_kube_ask.c: any input as manifests, about which every question is asked that takes nothing but manifests. Rows have the cells that
 * their kind promises.
 */
#include "kube/compose.h"
#include "kube/netpol.h"
#include "kube/netpol_diff.h"
#include "kube/netpol_explain.h"
#include "kube/netpol_generate.h"
#include "kube/netpol_lint.h"
#include "kube/paths.h"
#include "kube/rbac_risks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static struct rbac_asking secrets = { .request = { .verb = { (const uint8_t *)"get", 3 }, .resource = { (const uint8_t *)"secrets", 7 } }, .any_namespace = true };
static struct rbac_asking web = { .subject = { RBAC_SERVICE_ACCOUNT, { (const uint8_t *)"shop", 4 }, { (const uint8_t *)"web", 3 } }, .defaults = RBAC_DEFAULTS_NO };

static struct netpol_explaining explaining = {
	.from = { (const uint8_t *)"10.1.2.3", 8 }, .to = { (const uint8_t *)"web", 3 }, .port = { (const uint8_t *)"80", 2 },
};

static struct paths_asking blast = { .from = "internet", .ways_max = 1, .blast = true };

static const struct {
	struct kube_question question;
	uint16_t cells; /* of every row; 0: not all alike */
} asked[] = {
	{ { .name = "network policies", .answer = netpol_list }, NETPOL_CELLS },
	{ { .name = "explain", .answer = netpol_explain, .ctx = &explaining }, NETPOL_WHY_CELLS },
	{ { .name = "diff", .answer = netpol_diff }, NETPOL_CHANGE_CELLS },
	{ { .name = "generate", .answer = netpol_generate }, NETPOL_DOCUMENT_CELLS },
	{ { .name = "lint", .answer = netpol_lint }, NETPOL_LINT_CELLS },
	{ { .name = "paths", .foreign = &kube_compose, .answer = paths_answer }, 0 },
	{ { .name = "blast", .answer = paths_answer, .ctx = &blast }, 0 },
	{ { .name = "who can", .answer = rbac_who_can, .ctx = &secrets }, RBAC_GRANT_CELLS },
	{ { .name = "can", .answer = rbac_can, .ctx = &web }, RBAC_RULE_CELLS },
	{ { .name = "risks", .answer = rbac_risks, .ctx = &web }, RBAC_RISK_CELLS },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		struct kube_answer answer;
		struct bh_err err = { 0 };
		int rc = kube_ask_text(&asked[i].question, (struct bh_slice){ data, size }, &answer, &err);
		if (rc < 0) {
			if (err.text[0] == '\0')
				abort();
			continue;
		}
		for (size_t k = 0; k < answer.rows.len; k++)
			if (asked[i].cells && answer.rows.ptr[k].n != asked[i].cells)
				abort();
		kube_answer_done(&answer);
	}
	return 0;
}
