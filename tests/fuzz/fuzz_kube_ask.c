/*
 * fuzz_kube_ask.c: any input as manifests, about which every question is asked that takes nothing but manifests. Rows have the cells that
 * their kind promises. The input is read once, and all questions are one: reading takes longer than answering.
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
	int (*answer)(struct kube_asked *asked, void *ctx, struct bh_err *err);
	void *ctx;
	uint16_t cells; /* of every row; 0: not all alike */
} questions[] = {
	{ netpol_list, NULL, NETPOL_CELLS },
	{ netpol_explain, &explaining, NETPOL_WHY_CELLS },
	{ netpol_diff, NULL, NETPOL_CHANGE_CELLS },
	{ netpol_generate, NULL, NETPOL_DOCUMENT_CELLS },
	{ netpol_lint, NULL, NETPOL_LINT_CELLS },
	{ paths_answer, NULL, 0 },
	{ paths_answer, &blast, 0 },
	{ rbac_who_can, &secrets, RBAC_GRANT_CELLS },
	{ rbac_can, &web, RBAC_RULE_CELLS },
	{ rbac_risks, &web, RBAC_RISK_CELLS },
};

#define MARK 0xffffu /* the kind of a row without cells, behind those of each question */

static int answer_all(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	int rc = 0;
	(void)ctx;
	for (size_t i = 0; rc == 0 && i < sizeof(questions) / sizeof(*questions); i++) {
		struct bh_err why = { 0 };
		if (questions[i].answer(asked, questions[i].ctx, &why) < 0 && why.text[0] == '\0')
			abort();
		rc = kube_say(asked, MARK, NULL, 0, err);
	}
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kube_foreign *const foreigners[] = { &kube_compose, NULL };
	static const struct kube_question question = { .name = "everything", .foreigners = foreigners, .answer = answer_all };
	struct kube_answer answer;
	struct bh_err err = { 0 };
	size_t i = 0;
	if (kube_ask_text(&question, (struct bh_slice){ data, size }, &answer, &err) < 0) {
		if (err.text[0] == '\0')
			abort();
		return 0;
	}
	for (size_t k = 0; k < answer.rows.len; k++) {
		if (answer.rows.ptr[k].kind == MARK)
			i++;
		else if (i == sizeof(questions) / sizeof(*questions) || (questions[i].cells && answer.rows.ptr[k].n != questions[i].cells))
			abort();
	}
	kube_answer_done(&answer);
	return 0;
}
