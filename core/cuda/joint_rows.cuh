/*
 * joint_rows.cuh - rows by index that several places have, or pieces of rows (exec/joint_device.h). PLACES: how many there
 * are; PUTS 1: rows are put, 0: fetched. index_t holds every count of a round.
 *
 * ASK 1: which place has each piece: cni_kernel counts those of each place, then (p.placing) writes the items for each one
 * behind the other, in any order, and where each went (OWN: the place itself has it).
 * ASK 0: cni_kernel moves words of pieces; cni_finish (PUTS) finds the last of those that are put into a piece.
 */
enum { THREADS = 256, ITEMS = 4, TILE = THREADS * ITEMS };
enum { ANSWER, TAKE_OWN, TAKE, SEND, PUT_HEARD, PUT_OWN }; /* p.mode */
#include "cuda/asking.cuh"

typedef struct parameters {
    int64_t mode, placing;
    char *array, *own;
    const char *index;
    int64_t index_step, step, words, piece, pieces, count, order;
    int64_t me, first, nheard; /* first: the piece with which the place's own begin */
    const int64_t *cuts;
    unsigned *counts, *cursors, *positions;
    int64_t *last;
    int64_t *asked, *heard;
    char *asked_rows, *heard_rows;
} parameters;

/* The number of the place's piece i of the round, and of the row that it is of. */
CNI_INLINE int64_t number_at(const parameters *p, index_t i, int64_t *row)
{
    int64_t at = (int64_t)i, piece = 0;
    if (p->pieces != 1) {
        const int64_t all = p->piece + at;
        at = all / p->pieces;
        piece = all - at * p->pieces;
    }
    *row = at;
    return *(const int64_t *)(p->index + at * p->index_step) * p->pieces + piece;
}

#if ASK
CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED int64_t cuts[PLACES + 1];
    int64_t number[ITEMS], row[ITEMS];
    int owner[ITEMS];
    unsigned at[ITEMS];
    for (int k = (int)threadIdx.x; k <= PLACES; k += THREADS) {
        cuts[k] = p.cuts[k];
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int64_t i = (int64_t)blockIdx.x * TILE + k * THREADS + threadIdx.x;
        owner[k] = -1;
        if (i < p.count) {
            number[k] = number_at(&p, (index_t)i, &row[k]);
            int low = 0, high = PLACES;
            while (high - low > 1) {
                const int middle = (low + high) / 2;
                if (cuts[middle] <= number[k]) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            owner[k] = low;
        }
    }
    const asking a = {p.me, p.placing, p.counts, p.cursors};
    places_of(&a, owner, at);
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        if (owner[k] >= 0 && p.placing != 0) {
            if (at[k] != OWN) {
#if PUTS
                p.asked[2 * (int64_t)at[k]] = number[k];
                p.asked[2 * (int64_t)at[k] + 1] = p.order + row[k];
#else
                p.asked[at[k]] = number[k];
#endif
            }
            p.positions[(int64_t)blockIdx.x * TILE + k * THREADS + threadIdx.x] = at[k];
        }
    }
}
#else
/* Where word w of piece i comes from and goes to; false: it does not go. */
CNI_INLINE bool ends_of(const parameters *p, index_t i, int64_t w, const char **from, char **to)
{
    const int64_t piece = p->words * (int64_t)sizeof(TYPE), word = w * (int64_t)sizeof(TYPE);
    int64_t row;
#if PUTS
    if (p->mode == SEND) {
        const unsigned at = p->positions[i];
        *from = p->own + (int64_t)i * piece + word;
        *to = p->asked_rows + (int64_t)at * piece + word;
        return at != OWN;
    }
    int64_t number, order;
    if (p->mode == PUT_HEARD) {
        number = p->heard[2 * (int64_t)i];
        order = p->heard[2 * (int64_t)i + 1];
        *from = p->heard_rows + (int64_t)i * piece + word;
    } else {
        if (p->positions[i] != OWN) {
            return false;
        }
        number = number_at(p, i, &row);
        order = p->order + row;
        *from = p->own + (int64_t)i * piece + word;
    }
    *to = p->array + number * p->step + word;
    return p->last[number - p->first] == order;
#else
    if (p->mode == ANSWER) {
        *from = p->array + p->heard[i] * p->step + word;
        *to = p->heard_rows + (int64_t)i * piece + word;
        return true;
    }
    const unsigned at = p->positions[i];
    if ((at == OWN) != (p->mode == TAKE_OWN)) {
        return false;
    }
    *from = at == OWN ? p->array + number_at(p, i, &row) * p->step + word : p->asked_rows + (int64_t)at * piece + word;
    *to = p->own + (int64_t)i * piece + word;
    return true;
#endif
}

CNI_KERNEL(cni_kernel, parameters)
{
    const bool heard = p.mode == ANSWER || p.mode == PUT_HEARD;
    const index_t all = (index_t)((heard ? p.nheard : p.count) * p.words);
    const index_t first = (index_t)blockIdx.x * TILE + threadIdx.x;
    const char *from[ITEMS];
    char *to[ITEMS];
    bool goes[ITEMS];
    TYPE x[ITEMS];
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const index_t e = first + (index_t)(k * THREADS);
        goes[k] = false;
        if (e < all) {
            const index_t i = p.words == 1 ? e : e / (index_t)p.words;
            goes[k] = ends_of(&p, i, (int64_t)(e - i * (index_t)p.words), &from[k], &to[k]);
        }
    }
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        if (goes[k]) {
            x[k] = *(const TYPE *)from[k];
        }
    }
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        if (goes[k]) {
            *(TYPE *)to[k] = x[k];
        }
    }
}

#if PUTS
/* CNI_FINISH */
CNI_KERNEL(cni_finish, parameters)
{
    const index_t i = (index_t)blockIdx.x * THREADS + threadIdx.x;
    if (p.mode == PUT_HEARD && i < (index_t)p.nheard) {
        cni_atomic_max(&p.last[p.heard[2 * (int64_t)i] - p.first], p.heard[2 * (int64_t)i + 1]);
    } else if (p.mode == PUT_OWN && i < (index_t)p.count && p.positions[i] == OWN) {
        int64_t row;
        const int64_t number = number_at(&p, i, &row);
        cni_atomic_max(&p.last[number - p.first], p.order + row);
    }
}
#endif
#endif
