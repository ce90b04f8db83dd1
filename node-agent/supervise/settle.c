/* Memory that only a burst of work needed is given back when it is quiet: free pieces of the heap, and after the start or many
 * jobs also the code of programs and libraries, most of which runs once. What is needed again comes back page by page from
 * the page cache, some microseconds each: a node that starts groups now and then keeps what it uses for a while. */
#include "node-agent/supervise/agent_state.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

enum { QUIET_S = 2, LONG_QUIET_S = 60, MANY_JOBS = 64 };

/* Only what can never have been written to: of that, memory holds nothing that the file does not. */
static int give_back_code(struct dl_phdr_info *object, size_t size UNUSED, void *context UNUSED)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W))
            continue;
        uintptr_t begin = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_filesz) & ~(page - 1);
        if (end > begin)
            (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void agent_settle(struct agent *agent)
{
    bool busy = false;

    for (const struct hosted *group = agent->groups.first; group && !busy; group = group->next)
        busy = group->busy > 0;
    if (busy) {
        agent->quiet_s = 0;
        return;
    }
    if (agent->quiet_s >= LONG_QUIET_S)
        return;
    agent->quiet_s++;
    if (agent->quiet_s == QUIET_S)
        malloc_trim(0);
    bool soon = !agent->settled || agent->worked >= MANY_JOBS;
    if (agent->quiet_s == (soon ? QUIET_S : LONG_QUIET_S)) {
        dl_iterate_phdr(give_back_code, NULL);
        agent->settled = true;
        agent->worked = 0;
    }
}

/* It may have begun and ended within one second. */
void agent_worked(struct agent *agent)
{
    agent->quiet_s = 0;
    if (agent->worked < MANY_JOBS)
        agent->worked++;
}
