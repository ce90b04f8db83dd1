/* How the OCI runtime is started for a container, by conmon or by the agent. */
#include "node-agent/runtime/oci/oci.h"

struct adding {
    const char **items;
    size_t count;
    bool whole;
};

static void add(struct adding *to, const char *word)
{
    CHECK(to->count < OCI_WORDS_MAX);
    to->items[to->count++] = word;
    to->whole &= word != NULL;
}

/* The words of berth-enter: whose the outputs are, what to mount, what to hide, where to go, what to become. */
static void add_enter(const struct oci *oci, const struct oci_place *place, struct arena *arena,
                      struct adding *to)
{
    const struct cgroups *cgroups = &oci->cgroups;
    const char *hidden = "-";
    bool hides = cgroups->layout == CGROUP_MIXED && place->class->traits->entered;
    for (size_t i = 0; hides && i < cgroups->count; i++)
        if (cgroups->mounts[i].controllers & CGROUP_UNIFIED)
            hidden = cgroups->mounts[i].path;
    add(to, oci->enter);
    add(to, place->users_first ? arena_format(arena, "%u", place->users_first) : "-");
    add(to, place->staged ? place->staged : "-");
    add(to, oci->stage);
    add(to, hidden);
    add(to, arena_format(arena, "%s/%s", cgroups->name, place->cgroup));
    for (size_t i = 0; oci_makes_cgroup(oci, place) && i < cgroups->count; i++)
        if (!(cgroups->mounts[i].controllers & CGROUP_UNIFIED))
            add(to, cgroups->mounts[i].path);
    add(to, "--");
}

size_t oci_words(const struct oci *oci, const struct oci_place *place, struct arena *arena,
                 const char *words[OCI_WORDS_MAX])
{
    const struct oci_class *class = place->class;
    struct adding to = {.items = words, .whole = true};
    if (class->traits->entered || place->users_first)
        add_enter(oci, place, arena, &to);
    add(&to, class->program);
    add(&to, arena_format(arena, "--root=%s/oci", oci->root));
    if (class->traits->option)
        add(&to, class->traits->option);
    if (oci_makes_cgroup(oci, place))
        add(&to, class->traits->cgroups_off);
    return to.whole ? to.count : 0;
}
