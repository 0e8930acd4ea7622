/* spans.c - see world.h: bytes of a slot that a place has on its device. */
#include <string.h>

#include "exec/world.h"

/* One span of i and the one behind it. */
static void join(cni_spans *s, int i)
{
    s->at[i].high = s->at[i].high > s->at[i + 1].high ? s->at[i].high : s->at[i + 1].high;
    memmove(&s->at[i + 1], &s->at[i + 2], (size_t)(s->n - i - 2) * sizeof *s->at);
    s->n--;
}

static void make_room(cni_spans *s)
{
    int nearest = 0;
    for (int i = 1; i + 1 < s->n; i++) {
        bool nearer = s->at[i + 1].low - s->at[i].high < s->at[nearest + 1].low - s->at[nearest].high;
        nearest = nearer ? i : nearest;
    }
    join(s, nearest);
}

void cni_spans_add(cni_spans *s, int64_t low, int64_t high)
{
    if (low >= high) {
        return;
    }
    if (s->n == CNI_SPANS) {
        make_room(s);
    }
    int i = 0;
    while (i < s->n && s->at[i].low <= low) {
        i++;
    }
    memmove(&s->at[i + 1], &s->at[i], (size_t)(s->n - i) * sizeof *s->at);
    s->at[i].low = low;
    s->at[i].high = high;
    s->n++;
    i -= i > 0;
    while (i + 1 < s->n && s->at[i + 1].low <= high) {
        if (s->at[i].high >= s->at[i + 1].low) {
            join(s, i);
        } else {
            i++;
        }
    }
}

bool cni_spans_have(const cni_spans *s, int64_t low, int64_t high)
{
    for (int i = 0; i < s->n; i++) {
        if (s->at[i].low <= low && high <= s->at[i].high) {
            return true;
        }
    }
    return false;
}

bool cni_spans_meet(const cni_spans *s, int64_t low, int64_t high)
{
    for (int i = 0; i < s->n; i++) {
        if (s->at[i].low < high && low < s->at[i].high) {
            return true;
        }
    }
    return false;
}
