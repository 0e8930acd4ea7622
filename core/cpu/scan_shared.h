/* scan_shared.h - an accumulation as scan.c runs it, and one line of it by all threads. */
#ifndef CNI_SCAN_SHARED_H
#define CNI_SCAN_SHARED_H

#include "cpu/library.h"
#include "cpu/loops.h"
#include "cpu/scan_tree.h"
#include "cpu/shared_events.h"

typedef struct cni_scan {
    cni_shared_events events;
    cni_library_operand out, in;
    int axis;
    int64_t length;
    cni_scan_loop loop; /* NULL: the op is no reduction */
    cni_reduce_loop reduce;
    cni_loop rows;
    bool tree;   /* the order of scan_tree.h: from and left are states */
    bool adds;   /* a total is all that elements need of those before them, whatever order it was made in */
    int threads; /* for each line */
    size_t itemsize;
    const char *from; /* by line: what the first element is combined with; NULL: nothing */
    char *left;       /* by line: where the last element goes, too; NULL: nowhere */
} cni_scan;

/* Accumulates; from, left: see cni_scan. */
void cni_scan_run(const cni_part *part, const cni_run *run, const char *from, char *left);

/* Is a total all that elements need of those before them, whatever order it was made in? */
bool cni_scan_totals_add(const cni_op *op);

/* How many threads pay for one line of so many; 1: it is not shared out. */
int cni_scan_shares(const cni_scan *s, int64_t lines);

/* n elements of a line, behind what is in state (tree) or in total, by s->threads. Those of total lie dense. */
void cni_scan_on(cni_scan *s, int64_t n, const char *in, char *out, cni_scan_state *state, unsigned char *total);

#endif
