/* Prints and compiles the table of system calls. A compiled filter is a binary tree: any call is
 * decided in about ten steps, where a list would take hundreds. */
#include "node-agent/runtime/oci/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct call {
    const char *name;
    bool allow;
};

static const struct call calls[] = {
#define ALLOW(name) {#name, true},
#define DENY(name) {#name, false},
#include "node-agent/runtime/oci/seccomp.def"
#undef ALLOW
#undef DENY
};

/* Calls that depend on an argument. clone may make threads and processes but no namespaces
 * (clone3, whose flags a filter cannot see, is unknown to containers); personality keeps to what
 * harmless programs set. */
struct condition {
    const char *name;
    bool allow;
    unsigned argument;
    enum scmp_compare compare;
    uint64_t value, masked;
};

enum {
    NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                 CLONE_NEWPID | CLONE_NEWNET
};

#define NO_NAMESPACE(flag)                                \
    {                                                     \
        "clone", false, 0, SCMP_CMP_MASKED_EQ, flag, flag \
    }

static const struct condition conditions[] = {
    {"clone", true, 0, SCMP_CMP_MASKED_EQ, NAMESPACES, 0},
    NO_NAMESPACE(CLONE_NEWNS),
    NO_NAMESPACE(CLONE_NEWCGROUP),
    NO_NAMESPACE(CLONE_NEWUTS),
    NO_NAMESPACE(CLONE_NEWIPC),
    NO_NAMESPACE(CLONE_NEWUSER),
    NO_NAMESPACE(CLONE_NEWPID),
    NO_NAMESPACE(CLONE_NEWNET),
    {"personality", true, 0, SCMP_CMP_EQ, 0, 0},
    {"personality", true, 0, SCMP_CMP_EQ, 0x8, 0},
    {"personality", true, 0, SCMP_CMP_EQ, 0x20000, 0},
    {"personality", true, 0, SCMP_CMP_EQ, 0x20008, 0},
    {"personality", true, 0, SCMP_CMP_EQ, 0xffffffff, 0},
    {"socket", true, 0, SCMP_CMP_NE, AF_VSOCK, 0},
    {"socket", false, 0, SCMP_CMP_EQ, AF_VSOCK, 0},
};

#if defined(__x86_64__)
static const char architectures[] = "[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"]";
static const uint32_t further_architectures[] = {SCMP_ARCH_X86, SCMP_ARCH_X32};
#elif defined(__aarch64__)
static const char architectures[] = "[\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"]";
static const uint32_t further_architectures[] = {SCMP_ARCH_ARM};
#else
#error "say here which architectures a container of this machine may use"
#endif

/* ---- as JSON ---- */

static void add_names(struct text *out, bool allow)
{
    bool first = true;
    text_add(out, "{\"names\":[");
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        if (calls[i].allow == allow) {
            text_addf(out, "%s\"%s\"", first ? "" : ",", calls[i].name);
            first = false;
        }
    text_add(out, allow ? "],\"action\":\"SCMP_ACT_ALLOW\"}"
                        : "],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1}");
}

static const char *compare_name(enum scmp_compare compare)
{
    return compare == SCMP_CMP_EQ   ? "SCMP_CMP_EQ"
           : compare == SCMP_CMP_NE ? "SCMP_CMP_NE"
                                    : "SCMP_CMP_MASKED_EQ";
}

void seccomp_add_json(struct text *out)
{
    text_addf(out,
              "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":%d,\"architectures\":%s,"
              "\"syscalls\":[",
              ENOSYS, architectures);
    add_names(out, true);
    text_add_char(out, ',');
    add_names(out, false);
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        const struct condition *one = &conditions[i];
        text_addf(out,
                  ",{\"names\":[\"%s\"],\"action\":\"%s\"%s,\"args\":[{\"index\":%u,\"value\":%llu,"
                  "\"valueTwo\":%llu,"
                  "\"op\":\"%s\"}]}",
                  one->name, one->allow ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO",
                  one->allow ? "" : ",\"errnoRet\":1", one->argument,
                  (unsigned long long)one->value, (unsigned long long)one->masked,
                  compare_name(one->compare));
    }
    text_add(out, "]}");
}

/* ---- compiled ---- */

static bool add_rules(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        int number = seccomp_syscall_resolve_name(calls[i].name);
        uint32_t action = calls[i].allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
        if (number != __NR_SCMP_ERROR && seccomp_rule_add(filter, action, number, 0) != 0)
            return false;
    }
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        const struct condition *one = &conditions[i];
        int number = seccomp_syscall_resolve_name(one->name);
        uint32_t action = one->allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
        struct scmp_arg_cmp wanted = {one->argument, one->compare, one->value, one->masked};
        if (seccomp_rule_add_array(filter, action, number, 1, &wanted) != 0)
            return false;
    }
    return true;
}

static bool compile(scmp_filter_ctx filter, int fd)
{
    for (size_t i = 0; i < COUNT_OF(further_architectures); i++)
        if (seccomp_arch_add(filter, further_architectures[i]) != 0)
            return false;
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* only faster */
    return add_rules(filter) && seccomp_export_bpf(filter, fd) == 0;
}

static void add_base64(struct text *out, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < size; at += 3) {
        unsigned left = size - at > 2 ? 3 : (unsigned)(size - at);
        unsigned long three = (unsigned long)bytes[at] << 16;
        three |= left > 1 ? (unsigned long)bytes[at + 1] << 8 : 0;
        three |= left > 2 ? bytes[at + 2] : 0;
        for (unsigned digit = 0; digit < 4; digit++)
            text_add_char(out, digit > left ? '=' : digits[three >> (18 - 6 * digit) & 63]);
    }
}

bool seccomp_add_bpf(struct text *out, struct err *err)
{
    unsigned char bytes[64 * 1024]; /* the kernel takes at most 4,096 instructions of 8 bytes */
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    AUTO_CLOSE int fd = memfd_create("seccomp", MFD_CLOEXEC);
    bool made = filter && fd >= 0 && compile(filter, fd);
    if (filter)
        seccomp_release(filter);
    ssize_t size = made ? pread(fd, bytes, sizeof bytes, 0) : -1;
    if (size <= 0)
        return err_set(err, ERR_INTERNAL, "libseccomp cannot compile the profile of containers");
    add_base64(out, bytes, (size_t)size);
    return true;
}
