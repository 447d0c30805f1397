/* selector.h: label selectors (apimachinery, meta/v1 LabelSelector): matchLabels and matchExpressions, all of which must hold. */
#ifndef BH_KUBE_SELECTOR_H
#define BH_KUBE_SELECTOR_H

#include "policy/cel/value.h"

/* Does the selector (a map; null or empty: everything) take the labels (a map of strings, or null)? */
bool kube_selects(struct cel_value selector, struct cel_value labels);

/* Nothing to select by. */
bool kube_selector_is_empty(struct cel_value selector);

#endif
