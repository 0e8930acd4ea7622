/*
 * asking.cuh - items that go to places, each place's one behind the other, in any order (joint_rows.cuh, joint_search.cuh).
 * PLACES: how many places there are, where items are placed; a thread has ITEMS items of its block's.
 */
#define OWN 0xFFFFFFFFu

typedef struct asking {
    int64_t me, placing;         /* placing 0: items are counted; 1: they are placed, by those counts */
    unsigned *counts, *cursors; /* by place, 0 before */
} asking;

#ifdef PLACES
/* By item, who has it (-1: there is none), and where it goes: OWN if the place itself has it. All of the block call it. */
CNI_INLINE void places_of(const asking *a, const int *owner, unsigned *at)
{
    CNI_SHARED unsigned counts[PLACES], begin[PLACES];
    unsigned rank[ITEMS];
    for (int k = (int)threadIdx.x; k < PLACES; k += THREADS) {
        counts[k] = 0;
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        if (owner[k] >= 0 && owner[k] != a->me) {
            rank[k] = cni_take(&counts[owner[k]], 1);
        }
    }
    CNI_BARRIER();
    for (int k = (int)threadIdx.x; k < PLACES; k += THREADS) {
        if (a->placing == 0) {
            cni_take(&a->counts[k], counts[k]);
        } else {
            unsigned before = 0;
            for (int place = 0; place < k; place++) {
                before += a->counts[place];
            }
            begin[k] = before + cni_take(&a->cursors[k], counts[k]);
        }
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        at[k] = owner[k] >= 0 && owner[k] != a->me && a->placing != 0 ? begin[owner[k]] + rank[k] : OWN;
    }
}
#endif
