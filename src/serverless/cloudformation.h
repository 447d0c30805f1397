/* cloudformation.h: what the parts of the reader of CloudFormation and SAM share. */
#ifndef BH_SERVERLESS_CLOUDFORMATION_H
#define BH_SERVERLESS_CLOUDFORMATION_H

#include "serverless/intrinsic.h"

/* A function on its way. */
struct cfn_function {
	struct fn_doc *doc;
	struct bh_slice id;           /* logical name */
	struct fn_from resource, properties, globals;
	bool is_sam;
	struct fn_map spec;
	struct fn_list routes, permissions, triggers;
	bool is_used;                 /* something else in the template names it */
};

/* Walks resources of a type ("AWS::Lambda::Url") that are not left out by their condition. *at begins as 0. False: no more. */
bool cfn_next(struct fn_doc *doc, const char *type, size_t *at, struct bh_slice *ret_id, struct fn_from *ret_properties);

/* The resource of a name; null when there is none. */
struct fn_from cfn_resource(struct fn_doc *doc, struct bh_slice id);

/* Does the value name the function: its name, "${Fn}", "${Fn.Arn}", a list with one of these? */
bool cfn_names(struct fn_doc *doc, struct cel_value v, const struct cfn_function *f);

/* A property of the function, else of the template's Globals. */
struct fn_from cfn_property(const struct cfn_function *f, const char *path);

void cfn_role(struct cfn_function *f);     /* spec.role: statements, managed policies, who shares it */
void cfn_events(struct cfn_function *f);   /* spec.routes, spec.permissions, spec.triggers, spec.aliases, spec.isUsed */

#endif
