/* intrinsic.h: CloudFormation's functions (docs.aws.amazon.com, "Intrinsic function reference") as far as a template alone decides them. */
#ifndef BH_SERVERLESS_INTRINSIC_H
#define BH_SERVERLESS_INTRINSIC_H

#include "serverless/build.h"

/* A resource that is not left out by its condition. */
struct fn_resource {
	struct bh_slice type, id;
};

/* What a template says: doc->format points to it, and doc->resolve is fn_intrinsic. */
struct fn_template {
	struct cel_value parameters, mappings, conditions, resources, globals;
	struct fn_resource *list; /* of the resources; templates inside other formats have none */
	size_t n;
	uint64_t walked;          /* values that were looked through for names of functions */
};

/*
 * A parameter is its default, a resource its name: Ref and GetAtt of Table are the texts "${Table}" and "${Table.Arn}", and ${AWS::Region} stays as
 * it is. Unknown: parameters without a default, imports, whatever a cloud answers.
 */
struct cel_value fn_intrinsic(struct fn_doc *doc, struct cel_value v);

enum fn_truth { FN_FALSE, FN_TRUE, FN_OPEN };
enum fn_truth fn_condition(struct fn_doc *doc, struct bh_slice name);

/* "Table" of "${Table.Arn}", "${Table}" or ".../${Table}"; empty: no name of a resource is in the text. */
struct bh_slice fn_resource_in(struct bh_slice text);

#endif
