/* test_repeat.c - the detector finds the period of a stream of ops, cuts where little is live, and forgets in time. */
#include "record/repeat.h"

#include "check.h"

/* Feeds one op; true if a cut came before it. */
static bool feed(cni_repeat *r, uint64_t hash, int64_t live, uint64_t period_ops)
{
    bool cut = cni_repeat_cut_here(r);
    cni_repeat_append(r, hash * UINT64_C(0x2545F4914F6CDD1D) + 1, live, period_ops);
    return cut;
}

static void test_cuts_once_a_period_at_the_least_live_place(void)
{
    cni_repeat r;
    EXPECT(cni_repeat_create(&r));
    int cuts = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t phase = i % 30;
        bool cut = feed(&r, phase, phase == 7 ? 10 : 1000, 24);
        EXPECT(!cut || phase == 7);
        cuts += cut;
    }
    EXPECT(cuts >= 96 && cuts <= 100);
    cni_repeat_destroy(&r);
}

static void test_short_periods_are_gathered(void)
{
    cni_repeat r;
    EXPECT(cni_repeat_create(&r));
    int cuts = 0;
    for (uint64_t i = 0; i < 2400; i++) {
        cuts += feed(&r, 1, 0, 24);
    }
    EXPECT(cuts >= 95 && cuts <= 100);
    cni_repeat_destroy(&r);
}

static void test_no_cuts_without_repeat(void)
{
    cni_repeat r;
    EXPECT(cni_repeat_create(&r));
    for (uint64_t i = 0; i < 5000; i++) {
        EXPECT(!feed(&r, i, 0, 24));
    }
    cni_repeat_destroy(&r);
}

/* An inner loop in an outer one: from the third round on, every round is cut at the same places. */
static void test_nested_loops_settle(void)
{
    enum { PROLOGUE = 60, INNER = 33, TIMES = 50, ROUND = PROLOGUE + INNER * TIMES };
    static unsigned char first[ROUND], cut[ROUND];
    cni_repeat r;
    EXPECT(cni_repeat_create(&r));
    for (int round = 0; round < 8; round++) {
        int cuts = 0;
        for (uint64_t i = 0; i < ROUND; i++) {
            uint64_t op = i < PROLOGUE ? 1000 + i : (i - PROLOGUE) % INNER;
            cut[i] = feed(&r, op, op == 0 ? 1 : 5, 24);
            cuts += cut[i];
            if (round == 3) {
                first[i] = cut[i];
            }
            EXPECT(round <= 3 || cut[i] == first[i]);
        }
        EXPECT(round == 0 || cuts >= 40);
    }
    cni_repeat_destroy(&r);
}

int main(void)
{
    test_cuts_once_a_period_at_the_least_live_place();
    test_short_periods_are_gathered();
    test_no_cuts_without_repeat();
    test_nested_loops_settle();
    return finish("repeat");
}
