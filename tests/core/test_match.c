/* test_match.c - what one place sends and another does not receive is noticed, and where. */
#include "plan/match.h"

#include <string.h>

#include "check.h"

enum { PLACES = 3, STAGES = 2 };

/* A row from each place to the next, before the second launch. */
typedef struct shift {
    cni_transfer transfers[PLACES][2];
    cni_stage stages[PLACES][STAGES];
    cni_partition partitions[PLACES];
} shift;

static cni_transfer row(int from, int to)
{
    cni_transfer t = {.slot = 4, .from = from, .to = to};
    t.region = (cni_region){1, 8, 1000 * from, {10}, {8}};
    return t;
}

static void make(shift *s)
{
    memset(s, 0, sizeof *s);
    for (int place = 0; place < PLACES; place++) {
        uint32_t n = 0;
        if (place > 0) {
            s->transfers[place][n++] = row(place - 1, place);
        }
        if (place < PLACES - 1) {
            s->transfers[place][n++] = row(place, place + 1);
        }
        s->stages[place][1].before = s->transfers[place];
        s->stages[place][1].nbefore = n;
        s->partitions[place] = (cni_partition){
            .places = PLACES, .first = place, .end = place + 1, .nstages = STAGES, .stages = s->stages[place]};
    }
}

static cn_status matched(const shift *s, cni_traffic traffic[PLACES][1 + 2 * STAGES])
{
    cni_match *m;
    EXPECT(cni_match_create(PLACES, STAGES, &m) == CN_OK);
    for (int place = 0; place < PLACES; place++) {
        cni_match_partition(m, &s->partitions[place], traffic[place]);
    }
    cn_status status = cni_match_end(m);
    cni_match_destroy(m);
    return status;
}

static bool noticed(const shift *s)
{
    cni_traffic traffic[PLACES][1 + 2 * STAGES];
    return matched(s, traffic) == CN_ERROR_INTERNAL && strstr(cn_error_message(), "before launch 1 of 2") != NULL;
}

/* The same rows, in two rounds: the first brings nothing. */
static void rounds_are_matched(void)
{
    static const uint32_t begin[PLACES][3] = {{0, 0, 1}, {0, 0, 2}, {0, 0, 1}};
    shift s;
    cni_rounds rounds[PLACES];
    cni_shared_part parts[PLACES];
    cni_traffic traffic[PLACES][1 + 2 * STAGES];
    make(&s);
    for (int place = 0; place < PLACES; place++) {
        rounds[place] = (cni_rounds){.n = 2, .exchanges = 2, .transfers = s.transfers[place], .begin = begin[place]};
        parts[place] = (cni_shared_part){.rounds = &rounds[place]};
        s.stages[place][1] = (cni_stage){.nparts = 1, .parts = &parts[place]};
    }
    EXPECT(matched(&s, traffic) == CN_OK);
    EXPECT(traffic[1][3].sends == 1 && traffic[1][3].receives == 1 && traffic[1][3].sent == 80);
    s.transfers[1][0].panel = 2; /* to another panel than it was sent for */
    EXPECT(noticed(&s));
}

int main(void)
{
    shift s;
    cni_traffic traffic[PLACES][1 + 2 * STAGES];
    make(&s);
    EXPECT(matched(&s, traffic) == CN_OK);
    EXPECT(traffic[1][3].sends == 1 && traffic[1][3].receives == 1 && traffic[1][3].sent == 80);
    EXPECT(traffic[0][3].sends == 1 && traffic[0][3].receives == 0 && traffic[0][1].sends == 0);

    s.transfers[1][0].region.shape[0] = 9; /* one element less than was sent */
    EXPECT(noticed(&s));
    make(&s);
    s.stages[2][1].nbefore = 0; /* nobody receives */
    EXPECT(noticed(&s));
    make(&s);
    s.transfers[1][1].slot = 5; /* another array */
    EXPECT(noticed(&s));
    make(&s);
    s.stages[1][0] = s.stages[1][1]; /* too early */
    s.stages[1][1] = (cni_stage){0};
    EXPECT(matched(&s, traffic) == CN_ERROR_INTERNAL);
    rounds_are_matched();
    return finish("match");
}
