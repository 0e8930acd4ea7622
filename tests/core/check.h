/* check.h - the least that a C test needs. */
#ifndef CN_CHECK_H
#define CN_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static int failures;

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

static inline int finish(const char *name)
{
    printf("%s: %s\n", name, failures == 0 ? "ok" : "FAILED");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Small deterministic pseudo-random numbers in [0, n). */
static uint64_t check_state = 88172645463325252u;
static inline int64_t below(int64_t n)
{
    check_state ^= check_state << 13;
    check_state ^= check_state >> 7;
    check_state ^= check_state << 17;
    return (int64_t)(check_state % (uint64_t)n);
}

#endif
