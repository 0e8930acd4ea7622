/*
 * joint_search.cuh - where values go in a sorted vector that places have pieces of (exec/joint_device.h). PLACES: how many
 * there are; RIGHT and the words of keys as search.cuh has them.
 *
 * cni_kernel finds by the first elements of the pieces which place each value is for, and counts them; then (asking.placing)
 * it answers what the place itself has, and writes the values for each other one behind the other, and where each went.
 * cni_finish answers what was heard or, with `takes`, takes what was asked.
 */
enum { THREADS = 256, ITEMS = 4, TILE = THREADS * ITEMS };
#include "cuda/asking.cuh"
#include "cuda/search.cuh"

typedef struct parameters {
    asking asking;
    const BITS *sorted, *firsts, *values;
    const int *owners; /* of the pieces */
    int64_t *results;
    int64_t n, from, pieces, count, nheard, takes; /* from: the number of the place's first element */
    BITS *asked, *heard;
    int64_t *asked_answers, *heard_answers;
    unsigned *positions;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    int owner[ITEMS];
    unsigned at[ITEMS];
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int64_t i = (int64_t)blockIdx.x * TILE + k * THREADS + threadIdx.x;
        owner[k] = -1;
        if (i < p.count) {
            const int64_t piece = place_among(p.firsts, p.pieces, p.values[i]);
            owner[k] = p.owners[piece > 0 ? piece - 1 : 0];
        }
    }
    places_of(&p.asking, owner, at);
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int64_t i = (int64_t)blockIdx.x * TILE + k * THREADS + threadIdx.x;
        if (owner[k] >= 0 && p.asking.placing != 0) {
            if (at[k] == OWN) {
                p.results[i] = p.from + place_among(p.sorted, p.n, p.values[i]);
            } else {
                p.asked[at[k]] = p.values[i];
            }
            p.positions[i] = at[k];
        }
    }
}

/* CNI_FINISH */
CNI_KERNEL(cni_finish, parameters)
{
    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (p.takes == 0) {
        if (i < p.nheard) {
            p.heard_answers[i] = p.from + place_among(p.sorted, p.n, p.heard[i]);
        }
    } else if (i < p.count && p.positions[i] != OWN) {
        p.results[i] = p.asked_answers[p.positions[i]];
    }
}
