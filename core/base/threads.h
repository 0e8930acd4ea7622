/*
 * threads.h - the one pool of threads: static schedule, the caller takes part, nothing is handed over when one thread
 * does it all.
 */
#ifndef CNI_THREADS_H
#define CNI_THREADS_H

/* How many threads a run may use: the setting, or the processors that this process may run on. At least 1. */
int cni_threads_count(void);

/*
 * Calls work(context, i) once for every i in [0, count), each on a thread of its own if there are as many, i = 0 on
 * the caller; returns when all have. count is at most cni_threads_count(). One run at a time: the caller is the
 * executor. Without threads to be had the caller does everything.
 */
void cni_threads_run(int count, void (*work)(void *context, int i), void *context);

#endif
