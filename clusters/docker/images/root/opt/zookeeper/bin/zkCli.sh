#!/bin/sh
# ZooKeeper's own command-line client.
# shellcheck disable=SC2086
exec java -Xmx128m ${CLIENT_JVMFLAGS:-} -cp "${ZOOCFGDIR:-/conf}:/opt/zookeeper/lib/*" org.apache.zookeeper.ZooKeeperMain "$@"
