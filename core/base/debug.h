/*
 * debug.h - what is told on the standard error stream while the program runs, if the setting `debug` names its topic:
 * plan (what was planned), kernel (each new one), comm (what processes or places exchange).
 */
#ifndef CNI_DEBUG_H
#define CNI_DEBUG_H

#include <stdbool.h>

typedef enum cni_debug_topic { CNI_DEBUG_PLAN, CNI_DEBUG_KERNEL, CNI_DEBUG_COMM, CNI_DEBUG_COUNT } cni_debug_topic;

extern unsigned cni_debug_topics; /* a bit for each that is told */

static inline bool cni_debug_on(cni_debug_topic topic)
{
    return (cni_debug_topics >> topic & 1) != 0;
}

/* Topics by their names, with commas between; others are told as a notice. */
void cni_debug_choose(const char *names);

/* Of several processes, which this is: lines begin with it. */
void cni_debug_rank(int rank);

/* Tells one or more lines, the last without its end, in one piece. Any thread. Nothing if the topic is not told. */
void cni_debug(cni_debug_topic topic, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
