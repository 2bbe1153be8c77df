/** How every model on this machine is loaded: from its folder alone, with so many threads. */
export function sessionSettings(threads: number) {
  return {
    device: 'cpu',
    local_files_only: true,
    session_options: {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Threads that spin while they wait for each other get in the way of everything else: beside other work, 2 threads that
      // spin embed 4 to 8 texts a second, 1 thread 8, and 2 threads that sleep 13 to 28.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    },
  } as const;
}
