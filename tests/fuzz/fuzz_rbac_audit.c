/* fuzz_rbac_audit.c: any input as an audit log: for every subject of it the roles are made, and allow all of its requests and nothing else. */
#include "kube/rbac_least.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static uint64_t number(const struct kube_row *row, size_t cell)
{
	uint64_t n = UINT64_MAX;
	(void)bh_slice_u64(kube_cell(row, cell), UINT64_MAX, &n);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbac_leasting l = { .without_defaults = size % 2 != 0 };
	struct bh_slice left = { data, size };
	struct kube_answer answer;
	struct bh_err err = { 0 };
	const struct kube_question question = { .name = "audit log", .answer = rbac_least, .ctx = &l };
	rbac_audit_init(&l.audit, (struct bh_slice){ 0 }, (struct bh_slice){ 0 });
	if (rbac_audit_read(&l.audit, bh_memory_source(&left), NULL, NULL, &err) == 0 && kube_ask_text(&question, (struct bh_slice){ 0 }, &answer, &err) == 0) {
		for (size_t i = 0; i < answer.rows.len; i++) {
			const struct kube_row *row = &answer.rows.ptr[i];
			if (row->kind == RBAC_ROW_PROOF
			    && (number(row, RBAC_PROOF_ALLOWED) + number(row, RBAC_PROOF_DEFAULT) != number(row, RBAC_PROOF_REQUESTS) || number(row, RBAC_PROOF_EXTRA) != 0))
				abort();
		}
		kube_answer_done(&answer);
	} else if (err.text[0] == '\0')
		abort();
	rbac_audit_done(&l.audit);
	return 0;
}
