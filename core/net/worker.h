/* worker.h - what a rank other than 0 is. */
#ifndef CNI_WORKER_H
#define CNI_WORKER_H

/* Does what the log says until its end; the process's exit status. Takes over signals and standard input. */
int cni_worker_run(void);

#endif
