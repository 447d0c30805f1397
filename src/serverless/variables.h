/* variables.h: variables in the texts of the Serverless Framework (serverless.com/framework/docs/guides/variables), and what a file alone decides of them. */
#ifndef BH_SERVERLESS_VARIABLES_H
#define BH_SERVERLESS_VARIABLES_H

#include "serverless/build.h"

/*
 * ${self:custom.x} is looked up, ${opt:stage, 'dev'} is its default, ${sls:stage} the provider's; inside out, so that names may hold variables.
 * Files, parameters, environment and everything that a cloud answers is unknown; in a longer text it stays as a variable.
 */
struct cel_value fn_variables(struct fn_doc *doc, struct bh_slice text);

#endif
