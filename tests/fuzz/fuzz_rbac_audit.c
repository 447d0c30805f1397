/*
 * fuzz_rbac_audit.c: any input as an audit log: for every subject of it the roles are made, and allow all of its requests and nothing else; and
 * what of some roles it shows to be unused is named.
 */
#include "kube/rbac_least.h"
#include "kube/rbac_unused.h"

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

static const char objects[] =
	"{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, users: [bob], resources: [{group: '', resources: [pods/*]}]}, {level: Metadata}]}\n---\n"
	"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [{apiGroups: ['*'], resources: ['*', pods/log], verbs: [get, '*', bind]}, "
	"{nonResourceURLs: ['/a*', /b], verbs: [get]}]}\n---\n"
	"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {kind: ClusterRole, name: r}, subjects: "
	"[{kind: User, name: alice}, {kind: Group, name: 'system:authenticated'}, {kind: User, name: bob}]}\n";

static void look_for_unused(struct bh_slice log)
{
	struct rbac_leaving l = { .has_log = true };
	struct kube_answer answer;
	struct bh_err err = { 0 };
	const struct kube_question question = { .name = "unused", .answer = rbac_unused, .ctx = &l };
	rbac_audit_init(&l.audit, (struct bh_slice){ 0 }, (struct bh_slice){ 0 });
	if (rbac_audit_read(&l.audit, bh_memory_source(&log), NULL, NULL, &err) == 0) {
		if (kube_ask_text(&question, bh_slice_str(objects), &answer, &err) < 0)
			abort();
		kube_answer_done(&answer);
	}
	rbac_audit_done(&l.audit);
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
	look_for_unused((struct bh_slice){ data, size });
	return 0;
}
