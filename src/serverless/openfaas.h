/* openfaas.h: what functions of OpenFaaS say in stack.yml and as objects of Kubernetes. */
#ifndef BH_SERVERLESS_OPENFAAS_H
#define BH_SERVERLESS_OPENFAAS_H

#include "serverless/format.h"

/* `own`: image, environment, limits; read_only: the field's name, which differs. */
void openfaas_function(struct fn_doc *doc, struct fn_from own, struct bh_slice name, struct bh_slice namespace, const char *format, const char *read_only);

#endif
