/*
 * serverless.h: functions without servers, whoever's: documents of CloudFormation and SAM, the Serverless Framework, Terraform's plans, Knative and OpenFaaS
 * become objects of one kind, bulkhead.io/v1 Function, of which admission policies ask what they ask of Kubernetes' objects. What a document leaves open
 * (a variable, an answer of a cloud) is an unknown value, which ends as something that was not checked.
 */
#ifndef BH_SERVERLESS_SERVERLESS_H
#define BH_SERVERLESS_SERVERLESS_H

#include "kube/objects.h"

struct serverless {
	char today[16]; /* "2026-11-27": which runtimes are past their end */
	struct kube_foreign foreign;
};

/* *s is the context of its own `foreign`, so it must stay where it is. */
void serverless_init(struct serverless *s, int64_t now_s);

#endif
