#!/bin/sh
# zkServer.sh start-foreground: becomes the server, with the same variables as ZooKeeper's own script.
set -eu
if [ "${1:-}" != start-foreground ]; then
  echo "zkServer.sh: only start-foreground is known here" >&2
  exit 64
fi
conf=${ZOOCFGDIR:-/conf}
heap=${ZK_SERVER_HEAP:-1000}
# Word splitting of the flags is meant.
# shellcheck disable=SC2086
exec java -Dzookeeper.log.dir="${ZOO_LOG_DIR:-/logs}" -Dorg.slf4j.simpleLogger.showDateTime=true \
  "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS" -Xmx"${heap}m" ${SERVER_JVMFLAGS:-} ${JVMFLAGS:-} \
  -cp "$conf:/opt/zookeeper/lib/*" org.apache.zookeeper.server.quorum.QuorumPeerMain "$conf/zoo.cfg"
