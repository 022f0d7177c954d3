# Has the system calls by which a ZooKeeper server writes its transaction log fail or take longer, as strace injects
# it. Runs in the server's process-id namespace, where the server is process 1, and dies with it.
#
#     sh trace-log-writes.sh CALLS INJECTION...    such as: fdatasync inject=fdatasync:error=EIO
#
# Only the thread that logs is traced, so that nothing else becomes slower. A server that loses its disk goes back to
# the election in the same process and logs with another thread of the same name: that one is traced next.
calls=$1
shift
for injection; do
  shift
  set -- "$@" -e "$injection"
done

# The log's thread, and the log files that are open: of what it writes to sockets or to its standard output nothing
# is to fail.
thread() { grep -lx 'SyncThread:[0-9]*' /proc/1/task/*/comm 2>/dev/null | cut -d/ -f5 | tail -n 1; }
logs() { ls -l /proc/1/fd 2>/dev/null | sed -n 's/.* -> \(.*\/version-2\/log\.[0-9a-f]*\)$/\1/p'; }

# The server does not reap what becomes its child: nothing may be left behind.
child=
trap 'kill $child 2>/dev/null; wait; exit 0' TERM

while :; do
  thread=$(thread)
  paths=
  for log in $(logs); do paths="$paths -P $log"; done
  if [ -n "$thread" ]; then
    case $calls in
      # A log that is not open yet has no name to filter by; the next look will find it.
      *write*) [ -n "$paths" ] || thread= ;;
      *) paths= ;;
    esac
  fi
  # Word splitting of the paths is meant. The names of ZooKeeper's logs hold no blanks.
  # shellcheck disable=SC2086
  if [ -n "$thread" ]; then
    strace -qq -o /dev/stdout -e "trace=$calls" $paths "$@" -p "$thread" &
    child=$!
    wait $child
    child=
  fi
  sleep 0.02
done
