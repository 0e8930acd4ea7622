"""Several processes: cNumeric beside MPI programs in C."""
