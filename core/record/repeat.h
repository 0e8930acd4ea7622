/*
 * repeat.h - finds out that the program repeats, from the stream of recorded ops alone.
 *
 * Every op has a hash that says what it does and how long ago its operands were last touched, but nothing of extents
 * or offsets. A rolling table of sequences proposes a lag P; P matches in a row of op[i] with op[i-P] confirm it.
 * Windows are then cut every period, at the place of the period that the fewest bytes cross: of bases that were used
 * before and are used after it. Names that merely live on do not count, they are dead by the time that a window is planned.
 */
#ifndef CNI_REPEAT_H
#define CNI_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

enum { CNI_REPEAT_SEQUENCE = 12, CNI_REPEAT_HISTORY = 1 << 14, CNI_REPEAT_TABLE = 1 << 12 };

typedef struct cni_repeat {
    uint64_t count;                /* ops so far */
    uint64_t rolling;              /* hash of the last CNI_REPEAT_SEQUENCE ops */
    uint64_t lag;                  /* proposed period, 0: none */
    uint64_t matches;              /* in a row at this lag */
    uint64_t inner, inner_matches; /* a shorter lag that may take its place, 0: none */
    uint64_t gap;                  /* the op before which others were left out, and of whose bases nothing is known */
    uint64_t period;               /* confirmed, in ops between cuts; 0: none */
    uint64_t next_cut;
    uint64_t *hashes;  /* of the last CNI_REPEAT_HISTORY ops */
    int64_t *live;     /* bytes live before each of them: decides between places that as many bytes cross */
    int64_t *crossing; /* bytes that cross the place before each of them, less those that cross the one before that */
    uint64_t *table;   /* of the last place of a sequence: its hash, then op number */
} cni_repeat;

/* False without memory. */
bool cni_repeat_create(cni_repeat *repeat);
void cni_repeat_destroy(cni_repeat *repeat);

/* Is this a place to cut, before the next op is recorded? */
static inline bool cni_repeat_cut_here(const cni_repeat *repeat)
{
    return repeat->period != 0 && repeat->count == repeat->next_cut;
}

/* The op that was taken last uses a base of so many bytes, which was used `ago` ops before. */
static inline void cni_repeat_use(cni_repeat *repeat, uint64_t ago, int64_t nbytes)
{
    uint64_t known = repeat->count - repeat->gap;
    if (repeat->gap != 0 && ago > known) {
        ago = known;
    }
    if (ago < CNI_REPEAT_HISTORY / 2 && ago < repeat->count) {
        repeat->crossing[(repeat->count - ago) % CNI_REPEAT_HISTORY] += nbytes;
        repeat->crossing[repeat->count % CNI_REPEAT_HISTORY] -= nbytes;
    }
}

/* Ops before the next one have been left out, or their bases have not been told. */
void cni_repeat_resume(cni_repeat *repeat);

/* Takes the next op; live: bytes that a cut before it would keep; period_ops: least distance of cuts, 0: no cuts. */
void cni_repeat_append(cni_repeat *repeat, uint64_t hash, int64_t live, uint64_t period_ops);

#endif
