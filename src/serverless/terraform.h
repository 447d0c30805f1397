/* terraform.h: resources of a plan of Terraform (developer.hashicorp.com/terraform/internals/json-format). */
#ifndef BH_SERVERLESS_TERRAFORM_H
#define BH_SERVERLESS_TERRAFORM_H

#include "base/vec.h"
#include "serverless/build.h"

#define TF_RESOURCES_MAX 200000u

struct tf_resource {
	struct bh_slice address, module; /* "module.shop.aws_lambda_function.api[0]"; "module.shop" */
	struct bh_slice type, name;
	struct fn_from values;
	struct cel_value unknown;        /* after_unknown of its change: what only applying tells */
	struct cel_value expressions;    /* of its configuration */
};
BH_VEC(tf_resources, struct tf_resource)

struct tf_plan {
	struct tf_resources all;
};

/* All planned resources, with what the rest of the plan says about them. */
void tf_collect(struct fn_doc *doc, struct tf_plan *plan);
void tf_done(struct tf_plan *plan);

/* A value, "vpc_config.0.subnet_ids" deep; unknown when only applying tells it. */
struct fn_from tf_value(struct fn_doc *doc, const struct tf_resource *r, const char *path);

/* Does an argument of `r` name `of`: by reference in the configuration, or by a value that is its name? */
bool tf_names(struct fn_doc *doc, const struct tf_resource *r, const char *argument, const struct tf_resource *of);

/* Is an argument made of attributes of resources and nothing else? Those exist once they are applied; a variable, a local value or a module's output may be null. */
bool tf_is_of_resources(const struct tf_resource *r, const char *argument);

/* Do both arguments refer to the same? False when one refers to nothing. */
bool tf_same_reference(const struct tf_resource *a, const char *argument_a, const struct tf_resource *b, const char *argument_b);

/* The next resource of a type, from *at on; NULL: no more. */
const struct tf_resource *tf_next(const struct tf_plan *plan, const char *type, size_t *at);

/* The code of a function: an argument that names a local file, and, where that is not built yet, what archive_file makes it of. */
void tf_put_code(struct fn_doc *doc, struct fn_map *spec, struct bh_slice function, struct fn_from path);

/* What each cloud's functions say. */
void tf_read_aws(struct fn_doc *doc, const struct tf_plan *plan);
void tf_read_google(struct fn_doc *doc, const struct tf_plan *plan);
void tf_read_azure(struct fn_doc *doc, const struct tf_plan *plan);

#endif
