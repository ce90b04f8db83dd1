/* How the OCI runtime is called: berth-enter with its own words first, or the program itself. */
#include "node-agent/runtime/oci/oci.h"

static void add(const char *words[OCI_WORDS_MAX], size_t *count, const char *word)
{
    CHECK(*count < OCI_WORDS_MAX);
    words[(*count)++] = word;
}

/* What to hide, where to go, what to become. */
static void add_enter(const struct oci *oci, const struct oci_place *place, struct arena *arena,
                      const char *words[OCI_WORDS_MAX], size_t *count)
{
    const struct cgroups *cgroups = &oci->cgroups;
    const char *hidden = "-";
    for (size_t i = 0; cgroups->layout == CGROUP_MIXED && i < cgroups->count; i++)
        if (cgroups->mounts[i].controllers & CGROUP_UNIFIED)
            hidden = cgroups->mounts[i].path;
    add(words, count, oci->enter);
    add(words, count, hidden);
    add(words, count, arena_format(arena, "%s/%s", cgroups->name, place->cgroup));
    for (size_t i = 0; oci_makes_cgroup(oci, place) && i < cgroups->count; i++)
        if (!(cgroups->mounts[i].controllers & CGROUP_UNIFIED))
            add(words, count, cgroups->mounts[i].path);
    add(words, count, "--");
}

size_t oci_words(const struct oci *oci, const struct oci_place *place, struct arena *arena,
                 const char *words[OCI_WORDS_MAX])
{
    const struct oci_class *class = place->class;
    size_t count = 0;
    if (class->traits->entered)
        add_enter(oci, place, arena, words, &count);
    add(words, &count, class->program);
    add(words, &count, arena_format(arena, "--root=%s/oci", oci->root));
    if (class->traits->option)
        add(words, &count, class->traits->option);
    if (oci_makes_cgroup(oci, place))
        add(words, &count, class->traits->cgroups_off);
    for (size_t i = 0; i < count; i++)
        if (!words[i])
            return 0;
    return count;
}
