/* How the OCI runtime is called: berth-enter with its own words first, or the program itself. */
#include "node-agent/runtime/oci/oci.h"

static void add(struct oci_words *words, const char *word)
{
    CHECK(words->count < OCI_WORDS_MAX - 1);
    words->items[words->count++] = word;
}

/* What to hide, where to go, what to become. */
static void add_enter(const struct oci *oci, const struct oci_place *place, struct arena *arena,
                      struct oci_words *to)
{
    const struct cgroups *cgroups = &oci->cgroups;
    const char *hidden = "-";
    for (size_t i = 0; cgroups->layout == CGROUP_MIXED && i < cgroups->count; i++)
        if (cgroups->mounts[i].controllers & CGROUP_UNIFIED)
            hidden = cgroups->mounts[i].path;
    add(to, oci->enter);
    add(to, hidden);
    add(to, arena_format(arena, "%s/%s", cgroups->name, place->cgroup));
    for (size_t i = 0; oci_makes_cgroups(oci) && i < cgroups->count; i++)
        if (!(cgroups->mounts[i].controllers & CGROUP_UNIFIED))
            add(to, cgroups->mounts[i].path);
    add(to, "--");
}

bool oci_words(const struct oci *oci, const struct oci_place *place, struct arena *arena,
               struct oci_words *out)
{
    out->count = 0;
    if (oci->traits->entered)
        add_enter(oci, place, arena, out);
    add(out, oci->program);
    add(out, arena_format(arena, "--root=%s/oci", oci->root));
    if (oci_makes_cgroups(oci))
        add(out, oci->traits->cgroups_off);
    for (size_t i = 0; i < out->count; i++)
        if (!out->items[i])
            return false;
    out->items[out->count] = NULL;
    return true;
}
