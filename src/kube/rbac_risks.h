/*
 * rbac_risks.h: what of the rights that bindings give is dangerous, and how much: a right weighs by where it holds, what lives there, what admission forbids,
 * and who could get hold of the subject.
 */
#ifndef BH_KUBE_RBAC_RISKS_H
#define BH_KUBE_RBAC_RISKS_H

#include "kube/rbac_ask.h"

/* A row per binding and risk; severity as a digit of enum bh_severity. ctx: struct rbac_asking (defaults). */
#define RBAC_ROW_RISK 100u
enum rbac_risk_cell {
	RBAC_RISK_ID, RBAC_RISK_SEVERITY, RBAC_RISK_MESSAGE, RBAC_RISK_FILE, RBAC_RISK_LINE, RBAC_RISK_EVIDENCE, RBAC_RISK_FIX, RBAC_RISK_CELLS
};
int rbac_risks(struct kube_asked *asked, void *ctx, struct bh_err *err);

#endif
