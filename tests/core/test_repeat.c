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

/* Half of the period comes twice in it but for its first op, as when a program does the same to two arrays. */
static void test_stretches_that_are_alike_do_not_hide_the_period(void)
{
    enum { HALF = 13, PERIOD = 39 };
    cni_repeat r;
    EXPECT(cni_repeat_create(&r));
    int cuts = 0;
    for (uint64_t i = 0; i < 100 * PERIOD; i++) {
        uint64_t phase = i % PERIOD, op = phase < 2 * HALF && phase % HALF != 0 ? phase % HALF : 100 + phase;
        bool cut = feed(&r, op, phase == 3 ? 1 : 5, 24);
        EXPECT(!cut || phase == 3);
        cuts += cut;
    }
    EXPECT(cuts >= 96 && cuts <= 99);
    cni_repeat_destroy(&r);
}

/* Two bases go from round to round, a third from one op to the next but one: the cut is where that is not. */
static void test_cuts_where_the_fewest_bytes_cross(void)
{
    cni_repeat r;
    EXPECT(cni_repeat_create(&r));
    int cuts = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t phase = i % 30; /* the ops of the first round find their operands elsewhere */
        bool cut = feed(&r, i < 30 ? 100 + phase : phase, phase == 7 ? 10 : 1000, 24);
        EXPECT(!cut || phase == 20);
        cuts += cut;
        if (phase < 2) {
            cni_repeat_use(&r, 30, 100);
        }
        if (phase != 20 && phase != 21) { /* crossed: all places but that before op 20 */
            cni_repeat_use(&r, 2, 8);
        }
    }
    EXPECT(cuts >= 90 && cuts <= 100);
    cni_repeat_destroy(&r);
}

int main(void)
{
    test_cuts_once_a_period_at_the_least_live_place();
    test_cuts_where_the_fewest_bytes_cross();
    test_short_periods_are_gathered();
    test_no_cuts_without_repeat();
    test_nested_loops_settle();
    test_stretches_that_are_alike_do_not_hide_the_period();
    return finish("repeat");
}
