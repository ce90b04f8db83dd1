/* Runtime classes: by which OCI runtime a group's containers run, and so behind which wall: the kernel of
 * the node that they share (crun, runc), or one of their own (runsc). Nodes tell which they have; a group
 * names one in a tag, so that every client of the contract can:
 *
 *     "tags": {"berth.runtimeClass": "runsc"}
 *
 * Without the tag its location's class counts, without that its node's usual one.   Threads: pure. */
#ifndef MODEL_RUNTIME_CLASS_H
#define MODEL_RUNTIME_CLASS_H

#include "model/container_group.h"

#define RUNTIME_CLASS_TAG "berth.runtimeClass"

/* 1 to 15 of a-z, 0-9 and '-'. */
bool runtime_class_valid(const char *name);
/* What the tag says; NULL: there is none. */
const char *runtime_class_of(const struct container_group *group);

/* What a class is known not to do; NULL: everything is done. */
struct runtime_class {
    const char *name;
    bool own_kernel; /* the node's devices, rights and filters mean nothing to it */
};
const struct runtime_class *runtime_class_known(const char *name);

/* "crun runc runsc" as the store and the scheduler keep it, one blank before and behind each. */
enum {
    RUNTIME_CLASSES_MAX = 8,
    RUNTIME_CLASSES_SIZE = RUNTIME_CLASSES_MAX * RUNTIME_CLASS_SIZE + 2
};
/* Names that are none, and those beyond the ceiling, are left out. */
void runtime_classes_join(const struct text_list *names, char out[RUNTIME_CLASSES_SIZE]);
bool runtime_classes_have(const char *classes, const char *name);

#endif
