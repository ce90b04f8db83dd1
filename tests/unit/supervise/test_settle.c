/* What the agent gives back when it has nothing to do. */
#include "tests/unit/unit.h"

#include "node-agent/supervise/agent_state.h"

#include <link.h>
#include <stdio.h>
#include <string.h>

static struct agent agent;
static struct hosted group;

/* Kilobytes of code and other files that this process has in memory. */
static long files_kib(void)
{
    FILE *opened = fopen("/proc/self/smaps", "re");
    char line[512];
    long sum = 0, size;
    bool counts = false;

    assert_non_null(opened);
    while (fgets(line, sizeof line, opened)) {
        if (strstr(line, "r-xp"))
            counts = strchr(line, '/') != NULL;
        else if (strstr(line, "-p "))
            counts = false;
        else if (counts && sscanf(line, "Rss: %ld", &size) == 1)
            sum += size;
    }
    fclose(opened);
    return sum;
}

static int touch(struct dl_phdr_info *object, size_t size UNUSED, void *context)
{
    unsigned char *seen = context;

    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        const volatile unsigned char *bytes =
            (const unsigned char *)(object->dlpi_addr + part->p_vaddr);
        for (size_t at = 0; at < part->p_filesz; at += 4096)
            *seen ^= bytes[at];
    }
    return 0;
}

static long touched_kib(void)
{
    unsigned char seen = 0;

    dl_iterate_phdr(touch, &seen);
    return files_kib();
}

static void settle_for(int seconds)
{
    for (int i = 0; i < seconds; i++)
        agent_settle(&agent);
}

TEST(code_that_ran_once_is_given_back_when_it_is_quiet)
{
    long before = touched_kib();

    agent = (struct agent){0};
    agent_settle(&agent);
    assert_true(files_kib() > before * 9 / 10); /* not within the first second */
    agent_settle(&agent);
    assert_true(files_kib() < before / 2);
    before = touched_kib(); /* needed again: it is there, and stays for a minute */
    agent_worked(&agent);
    settle_for(50);
    assert_true(files_kib() > before * 9 / 10);
    agent_worked(&agent);
    settle_for(50);
    assert_true(files_kib() > before * 9 / 10);
    settle_for(20);
    assert_true(files_kib() < before / 2);
    before = touched_kib(); /* once */
    settle_for(1000);
    assert_true(files_kib() > before * 9 / 10);
}

TEST(after_many_jobs_it_is_given_back_soon)
{
    long before = touched_kib();

    agent = (struct agent){.settled = true};
    for (int i = 0; i < 100; i++)
        agent_worked(&agent);
    settle_for(2);
    assert_true(files_kib() < before / 2);
}

TEST(while_jobs_are_under_way_nothing_is)
{
    long before = touched_kib();

    agent = (struct agent){0};
    agent.groups.first = &group;
    group.busy = 1;
    for (int i = 0; i < 10; i++)
        agent_settle(&agent);
    assert_true(files_kib() > before * 9 / 10);
    group.busy = 0;
    agent_settle(&agent);
    agent_settle(&agent);
    assert_true(files_kib() < before / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_that_ran_once_is_given_back_when_it_is_quiet),
        cmocka_unit_test(after_many_jobs_it_is_given_back_soon),
        cmocka_unit_test(while_jobs_are_under_way_nothing_is),
    };

    return RUN_TESTS(tests);
}
