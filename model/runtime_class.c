#include "model/runtime_class.h"

#include "base/text.h"

#include <string.h>

static const struct runtime_class known[] = {
    {"crun", false},
    {"runc", false},
    {"runsc", true},
};

bool runtime_class_valid(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < RUNTIME_CLASS_SIZE &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

const char *runtime_class_of(const struct container_group *group)
{
    for (size_t i = 0; i < group->tags.count; i++)
        if (text_equal_nocase(group->tags.items[i].key, RUNTIME_CLASS_TAG))
            return group->tags.items[i].value;
    return NULL;
}

const struct runtime_class *runtime_class_known(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

void runtime_classes_join(const struct text_list *names, char out[RUNTIME_CLASSES_SIZE])
{
    size_t size = 1, count = 0;
    memcpy(out, " ", 2);
    for (size_t i = 0; i < names->count && count < RUNTIME_CLASSES_MAX; i++) {
        if (!runtime_class_valid(names->items[i]) || runtime_classes_have(out, names->items[i]))
            continue;
        text_format(out + size, RUNTIME_CLASSES_SIZE - size, "%s ", names->items[i]);
        size += strlen(out + size);
        count++;
    }
}

bool runtime_classes_have(const char *classes, const char *name)
{
    char word[RUNTIME_CLASS_SIZE + 2];
    return text_format(word, sizeof word, " %s ", name) && strstr(classes, word);
}
