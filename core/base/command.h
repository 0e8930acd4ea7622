/* command.h - running another program, and a folder of files for it to read. */
#ifndef CNI_COMMAND_H
#define CNI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Runs a command (argv[0] is looked for in PATH) without input; what it writes goes to the file output, NULL: nowhere.
 * True if it ends well, and in time. *child (may be NULL) is its process while it runs, for others to kill.
 */
bool cni_command_run(const char *const *argv, const char *output, _Atomic pid_t *child);

/* A new folder under TMPDIR, private to the user; false, and path "", if there can be none. */
bool cni_folder_make(char *path, size_t size);

/* Writes a file of this name, "file" or "part/file", into the folder. */
bool cni_folder_write(const char *folder, const char *name, const void *data, size_t size);

/* Removes the folder with its files and parts. */
void cni_folder_remove(const char *folder);

#endif
